import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'

const here = (path: string) => new URL(`../../../src/adapters/grenache/${path}`, import.meta.url).href
const fakes = new URL('./fakes.js', import.meta.url).href

/** A process of its own: it ends by itself only if nothing keeps it alive. */
const SCRIPT = `
  const { EmbeddedGrape } = await import('${here('grape/embedded-grape.js')}')
  const { GrapeDiscovery } = await import('${here('grape/grape-discovery.js')}')
  const { GrenachePeerClient } = await import('${here('grenache-peer-client.js')}')
  const { RpcClient } = await import('${here('rpc-client.js')}')
  const { startServer, ping, caller } = await import('${fakes}')
  const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
  const grape = new EmbeddedGrape({ logger }, { bootstrap: ['127.0.0.1:9'] })
  await grape.start()
  const { server, address, port } = await startServer()
  const discovery = new GrapeDiscovery({ grape, logger }, { mesh: 'test' })
  await discovery.start(port, { addresses() {}, state() {} })
  const client = new GrenachePeerClient({ rpcClient: new RpcClient({ tls: caller.tls }) })
  await client.ping(address, ping)
  await discovery.stop()
  await server.stop()
  if (process.argv[1] !== 'keep-client') await client.stop()
  await grape.stop()
  console.log('stopped')
`

describe('the Grenache adapters', () => {
  for (const [what, argument] of [
    ['once they are stopped', 'stop-all'],
    ['though nobody stopped an idle client', 'keep-client'],
  ] as const) {
    it(`let the process end ${what}`, async () => {
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', SCRIPT, argument],
        { timeout: 15_000 },
      )
      expect(stderr).to.equal('')
      expect(stdout).to.equal('stopped\n')
    })
  }
})
