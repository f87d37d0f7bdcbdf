import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { openStore } from '../../src/adapters/sqlite/open-store.js'
import { readCommit } from '../../src/application/log/commit.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import type { Accepted } from '../../src/ports/store/outcome-repository.js'
import { NodeProcess } from '../support/node-process.js'
import { PowerLossDisk, powerLossObstacle } from '../support/power-loss.js'
import { skipUnless } from '../support/requires.js'
import { makeTempHome } from '../support/temp-home.js'

const WRITER = fileURLToPath(new URL('../adapters/sqlite/append-process.js', import.meta.url))
const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
const EVERYTHING = { commits: 1_000_000, bytes: Number.MAX_SAFE_INTEGER }
const TERMS = { title: 'EIO', currency: 'EUR', start: '1' }
/** Acknowledgements before each cut. The longest round is past the checkpoint that moves the log into the database. */
const CUTS = [0, 1, 40, 150, 4_000]

interface Ack {
  readonly position: number
  readonly auctionId: string
  readonly lastSeq: number
  readonly hash: string
}

describe('a store whose power fails', () => {
  let temp: ReturnType<typeof makeTempHome>
  let disk: PowerLossDisk

  before(function () {
    const obstacle = powerLossObstacle()
    skipUnless(this, obstacle === null, obstacle ?? '')
  })

  beforeEach(() => {
    temp = makeTempHome()
    disk = new PowerLossDisk(join(temp.home, 'data'))
  })

  afterEach(() => {
    disk.dispose()
    temp.remove()
  })

  /** Appends until so many are acknowledged and a random moment more has passed; then the power fails. */
  async function appendAndCut(acks: number, synchronous: 'FULL' | 'NORMAL'): Promise<Ack[]> {
    const child = spawn(process.execPath, [WRITER, disk.dir, '7', synchronous], {
      env: { ...process.env, ...disk.powerOn() },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const acknowledged: Ack[] = []
    const kill = () => setTimeout(() => child.kill('SIGKILL'), Math.random() * 40)
    if (acks === 0) kill()
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, position, auctionId = '', lastSeq, hash] = /^ack (\d+) (\S+) (\d+) (\S{64})$/.exec(line) ?? []
      if (hash === undefined) return
      acknowledged.push({ position: Number(position), auctionId, lastSeq: Number(lastSeq), hash })
      if (acknowledged.length === acks) kill()
    })
    const [, signal] = await once(child, 'close')
    expect(signal).to.equal('SIGKILL')
    disk.cut()
    return acknowledged
  }

  /** Opens what is left, which checks every page; returns the acknowledged commits that are not there. */
  async function lost(acks: readonly Ack[]): Promise<Ack[]> {
    const store = await openStore(disk.dir)
    try {
      const log = await store.eventLog.readAfter(0, EVERYTHING)
      expect(log.map(({ position }) => position)).to.deep.equal(log.map((_, i) => i + 1))
      const heads = new Map<string, string>()
      for (const commit of log) {
        expect(readCommit(commit).prevHash).to.equal(heads.get(commit.auctionId) ?? null)
        heads.set(commit.auctionId, commit.hash)
      }
      for (const { auctionId, seq, hash } of await store.eventLog.heads(null, 1_000)) {
        expect(hash).to.equal(heads.get(auctionId))
        expect((await store.auctions.find(auctionId))?.state.bidCount).to.equal(seq - 1)
        expect(await store.auctions.bids(auctionId, null, 1_000_000)).to.have.length(seq - 1)
      }
      return acks.filter(({ position, auctionId, lastSeq, hash }) => {
        const stored = log[position - 1]
        return stored?.auctionId !== auctionId || stored.lastSeq !== lastSeq || stored.hash !== hash
      })
    } finally {
      await store.close()
    }
  }

  it('has every acknowledged commit, whole and in its place, whenever the power fails', async () => {
    const all: Ack[] = []
    for (const acks of CUTS) {
      all.push(...(await appendAndCut(acks, 'FULL')))
      expect(await lost(all), `after ${acks} acknowledgements`).to.deep.equal([])
    }
    expect(all.length).to.be.at.least(CUTS.reduce((sum, acks) => sum + acks))
  })

  it('would lose acknowledged commits with synchronous=NORMAL, so that this test can fail', async () => {
    let missing: Ack[] = []
    // A checkpoint syncs too: a cut right behind one loses nothing.
    for (const acks of CUTS) {
      missing = await lost(await appendAndCut(acks, 'NORMAL'))
      if (missing.length > 0) break
    }
    expect(missing).to.not.deep.equal([])
  })
})

describe('a node whose disk fails', () => {
  let temp: ReturnType<typeof makeTempHome>
  let disk: PowerLossDisk

  before(function () {
    const obstacle = powerLossObstacle()
    skipUnless(this, obstacle === null, obstacle ?? '')
    temp = makeTempHome()
    disk = new PowerLossDisk(join(temp.home, 'nodes', 'failing'))
  })

  after(() => {
    disk?.dispose()
    temp?.remove()
  })

  it('acknowledges nothing more, stops with exit code 1 and what to do, and has all the rest afterwards', async () => {
    const options = { home: temp.home, name: 'failing', args: FREE_PORTS }
    const node = await NodeProcess.start({ ...options, env: disk.powerOn() })
    const identity = (await node.api.status()).node.nodeId
    const acknowledged: Accepted[] = []
    let failing = false
    let asked = 0

    const seller = async () => {
      while (true) {
        const commandId = `cmd_eio${String(++asked).padStart(6, '0')}`
        const sentAfterFailure = failing
        try {
          const { outcome } = await node.api.open({ commandId, ...TERMS })
          expect(sentAfterFailure, 'something was acknowledged without a disk').to.equal(false)
          if (outcome.status === 'accepted') acknowledged.push(outcome)
        } catch (error) {
          if (!(error instanceof NodeError)) throw error
          expect(error.code).to.be.oneOf(['OUTCOME_UNKNOWN', 'STOPPING', 'NODE_UNREACHABLE'])
          return
        }
        if (acknowledged.length === 200) {
          failing = true
          disk.failSyncs(true)
        }
      }
    }
    const exited = node.exited
    await Promise.all(Array.from({ length: 16 }, seller))
    expect(await exited).to.equal(1)
    expect(node.output).to.match(/the node has to stop: .*check the disk/)
    await node.end()

    disk.failSyncs(false)
    disk.cut()
    expect(existsSync(join(disk.dir, 'node.key'))).to.equal(true)
    await node.start()
    try {
      expect((await node.api.status()).node.nodeId).to.equal(identity)
      expect(acknowledged.length).to.be.at.least(200)
      for (const { commandId, auctionId } of acknowledged) {
        // Asking again tells what was decided then, and does nothing twice.
        const { outcome } = await node.api.open({ commandId, ...TERMS })
        expect(outcome).to.deep.include({ status: 'accepted', auctionId })
        expect((await node.api.show({ auction: auctionId })).head.seq).to.equal(1)
      }
    } finally {
      await node.end()
    }
  })
})
