import { Writable } from 'node:stream'
import { expect } from 'chai'
import { Output } from '../../../../src/adapters/cli/render/output.js'
import { SyncWatch } from '../../../../src/adapters/cli/session/sync-watch.js'
import type { SyncStatus } from '../../../../src/ports/node/node-status.js'
import { eventually } from '../../../support/eventually.js'

const SYNCING: SyncStatus = {
  state: 'syncing',
  since: 0,
  done: 250_000,
  total: 1_000_000,
  eventsPerSecond: 100_000,
  msLeft: 7_500,
  refused: 0,
  refusedAuctions: [],
  doubtedAuctions: [],
}

describe('the watch on a sync', () => {
  /** Runs it while a node syncs and until it has; returns what was written. */
  async function watched(options: { terminal: boolean; json?: boolean }) {
    const written = { stdout: '', stderr: '' }
    const stream = (name: 'stdout' | 'stderr') =>
      Object.assign(
        new Writable({
          decodeStrings: false,
          write: (text: string, _, done) => {
            written[name] += text
            done()
          },
        }),
        { isTTY: options.terminal, columns: 120 },
      )
    const stderr = stream('stderr')
    const out = new Output(
      { stdout: stream('stdout'), stderr },
      { json: options.json ?? false, color: false, timeZone: 'UTC', now: () => 10_000 },
    )
    const ended = new AbortController()
    let looks = 0
    const node = {
      now: SYNCING,
      get sync() {
        looks += 1
        return this.now
      },
    }
    const watch = new SyncWatch(out, { terminal: stderr, lineIntervalMs: 60_000, signal: ended.signal })
    const running = watch.run(node)
    await eventually('it has looked while the node syncs', () => looks >= 3)
    node.now = { ...SYNCING, state: 'synced', done: 1_000_000 }
    const before = looks
    await eventually('it has looked since', () => looks >= before + 2)
    ended.abort()
    await running
    return written
  }

  it('draws a bar on a terminal, and takes it away at the end', async () => {
    const { stdout, stderr } = await watched({ terminal: true })
    expect(stderr).to.contain(
      '██████░░░░░░░░░░░░░░░░░░  25 %  syncing, 250,000 of 1,000,000 events, 100,000/s, 8 s left',
    )
    expect(stderr.endsWith('\r\u001b[K')).to.equal(true)
    expect(stdout).to.equal('synced 1,000,000 events\n')
  })

  it('says it in a line now and then elsewhere', async () => {
    const { stdout, stderr } = await watched({ terminal: false })
    expect(stdout).to.equal('syncing, 250,000 of 1,000,000 events, 100,000/s, 8 s left\nsynced 1,000,000 events\n')
    expect(stderr).to.equal('')
  })

  it('writes nothing where JSON was asked for', async () => {
    expect(await watched({ terminal: true, json: true })).to.deep.equal({ stdout: '', stderr: '' })
  })
})
