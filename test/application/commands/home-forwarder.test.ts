import { expect } from 'chai'
import { HomeForwarder } from '../../../src/application/commands/home-forwarder.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
import { answerTo } from '../../../src/application/submissions/submission.js'
import { submitFailure } from '../../../src/application/submissions/submit-failure.js'
import { MAX_CLOCK_DIFFERENCE_MS } from '../../../src/domain/limits.js'
import type { RemoteCommand } from '../../../src/domain/remote-command.js'
import type { SubmitResult } from '../../../src/ports/mesh/home-messages.js'
import { PeerCallError } from '../../../src/ports/mesh/peer-call-error.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { silentLogger } from '../../support/silent-logger.js'

const ADDRESS = 'home:1'
const HOME = { nodeId: nodeIdOf('key'), publicKey: 'key', address: ADDRESS }
const BID: RemoteCommand = {
  type: 'PlaceBid',
  auctionId: 'auc_1',
  commandId: 'bid_00000001',
  kind: 'plain',
  amount: 100,
  bidder: { id: 'node_anna', name: 'Anna' },
}

function failed(code: string, info: { sent: boolean; answered: boolean }): PeerCallError {
  return new PeerCallError(code, code, { address: ADDRESS, ...info })
}

describe('what a forwarder says of commands that may have been carried out', () => {
  /** What becomes of one command when its attempts end like this, one after the other. */
  async function codeAfter(...attempts: (PeerCallError | SubmitResult)[]): Promise<string> {
    const time = new ManualTime()
    const left = [...attempts]
    const submit = async () => {
      const next = left.shift()
      if (next === undefined || next instanceof Error) throw next ?? new Error('one attempt too many')
      return { results: [next], receipt: { signedAt: 1, signature: 'signed' } }
    }
    const receiptKeeper = { keep: async () => {} }
    const verifier = { verify: () => true }
    const signer = { publicKey: 'key', sign: () => 'signed' }
    const deps = {
      peerClient: { submit },
      receiptKeeper,
      signer,
      verifier,
      clock: time,
      timers: time,
      logger: silentLogger,
    }
    const forwarder = new HomeForwarder(deps, () => HOME)
    const result = answerTo({ command: BID }, (submission) => forwarder.enqueue(submission))
    await settle()
    await time.advance(10_000)
    const settled = await result
    return settled.ok ? settled.outcome.status : settled.code
  }

  const LOST = failed('TIMEOUT', { sent: true, answered: false })
  const outcome = {
    status: 'accepted',
    commandId: 'bid_00000001',
    auctionId: 'auc_1',
    seq: 2,
    at: 1,
  } as const

  it('passes a refusal on where nothing else was sent', async () => {
    expect(await codeAfter(submitFailure('DISK_FULL', 'full'))).to.equal('DISK_FULL')
    expect(await codeAfter(failed('BUSY', { sent: true, answered: true }))).to.equal('BUSY')
    expect(await codeAfter(failed('REFUSED', { sent: false, answered: false }))).to.equal('HOME_UNREACHABLE')
  })

  it('passes an outcome on, whatever was lost before it', async () => {
    expect(await codeAfter(LOST, { ok: true, outcome })).to.equal('accepted')
  })

  it('takes no answer that is dated ahead of its own clock', async () => {
    const now = new ManualTime().now()
    const dated = (at: number): SubmitResult => ({ ok: true, outcome: { ...outcome, at } })
    expect(await codeAfter(dated(now + MAX_CLOCK_DIFFERENCE_MS))).to.equal('accepted')
    const late = dated(now + MAX_CLOCK_DIFFERENCE_MS + 60_000)
    expect(await codeAfter(late, late, late)).to.equal('OUTCOME_UNKNOWN')
  })

  it('does not say that nothing was done after a request that got no answer', async () => {
    expect(await codeAfter(LOST, submitFailure('DISK_FULL', 'full'))).to.equal('OUTCOME_UNKNOWN')
    expect(await codeAfter(LOST, failed('BUSY', { sent: true, answered: true }))).to.equal('OUTCOME_UNKNOWN')
    expect(await codeAfter(LOST, LOST, LOST)).to.equal('OUTCOME_UNKNOWN')
  })
})

describe('a forwarder with two requests under way', () => {
  it('sends no command of a lane before those of the same lane are answered, and keeps no other waiting', async () => {
    const time = new ManualTime()
    const sent: { ids: string[]; answer(): void }[] = []
    const submit = (_: string, commands: readonly RemoteCommand[]) =>
      new Promise<{ results: SubmitResult[]; receipt: null }>((resolve) => {
        const results = commands.map(() => submitFailure('BUSY', 'busy'))
        const ids = commands.map(({ commandId }) => commandId)
        sent.push({ ids, answer: () => resolve({ results, receipt: null }) })
      })
    const forwarder = new HomeForwarder(
      {
        peerClient: { submit },
        receiptKeeper: { keep: async () => {} },
        signer: { publicKey: 'key', sign: () => 'signed' },
        verifier: { verify: () => true },
        clock: time,
        timers: time,
        logger: silentLogger,
      },
      () => HOME,
    )
    const [one, other] = [{}, {}]
    const ask = async (commandId: string, lane?: object) => {
      forwarder.enqueue({ command: { ...BID, commandId }, lane, settle: () => {} })
      await settle()
    }
    await ask('bid_one-1', one)
    await ask('bid_other-1', other)
    await ask('bid_one-2', one)
    await ask('bid_one-3', one)
    await ask('bid_free')
    expect(sent.map(({ ids }) => ids)).to.deep.equal([['bid_one-1'], ['bid_other-1']])
    // The second is answered first: what is nobody's in particular goes, what has a command before it does not.
    sent[1]?.answer()
    await settle()
    expect(sent[2]?.ids).to.deep.equal(['bid_free'])
    sent[0]?.answer()
    await settle()
    expect(sent[3]?.ids).to.deep.equal(['bid_one-2', 'bid_one-3'])
    for (const { answer } of sent) answer()
    await settle()
    expect(forwarder.waiting).to.equal(0)
  })
})
