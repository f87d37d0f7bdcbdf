import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { PROTOCOL_CODES } from '../../../src/adapters/grenache/rpc/wire.js'
import { NODE_ERROR_CODES } from '../../../src/ports/node/node-error.js'
import { bidOf, challenge, ping, post, self, startServer, type TestServer, TOKEN, talk } from './fakes.js'

const RPCS = [
  'hello ping ping-via goodbye submit push-commits pull-commits digest heads',
  'node.status node.open node.bid node.extend node.list node.history node.events node.stop',
]
  .join(' ')
  .split(' ')
  .map((name) => `vendue.${name}`)
const CODES: readonly string[] = [...NODE_ERROR_CODES, ...PROTOCOL_CODES]

/** An answer has Grenache's shape, and is either a result or an error of a known code. */
function expectAnswer(body: unknown): void {
  expect(body).to.be.an('array').with.lengthOf(3)
  const [, error, payload] = body as [unknown, unknown, { ok: boolean; error?: { code: string } }]
  expect(error).to.equal(null)
  if (!payload.ok) expect(CODES).to.include(payload.error?.code)
}

describe('the RPC server, given anything', () => {
  let running: TestServer
  before(async () => {
    running = await startServer({ limits: { maxBodyBytes: 32 * 1024 } })
  })
  after(() => running.server.stop())

  async function check(property: fc.IAsyncProperty<unknown>, numRuns: number) {
    await fc.assert(property, { numRuns })
    const { body } = await post(running.port, JSON.stringify(['r', 'vendue.ping', { params: ping }]))
    expect(body).to.have.nested.property('[2].ok', true)
  }

  it('answers any JSON', async () => {
    await check(
      fc.asyncProperty(fc.json(), async (text) => expectAnswer((await post(running.port, text)).body)),
      200,
    )
  })

  it('answers any params of any RPC, with and without the token', async () => {
    const payload = fc.record(
      {
        token: fc.oneof(fc.constant(TOKEN), fc.string()),
        params: fc.oneof(
          fc.jsonValue(),
          fc.object({ key: fc.constantFrom(...Object.keys(challenge), ...Object.keys(self), 'commands') }),
        ),
      },
      { requiredKeys: ['params'] },
    )
    await check(
      fc.asyncProperty(fc.constantFrom(...RPCS), payload, async (rpc, given) => {
        expectAnswer((await post(running.port, JSON.stringify(['r', rpc, given]))).body)
      }),
      300,
    )
  })

  it('answers a good request with one field made bad', async () => {
    const command = bidOf('bid_1')
    await check(
      fc.asyncProperty(fc.constantFrom(...Object.keys(command)), fc.jsonValue(), async (key, value) => {
        const params = { commands: [{ ...command, [key]: value }] }
        expectAnswer((await post(running.port, JSON.stringify(['r', 'vendue.submit', { params }]))).body)
      }),
      200,
    )
  })

  it('answers any bytes as a body, packed or not', async () => {
    const headers = fc.constantFrom<Record<string, string>>(
      {},
      { 'grc-compress': 'gzip' },
      { 'content-encoding': 'gzip' },
    )
    await check(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), headers, fc.boolean(), async (bytes, how, pack) => {
        expectAnswer((await post(running.port, pack ? gzipSync(bytes) : bytes, how)).body)
      }),
      150,
    )
  })

  it('closes with an answer on any bytes as a connection', async () => {
    // A line end makes them a whole (bad) request line; without one the server rightly waits for more.
    await check(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const answer = await talk(running.port, Buffer.concat([Buffer.from([0]), bytes, Buffer.from('\r\n\r\n')]))
        expect(answer).to.match(/^HTTP\/1.1 400 /)
      }),
      100,
    )
  })
})
