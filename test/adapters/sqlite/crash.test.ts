import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { openStore } from '../../../src/adapters/sqlite/open-store.js'
import { EVERYTHING } from '../../contract/store-harness.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { skipUnless } from '../../support/requires.js'
import { makeTempDir } from '../../support/temp-dir.js'

const CHILD = fileURLToPath(new URL('./append-process.js', import.meta.url))

describe('an SQLite store whose process fails', () => {
  let dir: ReturnType<typeof makeTempDir>

  beforeEach(() => {
    dir = makeTempDir()
  })

  afterEach(() => dir.remove())

  /** Runs the child until it ends; `until` may kill it. Returns what it printed, whole lines only. */
  async function run(command: string, args: string[], until: (line: string, kill: () => void) => void) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      until(line, () => child.kill('SIGKILL'))
    })
    const [code, signal] = await once(child, 'close')
    return { lines, code, signal }
  }

  async function expectAcknowledged(lines: readonly string[]) {
    const store = await openStore(dir.path)
    try {
      const acks = lines.flatMap((line) => {
        const [, position, auctionId, lastSeq, hash] = /^ack (\d+) (\S+) (\d+) ([0-9a-f]{64})$/.exec(line) ?? []
        return hash === undefined ? [] : { position: Number(position), auctionId, lastSeq: Number(lastSeq), hash }
      })
      const log = await store.eventLog.readAfter(0, { ...EVERYTHING, commits: 1_000_000 })
      expect(log.map(({ position }) => position)).to.deep.equal(log.map((_, i) => i + 1))
      for (const ack of acks) expect(log[ack.position - 1]).to.deep.include(ack)
      for (const { auctionId, seq, hash } of await store.eventLog.heads(null, 1_000)) {
        const last = log.findLast((commit) => commit.auctionId === auctionId)
        expect(last).to.deep.include({ lastSeq: seq, hash })
        const record = await store.auctions.find(auctionId)
        expect(record?.state.bidCount).to.equal(seq - 1)
        expect(await store.auctions.bids(auctionId, null, 1_000_000)).to.have.length(seq - 1)
      }
      return { store, acks }
    } catch (error) {
      await store.close()
      throw error
    }
  }

  it('has every acknowledged commit, and goes on, after kill -9 in the middle of appends', async () => {
    let before = 0
    for (let round = 1; round <= 3; round++) {
      let seen = 0
      const { lines, signal } = await run(process.execPath, [CHILD, dir.path, '7'], (_, kill) => {
        if (++seen === 150 * round) kill()
      })
      expect(signal).to.equal('SIGKILL')
      const { store, acks } = await expectAcknowledged(lines)
      expect(acks.length).to.be.at.least(150 * round)
      expect(await store.eventLog.position()).to.be.at.least(before + acks.length)
      before = await store.eventLog.append(new CommitBuilder({ tag: `after_${round}` }).open())
      await store.close()
    }
  })

  it('refuses everything from the first I/O error on, with what was acknowledged intact', async function () {
    skipUnless(this, process.platform !== 'win32', 'a file is kept from growing by ulimit, which Windows has not')
    // No file may grow past the limit: writing to the write-ahead log fails, and not for lack of space.
    const limited = ['-c', 'ulimit -f 4000 && exec "$0" "$@"', process.execPath, CHILD, dir.path, '40']
    const { lines, code } = await run('sh', limited, () => {})
    expect(code).to.equal(0)
    const ends = lines.filter((line) => !line.startsWith('ack'))
    expect(ends).to.deep.equal([
      ...new Array(6).fill('refused LOG_IO_ERROR'),
      'broken LOG_IO_ERROR',
      'again LOG_IO_ERROR',
    ])
    const { store, acks } = await expectAcknowledged(lines)
    expect(acks.length).to.be.greaterThan(12)
    await store.eventLog.append(new CommitBuilder({ tag: 'after' }).open())
    await store.close()
  })
})
