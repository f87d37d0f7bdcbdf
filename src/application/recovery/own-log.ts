import { type Auction, type OpenedAuction, UNOPENED } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Head } from '../../domain/commit.js'
import { evolve } from '../../domain/evolve.js'
import type { Secrets } from '../../domain/pricing.js'
import type { MandateChecker } from '../../ports/mesh/mandate-checker.js'
import type { SecretRepository } from '../../ports/store/auction-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { type Committed, KeptBeside } from '../log/kept-beside.js'
import { readBodyAgain } from '../log/written-body.js'
import type { PlacedCommit } from '../proof/export-format.js'
import { verifyLog } from '../proof/verify-log.js'
import { loggedOutcome } from '../submissions/logged-outcome.js'

export interface OwnLogDeps {
  readonly eventLog: Pick<EventLog, 'read'>
  readonly secrets: SecretRepository
  readonly mandateChecker: MandateChecker
  readonly verifier: SignatureVerifier
}

/** What is known of an auction from its log, and from what is left of its home's secrets. */
export interface OwnLog {
  readonly head: Head
  readonly state: OpenedAuction
  readonly secrets: Secrets
  readonly isReserveLost: boolean
  /** Maxima that are lost, in the order of the log. */
  readonly lost: readonly Committed[]
  /** Of the commands that the log carries out. */
  readonly outcomes: readonly RecordedOutcome[]
}

const PAGE = { commits: 256, bytes: 1024 * 1024 }

/**
 * Proves a log of this node's own once more, with every signature and mandate, and reads from it what its home needs.
 * Resolves with the rule that it breaks, where it does.
 */
export async function readOwnLog(deps: OwnLogDeps, auctionId: string): Promise<OwnLog | string> {
  const verified = await verifyLog(commitsOf(deps, auctionId), deps, { allSignatures: true })
  if (!verified.valid) return verified.finding.rule
  const { headHash, state } = verified.summary
  const sealed = new Map<string, SealedMaximum>()
  for (const one of await deps.secrets.sealed(auctionId, state.bidCount + 1)) sealed.set(one.bidId, one)
  const kept = await deps.secrets.secrets(auctionId)
  const beside = new KeptBeside(auctionId)
  const outcomes: RecordedOutcome[] = []
  let at: Auction = UNOPENED
  for await (const { commit } of commitsOf(deps, auctionId))
    for (const event of readBodyAgain(commit.body).events) {
      beside.take(event)
      at = evolve(at, event)
      const maximum = 'bidId' in event ? sealed.get(event.bidId) : undefined
      const recorded = loggedOutcome(event, auctionId, at.seq, at as OpenedAuction, maximum)
      if (recorded !== null) outcomes.push(recorded)
    }
  const isReserveLost = !beside.isReserve(kept?.reserve ?? null)
  const lost = beside.missing(sealed)
  // One that is not what was committed to is none.
  for (const { bidId } of lost) sealed.delete(bidId)
  return {
    head: { seq: state.seq, hash: headHash },
    state,
    secrets: {
      reserve: isReserveLost ? null : (kept?.reserve ?? null),
      leaderMax: beside.leaderMaxWithout(sealed),
    },
    isReserveLost,
    lost,
    outcomes,
  }
}

async function* commitsOf({ eventLog }: Pick<OwnLogDeps, 'eventLog'>, auctionId: string): AsyncGenerator<PlacedCommit> {
  for (let seq = 1; ; ) {
    const page = await eventLog.read(auctionId, seq, PAGE)
    for (const commit of page) yield { commit, place: null }
    const last = page.at(-1)
    if (last === undefined) return
    seq = last.lastSeq + 1
  }
}
