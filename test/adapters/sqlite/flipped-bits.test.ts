import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { openStore } from '../../../src/adapters/sqlite/open-store.js'
import { SqliteAuctionRepository } from '../../../src/adapters/sqlite/sqlite-auction-repository.js'
import { SqliteAutoBidRepository } from '../../../src/adapters/sqlite/sqlite-auto-bid-repository.js'
import { openWriteConnection } from '../../../src/adapters/sqlite/sqlite-connection.js'
import { SqliteEventLog } from '../../../src/adapters/sqlite/sqlite-event-log.js'
import { SqliteOutcomeRepository } from '../../../src/adapters/sqlite/sqlite-outcome-repository.js'
import { SqliteReader } from '../../../src/adapters/sqlite/sqlite-reader.js'
import { SqliteSecretRepository } from '../../../src/adapters/sqlite/sqlite-secret-repository.js'
import type { SqliteWriter } from '../../../src/adapters/sqlite/sqlite-writer.js'
import { faultOfOwnLog } from '../../../src/application/home/own-log-check.js'
import { answerTo } from '../../../src/application/submissions/submission.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { Store } from '../../../src/ports/store/store.js'
import { SeededRandom } from '../../sim/seeded-random.js'
import { ManualTime } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'
import { makeTempDir } from '../../support/temp-dir.js'

const FLIPS = 400
const SEED = 'flipped bits'
const NO_WRITER = {} as SqliteWriter

describe('one flipped bit in the database of a node', () => {
  const dir = makeTempDir()
  let file: Buffer
  let nodeId: string
  const auctionIds: string[] = []
  const bidIds: string[] = []
  const refusedIds: string[] = []
  const replicaIds: string[] = []

  before(async () => {
    const store = await openStore(dir.path)
    const time = new ManualTime()
    const node = await new MemoryNode({ name: 'home', network: new MemoryNetwork(), time, store }).start()
    nodeId = node.info.nodeId
    for (let i = 0; i < 4; i++) {
      const { outcome } = await node.api.open({
        commandId: `cmd_flip0000${i}`,
        title: `Lot ${i}`,
        currency: 'EUR',
        start: '10',
        increment: '1',
        reserve: '20',
        buyNow: '900',
        closesInMs: 3_600_000,
      })
      auctionIds.push(outcome.auctionId)
      for (let k = 0; k < 12; k++) await bid(node, outcome.auctionId, i, k)
    }
    for (let k = 0; k < 6; k++) await refused(node, auctionIds[k % 4] as string, k)
    await node.stop()
    await copyOfAnother(store, time)
    await store.close()
    file = readFileSync(join(dir.path, 'vendue.db'))
  })

  after(() => dir.remove())

  /** What is kept of a bid that was refused stands in no log. */
  async function refused(node: MemoryNode, auctionId: string, k: number): Promise<void> {
    const commandId = `bid_refused000000${k}`
    const bidder = { id: 'guest_low', name: 'Low' }
    const house = node.services.parts.auctionHouse
    const command = { type: 'PlaceBid', auctionId, commandId, bidder, kind: 'plain', amount: 1_000 } as const
    const result = await answerTo({ command }, (submission) => house.enqueue(submission))
    expect(result.ok && result.outcome.status).to.equal('rejected')
    refusedIds.push(commandId)
  }

  /** Copies of another node's auctions, and orders to bid on them. */
  async function copyOfAnother(store: Store, time: ManualTime): Promise<void> {
    const written: Append[] = []
    const theirs = openMemoryStore({
      beforeAppend: (entry) => {
        written.push(entry)
      },
    })
    const other = await new MemoryNode({
      name: 'other',
      network: new MemoryNetwork(),
      time,
      store: theirs,
    }).start()
    for (let i = 0; i < 4; i++) {
      const { outcome } = await other.api.open({
        commandId: `cmd_other000${i}`,
        title: `Their lot ${i}`,
        currency: 'EUR',
        start: '10',
        increment: '1',
        closesInMs: 3_600_000,
      })
      replicaIds.push(outcome.auctionId)
      const autoBid = { auctionId: outcome.auctionId, limit: 7_000 + i, state: 'active' as const }
      await store.autoBids.save({ ...autoBid, refusal: null, pending: null, updatedAt: time.now() })
    }
    other.crash()
    for (const { commit, prevHash, events, state } of written)
      await store.eventLog.append({ commit, prevHash, events, state })
  }

  async function bid(node: MemoryNode, auctionId: string, i: number, k: number): Promise<void> {
    const commandId = `bid_flip${i}000${String(k).padStart(4, '0')}`
    const bidder = { id: `guest_${k % 3}`, name: `Guest ${k % 3}` }
    const base = { type: 'PlaceBid', auctionId, commandId, bidder, amount: 5_000 + 300 * k } as const
    const command =
      k % 2 === 0 ? ({ ...base, kind: 'plain' } as const) : { ...base, kind: 'max' as const, salt: 'ab'.repeat(16) }
    const result = await answerTo({ command }, (submission) => node.services.parts.auctionHouse.enqueue(submission))
    expect(result.ok && result.outcome.status, JSON.stringify(result)).to.equal('accepted')
    bidIds.push(commandId)
  }

  /** All that the node acts on; rejects where it notices damage. */
  async function actedOn(path: string): Promise<unknown> {
    openWriteConnection(path).close()
    const reader = new SqliteReader(path)
    try {
      const auctions = new SqliteAuctionRepository({ reader })
      const secrets = new SqliteSecretRepository({ reader })
      const outcomes = new SqliteOutcomeRepository({ writer: NO_WRITER, reader })
      const eventLog = new SqliteEventLog({ writer: NO_WRITER, reader })
      const loaded = []
      for (const auctionId of auctionIds) {
        const record = await auctions.find(auctionId)
        if (record === null) throw new Error('an auction is gone')
        const own = await secrets.secrets(auctionId)
        if (own === null) throw new Error('its secrets are gone')
        const whole = { ...record, secrets: own }
        const fault = await faultOfOwnLog({ eventLog, outcomes, secrets }, whole)
        if (fault !== null) throw new Error(fault)
        loaded.push(whole, await secrets.sealed(auctionId, 100))
      }
      return [
        loaded,
        await auctions.due(nodeId),
        await auctions.unrevealed(nodeId),
        await outcomes.find([...bidIds, ...refusedIds]),
        await Promise.all(replicaIds.map((id) => auctions.find(id))),
        await new SqliteAutoBidRepository({ writer: NO_WRITER, reader }).list(),
      ]
    } finally {
      reader.close()
    }
  }

  for (const [what, sql] of [
    ["a maximum that is somebody else's", "UPDATE sealed_maxima SET bidder_id = 'guest_9' WHERE bid_id = @bidId"],
    ['an answer for a bid of another auction', 'UPDATE outcomes SET event = @other WHERE command_id = @bidId'],
    ['an answer for a bid that is nowhere', 'UPDATE outcomes SET event = 1 WHERE command_id = @bidId'],
  ] as const) {
    it(`is noticed where it makes ${what}`, async () => {
      const path = join(dir.path, 'damaged.db')
      for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
      copyFileSync(join(dir.path, 'vendue.db'), path)
      await actedOn(path)
      const db = new Database(path)
      const other = db.prepare("SELECT event FROM outcomes WHERE command_id LIKE 'bid_flip1%'").pluck().get()
      const { changes } = db.prepare(sql).run({ bidId: bidIds[1], other })
      db.close()
      expect(changes).to.equal(1)
      const error = await actedOn(path).then(
        () => null,
        (cause: Error) => cause.message,
      )
      expect(error).to.include(`bid ${bidIds[1]} `)
    })
  }

  it(`is noticed, or changes nothing that the node acts on: ${FLIPS} flips`, async () => {
    const path = join(dir.path, 'flipped.db')
    copyFileSync(join(dir.path, 'vendue.db'), path)
    const truth = await actedOn(path)
    const random = new SeededRandom(SEED)
    const silent: string[] = []
    let noticed = 0
    for (let flip = 0; flip < FLIPS; flip++) {
      const at = random.int(0, file.length - 1)
      const bit = random.int(0, 7)
      const damaged = Buffer.from(file)
      damaged[at] = (damaged[at] as number) ^ (1 << bit)
      for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
      writeFileSync(path, damaged)
      try {
        if (!isDeepStrictEqual(await actedOn(path), truth)) silent.push(`byte ${at}, bit ${bit}`)
      } catch {
        noticed++
      }
    }
    expect(silent).to.deep.equal([])
    expect(noticed).to.be.above(FLIPS / 20)
  })
})
