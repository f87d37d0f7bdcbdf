import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import pg from 'pg'
import { PostgresSharedLog } from '../../../src/adapters/postgres/postgres-shared-log.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { SharedLog, SharedLogError } from '../../../src/ports/store/shared-log.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { CuttingProxy } from '../../support/cutting-proxy.js'
import { eventually } from '../../support/eventually.js'
import { addressOf } from '../../support/postgres/postgres-address-of.js'
import { PostgresServer } from '../../support/postgres/postgres-server.js'

const APPENDED = [{ appended: true }]
const EVERYTHING = { commits: 10_000, bytes: Number.MAX_SAFE_INTEGER }

describe('a shared log in PostgreSQL whose connections break', () => {
  let server: PostgresServer
  let database: string
  let proxy: CuttingProxy
  /** Reaches the log past the proxy. */
  let direct: SharedLog
  const logs: SharedLog[] = []

  before(async () => {
    server = await PostgresServer.start()
  })
  beforeEach(async () => {
    database = await server.createDatabase()
    proxy = await CuttingProxy.start(server.port)
    direct = connect(server)
    await direct.open()
  })
  afterEach(async () => {
    await Promise.all(logs.splice(0).map((log) => log.close()))
    await proxy.stop()
  })
  after(() => server.dispose())

  const connect = (to: Parameters<typeof addressOf>[0], answerMs?: number) => {
    const address = addressOf(to, database)
    const log = new PostgresSharedLog({ address, clusterId: 'cluster', ...(answerMs !== undefined && { answerMs }) })
    logs.push(log)
    return log
  }
  const stored = async (auctionId: string) => (await direct.read(auctionId, 1, EVERYTHING)).map(({ hash }) => hash)
  const hashes = (entries: readonly Append[]) => entries.map(({ commit }) => commit.hash)
  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => 'RESOLVED',
      (error: SharedLogError) => error.code,
    )

  it('finds what it has appended if the answer was lost', async () => {
    const log = connect(proxy)
    const auction = new CommitBuilder()
    const entries = [auction.open(), auction.bids(2)]
    await log.append(entries.slice(0, 1))
    proxy.hold('answers')
    const append = log.append(entries.slice(1))
    await eventually('it is in the log', async () => (await stored(auction.auctionId)).length === 2)
    proxy.release()
    proxy.cut()
    expect(await append).to.deep.equal(APPENDED)
    expect(await stored(auction.auctionId)).to.deep.equal(hashes(entries))
  })

  it('reports no result of an append when nobody knows it: after the same call again, it is stored once', async () => {
    const log = connect(proxy, 3_000)
    const auction = new CommitBuilder()
    const entries = [auction.open(), auction.bids(2)]
    await log.append(entries.slice(0, 1))
    proxy.hold('answers')
    expect(await codeOf(log.append(entries.slice(1)))).to.equal('LOG_OUTCOME_UNKNOWN')
    expect(await stored(auction.auctionId)).to.deep.equal(hashes(entries))
    expect(log.status().error?.code).to.equal('LOG_UNREACHABLE')
    proxy.release()
    expect(await log.append(entries.slice(1))).to.deep.equal(APPENDED)
    expect(await stored(auction.auctionId)).to.deep.equal(hashes(entries))
    expect(log.status()).to.deep.equal({ connectedTo: `127.0.0.1:${proxy.port}`, error: null })
  })

  it('refuses what cannot have been stored, keeps trying, and goes on when the log is there again', async () => {
    const log = connect(proxy, 1_500)
    await log.open()
    const { session } = await log.view()
    const { port } = proxy
    await proxy.stop()
    await eventually('it has noticed', () => log.status().connectedTo === null)
    const auction = new CommitBuilder()
    const entries = [auction.open()]
    expect(await codeOf(log.append(entries))).to.equal('LOG_UNREACHABLE')
    expect(await codeOf(log.view())).to.equal('LOG_UNREACHABLE')
    expect(log.status().connectedTo).to.equal(null)
    const append = log.append(entries)
    proxy = await CuttingProxy.start(server.port, port)
    expect(await append).to.deep.equal(APPENDED)
    expect((await log.view()).session).to.be.greaterThan(session)
  })

  it('gives up a connection that hangs, and a host that does', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).resume())
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = silent.address() as { port: number }
      const log = connect([{ port }, proxy, server])
      const auction = new CommitBuilder()
      expect(await log.append([auction.open()])).to.deep.equal(APPENDED)
      expect(log.status().connectedTo).to.equal(`127.0.0.1:${proxy.port}`)
      proxy.hold('all')
      expect(await log.append([auction.bids(1)])).to.deep.equal(APPENDED)
      expect(log.status().connectedTo).to.equal(server.host)
    } finally {
      silent.close()
    }
  })

  it('stores once what an abandoned statement and its repetition both try to store', async () => {
    const log = connect(server)
    const auction = new CommitBuilder()
    await log.append([auction.open()])
    const holder = new pg.Client({ connectionString: server.url(database) })
    holder.on('error', () => {})
    await holder.connect()
    try {
      await holder.query('BEGIN')
      await holder.query('SELECT 1 FROM vendue.heads FOR UPDATE')
      const entry = auction.bids(1)
      const append = log.append([entry])
      const waiting = async () =>
        (await server.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length
      await eventually('the first waits, and the second', async () => (await waiting()) >= 2)
      await holder.query('COMMIT')
      expect(await append).to.deep.equal(APPENDED)
      await eventually('nobody waits any more', async () => (await waiting()) === 0)
      expect(await stored(auction.auctionId)).to.deep.equal([
        (await log.read(auction.auctionId, 1, EVERYTHING))[0]?.hash,
        entry.commit.hash,
      ])
      expect(await log.append([auction.bids(1)])).to.deep.equal(APPENDED)
    } finally {
      await holder.end()
    }
  })

  it('loses nothing, doubles nothing and forks nothing in a storm of terminated and cancelled backends', async () => {
    const nodes = Array.from({ length: 4 }, () => connect(server))
    const hot = new CommitBuilder()
    await direct.append([hot.open()])
    let stormy = true
    const storm = (async () => {
      for (let i = 0; stormy; i++) {
        const how = i % 3 === 0 ? 'pg_cancel_backend' : 'pg_terminate_backend'
        await server.query(
          `SELECT ${how}(pid) FROM pg_stat_activity WHERE application_name = 'vendue' AND random() < 0.6`,
        )
        await wait(20)
      }
    })()
    const own = nodes.map(async (node) => {
      const auction = new CommitBuilder()
      const entries = [auction.open(), ...Array.from({ length: 60 }, () => auction.bids(1))]
      for (const entry of entries) expect(await node.append([entry])).to.deep.equal(APPENDED)
      return { auction, entries }
    })
    let truth = hot
    const won: Append[] = []
    for (let round = 0; round < 40; round++) {
      const writers = nodes.map((_, i) => truth.fork(`r${round}w${i}`))
      const entries = writers.map((writer) => writer.bids(1))
      const results = await Promise.all(nodes.map((node, i) => node.append([entries[i] as Append])))
      const first = results.findIndex(([result]) => result?.appended)
      expect(
        results.filter(([result]) => result?.appended),
        `round ${round}`,
      ).to.have.length(1)
      truth = writers[first] as CommitBuilder
      won.push(entries[first] as Append)
    }
    const written = await Promise.all(own)
    stormy = false
    await storm
    for (const { auction, entries } of written) expect(await stored(auction.auctionId)).to.deep.equal(hashes(entries))
    expect((await stored(hot.auctionId)).slice(1)).to.deep.equal(hashes(won))
  })

  it('goes on after a restart of the server between two calls, and in the middle of many', async () => {
    const log = connect(server)
    const auctions = Array.from({ length: 8 }, () => new CommitBuilder())
    await log.append(auctions.map((auction) => auction.open()))
    const { session } = await log.view()
    await server.kill()
    await server.start()
    expect(await log.append(auctions.map((auction) => auction.bids(1)))).to.deep.equal(Array(8).fill(APPENDED[0]))
    expect((await log.view()).session).to.be.greaterThan(session)
    const writing = auctions.map(async (auction) => {
      for (let i = 0; i < 30; i++) {
        const entry = auction.bids(1)
        while ((await codeOf(log.append([entry]))) !== 'RESOLVED');
      }
      return auction
    })
    await wait(20)
    await server.kill()
    await server.start()
    for (const auction of await Promise.all(writing))
      expect(await log.heads([auction.auctionId])).to.deep.equal(new Map([[auction.auctionId, auction.head]]))
  })

  it('ends calls under way when it is closed', async () => {
    const log = connect(proxy)
    await log.open()
    proxy.hold('all')
    const append = codeOf(log.append([new CommitBuilder().open()]))
    await wait(50)
    const view = codeOf(log.view())
    await wait(50)
    await log.close()
    expect(await append).to.equal('LOG_OUTCOME_UNKNOWN')
    expect(await view).to.equal('LOG_UNREACHABLE')
  })
})
