import { expect } from 'chai'
import { PostgresSharedLog } from '../../../src/adapters/postgres/postgres-shared-log.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { SharedLog } from '../../../src/ports/store/shared-log.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { eventually } from '../../support/eventually.js'
import { addressOf } from '../../support/postgres/postgres-address-of.js'
import { installedPrograms } from '../../support/postgres/postgres-programs.js'
import { PostgresServer } from '../../support/postgres/postgres-server.js'
import { skipUnless } from '../../support/requires.js'

const APPENDED = [{ appended: true }]
const EVERYTHING = { commits: 10_000, bytes: Number.MAX_SAFE_INTEGER }
const STANDBY = 'follower'

describe('a shared log in PostgreSQL with a standby', () => {
  let primary: PostgresServer
  let standby: PostgresServer
  const servers: PostgresServer[] = []
  const logs: SharedLog[] = []

  before(function () {
    const reason = 'standbys need a whole PostgreSQL: on Debian, the package postgresql'
    skipUnless(this, installedPrograms() !== null, reason)
  })
  beforeEach(async () => {
    const programs = installedPrograms()
    if (programs === null) return
    primary = await PostgresServer.start({ programs })
    servers.push(primary)
    standby = await primary.standby(STANDBY)
    servers.push(standby)
    await eventually('the standby follows', async () => (await following()).length === 1)
  })
  afterEach(async () => {
    await Promise.all(logs.splice(0).map((log) => log.close()))
    await Promise.all(servers.splice(0).map((server) => server.dispose()))
  })

  const following = () => primary.query("SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'")
  /** A primary that waits for its standby, which would itself wait for none. */
  const synchronous = async () => {
    primary.configure({ synchronous_standby_names: STANDBY })
    await primary.reload()
    await eventually('it is synchronous', async () => (await following())[0]?.sync_state === 'sync')
  }
  const connect = (to: PostgresServer[]) => {
    const log = new PostgresSharedLog({ address: addressOf(to), clusterId: 'cluster', answerMs: 100_000 })
    logs.push(log)
    return log
  }
  const stored = async (log: SharedLog, auctionId: string) =>
    (await log.read(auctionId, 1, EVERYTHING)).map(({ hash }) => hash)
  const hashes = (entries: readonly Append[]) => entries.map(({ commit }) => commit.hash)
  /** Statements of the log that wait for the standby. */
  const waiting = async () => {
    const rows = await primary.query(
      `SELECT pid || ' since ' || query_start AS id FROM pg_stat_activity
       WHERE wait_event = 'SyncRep' AND application_name = 'vendue'`,
    )
    return rows.map(({ id }) => id)
  }

  for (const [what, how] of [
    ['append', 'pg_cancel_backend'],
    ['append', 'pg_terminate_backend'],
    ['record', 'pg_cancel_backend'],
    ['record', 'pg_terminate_backend'],
  ] as const)
    it(`ends no ${what} that the standby lacks if the wait for it is ended by ${how}`, async () => {
      // The standby comes first in the URL, and takes no writes.
      const log = connect([standby, primary])
      const auction = new CommitBuilder()
      const opening = auction.open()
      await log.append([opening])
      expect(log.status().connectedTo).to.equal(primary.host)
      await synchronous()
      standby.pause()
      let hasEnded = false
      const bids = auction.bids(1)
      const call = what === 'append' ? log.append([bids]) : log.record(auction.state.home.nodeId, bids.outcomes ?? [])
      const ended = call.then((result) => {
        hasEnded = true
        return result
      })
      const first = await eventually('it waits', async () => (await waiting())[0])
      await primary.query(
        `SELECT ${how}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'vendue'`,
      )
      await eventually('it waits once more', async () => (await waiting()).some((id) => id !== first))
      const table = what === 'append' ? 'commits WHERE last_seq > 1' : 'outcomes'
      expect(await primary.query(`SELECT 1 FROM vendue.${table}`), 'it can be seen').to.have.length(1)
      expect(hasEnded).to.equal(false)
      standby.resume()
      expect(await ended).to.deep.equal(what === 'append' ? APPENDED : [])
      await primary.kill()
      await standby.promote()
      expect(await standby.query(`SELECT 1 FROM vendue.${table}`)).to.have.length(1)
    })

  it('has all that was acknowledged after its primary has died and a synchronous standby was promoted', async () => {
    await synchronous()
    standby.configure({ synchronous_standby_names: '' })
    const nodes = [connect([primary, standby]), connect([standby, primary])]
    const { session } = await (nodes[0] as SharedLog).view()
    let isOver = false
    const writing = nodes.map(async (node) => {
      const auction = new CommitBuilder()
      const entries = [auction.open()]
      for (let i = 0; !isOver; i++) {
        expect(await node.append([entries[i] as Append])).to.deep.equal(APPENDED)
        entries.push(auction.bids(1))
      }
      return { auction, entries: entries.slice(0, -1) }
    })
    const written = async () => Number((await primary.query('SELECT count(*) AS n FROM vendue.commits'))[0]?.n)
    await eventually('they write', async () => (await written()) > 20)
    await primary.kill()
    await standby.promote()
    const now = async () => Number((await standby.query('SELECT count(*) AS n FROM vendue.commits'))[0]?.n)
    const before = await now()
    await eventually('they write again', async () => (await now()) > before + 20)
    isOver = true
    const log = connect([standby])
    for (const { auction, entries } of await Promise.all(writing))
      expect(await stored(log, auction.auctionId)).to.deep.equal(hashes(entries))
    expect(nodes.map((node) => node.status().connectedTo)).to.deep.equal([standby.host, standby.host])
    expect((await (nodes[0] as SharedLog).view()).session).to.be.greaterThan(session)
  })

  it('takes back word for word what an asynchronous standby has lost that was promoted', async () => {
    const log = connect([primary, standby])
    const auction = new CommitBuilder()
    const kept = [auction.open(), auction.bids(3)]
    await log.append(kept)
    const lag = 'SELECT 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()'
    await eventually('the standby has it', async () => (await primary.query(lag)).length === 1)
    const head = auction.head
    await standby.stop()
    const lost = [auction.bids(2), auction.bids(1)]
    for (const entry of lost) expect(await log.append([entry])).to.deep.equal(APPENDED)
    await primary.kill()
    await standby.start()
    await standby.promote()
    const next = auction.bids(1)
    expect(await log.append([next])).to.deep.equal([{ appended: false, head }])
    expect(await log.append([...lost, next])).to.deep.equal(Array(3).fill(APPENDED[0]))
    expect(await stored(log, auction.auctionId)).to.deep.equal(hashes([...kept, ...lost, next]))
  })
})
