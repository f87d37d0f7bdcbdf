import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type GatewayAccounts, openAccounts } from '../../services/gateway/accounts.js'
import { limitsSetting } from '../../src/application/gateway/limit-rules.js'
import type { Authenticator } from '../../src/ports/accounts/caller.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import { LiveClients, type Member, type Message, register } from '../support/account-client.js'
import { eventually } from '../support/eventually.js'
import { silentLogger } from '../support/silent-logger.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const AMOUNTS = ['10', '20', '30', '40', '50']
const TERMS = { title: 'Lot', start_price: '10', currency: 'EUR', increment: '1' }
/** How long a check takes: the first of a connection longest, so that all others would overtake it. */
const DELAYS_MS = [12, 8, 4, 2, 0]

/** Every check on the way of a bid takes a time of its own. */
function uneven<T>(call: () => Promise<T>, n: number): Promise<T> {
  return sleep(DELAYS_MS[n % DELAYS_MS.length]).then(call)
}

function unevenAuthenticator(authenticator: Authenticator): Authenticator {
  let calls = 0
  return { authenticate: (credentials) => uneven(() => authenticator.authenticate(credentials), calls++) }
}

/** Looking at auctions takes uneven times; commands go straight through. */
function unevenApi(api: NodeApi): NodeApi {
  let calls = 0
  return new Proxy(api, {
    get(target, name: keyof NodeApi) {
      const method = target[name].bind(target) as (request: unknown) => Promise<unknown>
      return name === 'show' ? (request: unknown) => uneven(() => method(request), calls++) : method
    },
  })
}

interface Answer {
  readonly accepted: boolean
  readonly seq: number | null
  readonly code: string | null
}

/** Sends rising maxima at once, in the order of `amounts`, and gives the answers in that order. */
type Surface = (member: Member, auction: string, amounts: readonly string[]) => Promise<Answer[]>

describe('what is sent over one connection to a gateway with accounts and limits', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  let accounts: GatewayAccounts
  const dir = makeTempDir()
  const clients = new LiveClients()
  let names = 0

  before(async () => {
    mesh = await createTestMesh(2)
    // All limits are on; the test itself makes many accounts.
    const limits = limitsSetting.parse('registrations_per_address:1000/1m')
    accounts = await openAccounts(dir.path, { limits }, { logger: silentLogger })
    const { parts } = accounts
    const authenticator = unevenAuthenticator(parts.authenticator)
    const api = unevenApi(mesh.nodes[0]!.api)
    gateway = await TestGateway.start({ api }, { auth: 'accounts' }, { ...parts, authenticator })
  })

  afterEach(() => clients.close())

  after(async () => {
    await gateway?.stop()
    await accounts?.close()
    await mesh?.stop()
    dir.remove()
  })

  const join = () => register(gateway, `member-${++names}`)
  const openHere = async (terms: object = {}) => {
    const seller = await join()
    const { body } = await gateway.post('/api/v1/auctions', { ...TERMS, ...terms }, seller.headers)
    return { seller, auction: body.id as string }
  }
  const openElsewhere = async () => {
    const { outcome } = await mesh.nodes[1]!.api.open({
      commandId: `cmd_elsewhere${++names}`,
      title: 'Lot',
      currency: 'EUR',
      start: '10',
      increment: '1',
    })
    const auction = outcome.auctionId
    await eventually('it is known', async () => (await gateway.get(`/api/v1/auctions/${auction}`)).status === 200)
    return { auction }
  }

  const webSocket =
    (path: (auction: string) => string, more: (auction: string) => object): Surface =>
    async (member, auction, amounts) => {
      const socket = await clients.webSocket(`${gateway.wsUrl}${path(auction)}`)
      socket.send({ type: 'authenticate', access_token: member.token })
      amounts.forEach((amount, i) => {
        socket.send({ type: 'place_bid', amount, kind: 'max', bid_id: `bid-${i}`, ...more(auction) })
      })
      return Promise.all(
        amounts.map(async (_, i) => {
          const answer: Message = await eventually('an answer', () =>
            socket.heard.find(({ client_id }) => client_id === `bid-${i}`),
          )
          return {
            accepted: answer.type === 'bid_accepted',
            seq: answer.seq ?? null,
            code: answer.code ?? null,
          }
        }),
      )
    }

  const socketIo: Surface = async (member, auction, amounts) => {
    const client = clients.socketIo(gateway, {})
    const asked = [
      client.ask('authenticate', { token: member.token }),
      ...amounts.map((amount) => client.ask('placeBid', { auctionId: auction, amount, kind: 'max' })),
    ]
    const [, ...answers] = await Promise.all(asked)
    return answers.map(({ ok, seq = null, code = null }) => ({ accepted: ok, seq, code }))
  }

  const pipelinedHttp: Surface = async (member, auction, amounts) => {
    const bodies = amounts.map((amount) => JSON.stringify({ amount, kind: 'max' }))
    const requests = bodies.map((body) =>
      [
        `POST /api/v1/auctions/${auction}/bids HTTP/1.1`,
        'host: 127.0.0.1',
        `authorization: Bearer ${member.token}`,
        'content-type: application/json',
        `content-length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    )
    return (await pipelined(gateway.url, requests)).map(({ seq = null, code = null }) => ({
      accepted: seq !== null,
      seq,
      code,
    }))
  }

  const SURFACES: [string, Surface][] = [
    [
      'the WebSocket of an auction',
      webSocket(
        (auction) => `/ws/auction/${auction}`,
        () => ({}),
      ),
    ],
    [
      'a WebSocket for many auctions',
      webSocket(
        () => '/ws',
        (auction) => ({ auction_id: auction }),
      ),
    ],
    ['Socket.IO', socketIo],
    ['pipelined HTTP', pipelinedHttp],
  ]
  const HOMES: [string, () => Promise<{ auction: string }>][] = [
    ['at home here', () => openHere()],
    ['that nobody has bid on here, under pseudonyms', () => openHere({ bidder_names: 'pseudonyms' })],
    ['at home on another node', () => openElsewhere()],
  ]

  for (const [surface, send] of SURFACES)
    for (const [where, open] of HOMES)
      it(`is decided in the order sent, over ${surface}, for an auction ${where}`, async () => {
        for (let round = 0; round < 3; round++) {
          const { auction } = await open()
          const answers = await send(await join(), auction, AMOUNTS)
          const seqs = answers.map(({ seq }) => seq)
          expect(
            answers.every(({ accepted }) => accepted),
            JSON.stringify(answers),
          ).to.equal(true)
          expect(seqs).to.deep.equal([...seqs].sort((a, b) => Number(a) - Number(b)))
        }
      })

  it('is decided in the order sent where the seller ends the auction right after a bid', async () => {
    const { auction, seller } = await openHere()
    const bidder = await join()
    expect((await pipelinedHttp(bidder, auction, ['10']))[0]?.accepted).to.equal(true)
    const client = clients.socketIo(gateway, {})
    await client.ask('authenticate', { token: seller.token })
    const [refused, ended] = await Promise.all([
      client.ask('placeBid', { auctionId: auction, amount: '20' }),
      client.ask('endAuction', { auctionId: auction }),
    ])
    expect([refused.code, ended.ok]).to.deep.equal(['OWN_AUCTION', true])
  })

  it('is bounded where a client pipelines more than it waits for', async () => {
    const one = 'GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'
    const answers = await pipelined(
      gateway.url,
      Array.from({ length: 100 }, () => one),
    )
    expect(answers).to.have.length(100)
    const busy = answers.filter(({ code }) => code === 'BUSY')
    expect(busy.length).to.be.within(1, 99)
    expect(answers[0]?.status).to.equal('ok')
  })
})

/** The JSON bodies of the answers, which come in the order of the requests. */
async function pipelined(url: string, requests: readonly string[]): Promise<Message[]> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  try {
    socket.write(requests.join(''))
    return await eventually('all answers', () => {
      const bodies = bodiesOf(text)
      return bodies.length === requests.length ? bodies : null
    })
  } finally {
    socket.destroy()
  }
}

function bodiesOf(text: string): Message[] {
  const bodies: Message[] = []
  let rest = text
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, end))?.[1] ?? Number.NaN)
    const body = rest.slice(end + 4, end + 4 + length)
    if (end < 0 || body.length < length) return bodies
    bodies.push(JSON.parse(body))
    rest = rest.slice(end + 4 + length)
  }
}
