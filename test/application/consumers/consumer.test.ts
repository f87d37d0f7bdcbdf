import { generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { sqliteDialect } from '../../../src/adapters/sql/sql-database.js'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { statProjection } from '../../../src/application/analytics/stat-projection.js'
import { checkpointText, sealCommit } from '../../../src/application/log/commit.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
import type { Commit } from '../../../src/domain/commit.js'
import { auctionBuilder, seededCommits } from '../../support/consumers/auction-commits.js'
import { ConsumerHouse, factsOf, keysOfFacts, keysOfRows } from '../../support/consumers/consumer-house.js'
import { MemoryLogs } from '../../support/consumers/memory-logs.js'
import { settle } from '../../support/manual-time.js'
import { makeTempDir } from '../../support/temp-dir.js'

describe('a consumer of auctions’ events', () => {
  let house: ConsumerHouse
  let remove: () => void
  beforeEach(() => {
    const dir = makeTempDir()
    remove = dir.remove
    house = new ConsumerHouse(sqliteDialect(join(dir.path, 'stats.db')))
  })
  afterEach(async () => {
    await house.dispose()
    remove()
  })

  const keys = async () => keysOfRows(await house.rows())
  /** The database needs turns of the event loop for what falls due. */
  const seconds = async (count: number) => {
    for (let i = 0; i < 20; i++) {
      await house.time.advance(count * 50)
      await settle(40)
    }
  }

  it('processes the events that are there, and then new ones', async () => {
    const commits = seededCommits('follow', 7)
    house.logs.add(...commits.slice(0, 20))
    const consumer = house.consumer()
    consumer.start()
    await seconds(2)
    expect(consumer.status()).to.include({ state: 'following', behind: 0, lagMs: 0, generation: 1 })
    expect(await keys()).to.deep.equal(keysOfFacts(factsOf(commits.slice(0, 20))))
    house.logs.add(...commits.slice(20))
    expect(consumer.status().behind).to.be.greaterThan(0)
    await seconds(1)
    expect(await keys()).to.deep.equal(keysOfFacts(factsOf(commits)))
    expect(consumer.status()).to.include({ state: 'following', behind: 0, lagMs: 0 })
    await consumer.stop()
  })

  it('processes events together that come within a moment', async () => {
    const builder = auctionBuilder()
    house.logs.add(builder.open().commit)
    const consumer = house.consumer()
    consumer.start()
    await seconds(1)
    const before = house.logs.reads
    for (let i = 0; i < 9; i++) house.logs.add(builder.bids(1).commit)
    await seconds(1)
    expect(house.logs.reads - before, 'three pages of three, and the end').to.equal(4)
    await consumer.stop()
  })

  it('waits while another instance is at work, and goes on when that stops', async () => {
    house.logs.add(...seededCommits('two', 3))
    const [first, second] = [house.consumer({ holder: 'first' }), house.consumer({ holder: 'second' })]
    first.start()
    await seconds(1)
    second.start()
    await seconds(60)
    expect(second.status()).to.include({ state: 'waiting', heldBy: 'first' })
    await first.stop()
    await seconds(2)
    expect(second.status()).to.include({ state: 'following', heldBy: null })
    await second.stop()
  })

  it('takes over from one that has died, and not from one that lives', async () => {
    house.logs.add(...seededCommits('dead', 3))
    const store = house.store()
    await store.open()
    await store.begin(statProjection.version)
    const [generation] = await store.generations()
    if (generation === undefined) throw new Error('it was begun')
    await store.claim(generation, 'dead')
    const consumer = house.consumer({ holder: 'heir' })
    consumer.start()
    await seconds(4)
    expect(consumer.status()).to.include({ state: 'waiting', heldBy: 'dead' })
    await seconds(3)
    expect(consumer.status()).to.include({ state: 'following' })
    await consumer.stop()
  })

  it('goes on after the node that it reads from was away', async () => {
    const commits = seededCommits('away', 5)
    house.logs.add(...commits.slice(0, 10))
    const consumer = house.consumer()
    consumer.start()
    await seconds(1)
    house.logs.lose(new Error('the node is away'))
    await seconds(0)
    expect(consumer.status()).to.include({ state: 'failing', error: 'the node is away' })
    // Nobody says so.
    house.logs.add(...commits.slice(10))
    await seconds(3)
    expect(consumer.status()).to.include({ state: 'following', error: null })
    expect(await keys()).to.deep.equal(keysOfFacts(factsOf(commits)))
    await consumer.stop()
  })

  it('rebuilds its rows beside the live ones, which are kept up to date meanwhile', async () => {
    const commits = seededCommits('rebuild', 6)
    house.logs.add(...commits.slice(0, -5))
    const live = house.consumer({ holder: 'live' })
    live.start()
    await seconds(1)
    const progress: number[] = []
    await house.passing(house.consumer({ stepEvents: 10 }).rebuild(({ done }) => progress.push(done)))
    expect(progress.length).to.be.greaterThan(3)
    house.logs.add(...commits.slice(-5))
    await seconds(10)
    expect(live.status()).to.include({ state: 'following', generation: 2 })
    expect(await keys()).to.deep.equal(keysOfFacts(factsOf(commits)))
    expect(await house.generationsWithRows()).to.deep.equal([2])
    await live.stop()
  })

  it('rebuilds its rows if an older version has made them, and leaves alone what a newer one has made', async () => {
    house.logs.add(...seededCommits('versions', 3))
    await house.passing(house.consumer().catchUp())
    const newer = house.consumer({}, { projection: { ...statProjection, version: 2 } })
    await house.passing(newer.catchUp())
    const [{ number, version, state } = { number: 0, version: 0, state: '' }] = await house.store().generations()
    expect({ number, version, state }).to.deep.equal({ number: 2, version: 2, state: 'live' })
    const older = house.consumer()
    older.start()
    await seconds(1)
    expect(older.status().state).to.equal('failing')
    expect(older.status().error).to.contain('newer Vendue')
    await older.stop()
  })

  describe('if a commit does not fit', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const signerKey = publicKey.export({ format: 'jwk' }).x as string
    const signed = (commit: Commit): Commit => ({
      ...commit,
      signature: sign(null, Buffer.from(checkpointText(commit)), privateKey).toString('base64url'),
    })
    const builderOf = (tag = 'stopped') => auctionBuilder({ tag, signerKey, homeNodeId: nodeIdOf(signerKey) })
    const verifier = new Ed25519Verifier()

    async function stoppedBy(more: (logs: MemoryLogs, history: Commit[]) => void) {
      const builder = builderOf()
      const history = [builder.open(), builder.bids(2), builder.bids(1)].map(({ commit }) => signed(commit))
      house.logs.add(...history)
      await house.passing(house.consumer({}, { verifier }).catchUp())
      const before = await house.rows()
      const logs = new MemoryLogs()
      more(logs, history)
      const consumer = house.consumer({}, { verifier, logs })
      consumer.start()
      await seconds(2)
      expect(consumer.status().state).to.equal('following')
      expect(await house.rows(), 'nothing of it was taken in').to.deep.equal(before)
      const others = [builderOf('before').open(), builderOf('behind').open()].map(({ commit }) => signed(commit))
      logs.add(...others)
      const count = (await keys()).length
      await seconds(2)
      expect(await keys(), 'the others go on').to.have.length(count + 2)
      await consumer.stop()
      const [misfit] = await house.store().misfits(1)
      return { stopped: consumer.status().stopped[0], misfit, history, others }
    }

    it('stops that auction alone, with two signed checkpoints of the home that contradict each other', async () => {
      const { stopped, misfit, history } = await stoppedBy((logs, [opening, second]) => {
        logs.add(opening as Commit, second as Commit)
        const other = forkOf([opening as Commit, second as Commit])
        logs.add(other)
      })
      expect(stopped?.rule).to.equal('it is not the commit that was there before')
      expect(misfit?.isSigned).to.equal(true)
      const cursor = misfit?.cursor
      if (!misfit || !cursor) throw new Error('both are shown')
      expect(cursor.head.hash).to.equal(history[2]?.hash)
      const checkpoint = { auctionId: misfit.auctionId, lastSeq: cursor.head.seq, hash: cursor.head.hash }
      expect(verifier.verify(checkpointText(checkpoint), cursor.signature, cursor.signer)).to.equal(true)
      expect(verifier.verify(checkpointText(misfit.commit), misfit.commit.signature, cursor.signer)).to.equal(true)
      expect(misfit.commit.lastSeq).to.equal(cursor.head.seq)
      expect(misfit.commit.hash).not.to.equal(cursor.head.hash)
    })

    it('stops that auction at a commit that follows another one than was there before', async () => {
      const { stopped } = await stoppedBy((logs, [opening, second]) => {
        const other = forkOf([opening as Commit, second as Commit])
        logs.add(opening as Commit, second as Commit, other, forkOf([opening as Commit, second as Commit, other]))
      })
      expect(stopped?.rule).to.equal('it does not follow the commit before it')
    })

    it('stops that auction at a commit that its home has not signed', async () => {
      const { misfit } = await stoppedBy((logs, history) => {
        logs.add(...history, { ...forkOf(history), signature: history[0]?.signature ?? '' })
      })
      expect(misfit?.rule).to.equal('the signature is not its author’s')
      expect(misfit?.isSigned).to.equal(false)
    })

    it('stops that auction at a commit whose text was changed', async () => {
      const { misfit } = await stoppedBy((logs, history) => {
        const next = forkOf(history)
        logs.add(...history, { ...next, body: next.body.replace('Carol', 'Darol') })
      })
      expect(misfit?.rule).to.equal('the hash is not the body’s')
    })

    it('goes on once the log is whole again', async () => {
      const { history, others } = await stoppedBy((logs, commits) => {
        const next = forkOf(commits)
        logs.add(...commits, { ...next, body: next.body.replace('Carol', 'Darol') })
      })
      const logs = new MemoryLogs()
      logs.add(...others, ...history, forkOf(history))
      await house.passing(house.consumer({}, { verifier, logs }).catchUp())
      expect(await house.store().misfits(1)).to.deep.equal([])
      expect(await keys()).to.have.length(7)
    })

    /** What else the home could have written on top of these. */
    function forkOf(commits: readonly Commit[]): Commit {
      const last = commits.at(-1) as Commit
      const facts = factsOf(commits)
      const price = Math.max(...facts.map((fact) => (fact.kind === 'bid' ? fact.bid.price : 0)))
      const at = Math.max(...facts.map((fact) => fact.at)) + 1
      const bidder = { id: 'node_carol', name: 'Carol' }
      const event = { type: 'BidPlaced', at, bidId: `bid_fork_${last.lastSeq}`, bidder, amount: price + 500 } as const
      return signed(
        sealCommit(
          {
            auctionId: last.auctionId,
            firstSeq: last.lastSeq + 1,
            prevHash: last.hash,
            events: [{ ...event, commitment: null, price: price + 500, leads: true, reserveMet: true }],
          },
          { publicKey: signerKey, sign: () => '' },
        ),
      )
    }
  })
})
