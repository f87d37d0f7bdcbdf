import { checkpointText, hashOf } from '../../src/application/log/commit.js'
import { readBody } from '../../src/application/log/commit-body.js'
import { auctionIdOf, nodeIdOf } from '../../src/application/log/ids.js'
import type { OpenedAuction } from '../../src/domain/auction.js'
import type { Commit } from '../../src/domain/commit.js'
import type { AuctionEvent, AuctionExtended, AuctionOpened, AuctionTakenOver } from '../../src/domain/events.js'
import type { Home } from '../../src/domain/party.js'
import type { RemoteCommand } from '../../src/domain/remote-command.js'
import type { SubmitResult } from '../../src/ports/mesh/home-messages.js'
import type { Breach } from '../../src/ports/store/breach-repository.js'
import type { Append } from '../../src/ports/store/event-log.js'
import type { Outcome } from '../../src/ports/store/outcome-repository.js'
import type { SignatureVerifier } from '../../src/ports/system/signer.js'
import type { Machine } from './machine.js'

/** What the home of an auction has stored for good: what everybody else's copy has to agree with. */
export interface Line {
  readonly auctionId: string
  /** Who writes it now. */
  home: Home
  /** By first seq; `author`: its home as it was written. */
  readonly commits: Map<number, LoggedCommit>
  /** The key of the cluster whose log decides; null: what the home stores does. */
  cluster: string | null
  /** Whether a cluster's log has ever decided. */
  wasShared: boolean
  readonly events: AuctionEvent[]
  readonly bidIds: Set<string>
  head: { seq: number; hash: string }
  price: number
  /** Of the soft close. */
  readonly windowMs: number
  readonly opensAt: number
  readonly hardStopAt: number
  /** When the newest takeover was. */
  takenAt: number | null
  closesAt: number | null
  readonly givesTimeBack: boolean
  /** When the last event happened. */
  at: number
  over: 'closed' | 'cancelled' | null
}

interface LoggedCommit {
  readonly commit: Commit
  readonly author: Home
  /** Whether somebody has it, or has been answered that it is stored. */
  isHeld: boolean
}

/** How close to the end a takeover moves it where there is no soft close. */
const TAKEOVER_WINDOW_MS = 60_000

/** Between two beats of a home. */
const HEARTBEAT_MS = 1_500

interface Answer {
  readonly homeId: string
  readonly content: string
  readonly outcome: Outcome
}

/**
 * Watches every store and every answer of a simulated mesh, and knows what must never be. It shares no rule with the
 * product: what it says about an auction it has worked out from the bodies of the commits alone.
 */
export class Checker {
  readonly lines = new Map<string, Line>()
  /** The first broken invariant. */
  violation: string | null = null
  readonly #verifier: SignatureVerifier
  /** By machine, then auction: the seq up to which its store has got. */
  readonly #heads = new Map<string, Map<string, number>>()
  readonly #headsBefore = new Map<string, Map<string, number>>()
  /** By home and command id. */
  readonly #answers = new Map<string, Answer>()
  readonly #reused = new Set<string>()
  /** Bids of which somebody was told that nothing has been done. */
  readonly #undone = new Set<string>()
  /** Bids whose request the network may have delivered once more than anybody knows. */
  readonly #doubled = new Set<string>()
  readonly #userBids = new Set<string>()
  readonly #limits = new Map<string, number>()
  /** By node: when its machine's clock said that it was down, as long as that clock was not set. */
  readonly #downtimes = new Map<string, { from: number; until: number }[]>()
  readonly #clocksSet = new Set<string>()
  readonly #ended = new Map<string, { now: number; offsetMs: number }>()
  acknowledged = 0

  constructor(verifier: SignatureVerifier) {
    this.#verifier = verifier
  }

  #must(holds: boolean, invariant: string, detail: () => string): void {
    if (!holds) this.violation ??= `${invariant}: ${detail()}`
  }

  /** A commit became visible in a machine's store. */
  stored(machine: Machine, { commit, events }: Append): void {
    if (machine.clock.offsetMs !== machine.clock.firstOffsetMs) this.#clocksSet.add(machine.nodeId)
    const { auctionId, firstSeq, lastSeq } = commit
    const where = () => `${machine.name} stored ${auctionId}#${firstSeq}-${lastSeq} (${commit.hash.slice(0, 8)})`
    const heads = this.#heads.get(machine.name) ?? new Map<string, number>()
    this.#heads.set(machine.name, heads)
    const seq = heads.get(auctionId) ?? 0
    this.#must(firstSeq === seq + 1, 'one event per seq, without gaps', () => `${where()} after seq ${seq}`)
    heads.set(auctionId, lastSeq)

    const line = this.lines.get(auctionId) ?? this.#newLine(auctionId, events[0])
    if (line === null) {
      this.#must(false, 'a log begins with its opening', where)
      return
    }
    const known = line.commits.get(firstSeq)
    const author = known?.author ?? authorOf(line, events)
    this.#must(this.#verifies(commit, author, known?.commit), 'every store holds only commits that verify', where)
    if (known !== undefined) {
      known.isHeld = true
      this.#must(
        known.commit.hash === commit.hash,
        'no forks',
        () => `${where()}, its home ${known.commit.hash.slice(0, 8)}`,
      )
    } else if (line.cluster === null && machine.nodeId === line.home.nodeId) {
      this.lines.set(auctionId, line)
      this.#extend(line, commit, where)
    } else {
      this.#must(false, 'replicas are prefixes of the home', () => `${where()}, which its home has not`)
    }
    for (const event of events)
      if (event.type === 'AuctionHandedOver' && event.to.nodeId === machine.nodeId) this.#takesOver(machine, auctionId)
  }

  /** The log of a cluster has stored a commit, or has it again. */
  logged({ commit, events }: Append): void {
    const { auctionId, firstSeq, lastSeq } = commit
    const where = () => `the log stored ${auctionId}#${firstSeq}-${lastSeq} (${commit.hash.slice(0, 8)})`
    const line = this.lines.get(auctionId) ?? this.#newLine(auctionId, events[0])
    if (line === null) {
      this.#must(false, 'a log begins with its opening', where)
      return
    }
    const known = line.commits.get(firstSeq)
    if (known !== undefined) {
      const isSame = known.commit.hash === commit.hash
      this.#must(isSame, 'no forks', () => `${where()}, and before that ${known.commit.hash.slice(0, 8)}`)
      return
    }
    this.#must(this.#verifies(commit, authorOf(line, events), undefined), 'the log holds only what verifies', where)
    this.lines.set(auctionId, line)
    this.#extend(line, commit, where)
  }

  /** A node has heard that the log of its cluster has the commit. */
  answeredByLog({ auctionId, firstSeq }: Commit): void {
    const known = this.lines.get(auctionId)?.commits.get(firstSeq)
    if (known !== undefined) known.isHeld = true
  }

  /**
   * What the log has lost, and nobody holds or has heard of, has never been. Commits that somebody holds come back; a
   * refusal stands in none, and may be forgotten.
   */
  logLost(seqIn: (auctionId: string) => number): void {
    for (const [key, { outcome }] of this.#answers)
      if (outcome.status === 'rejected' && this.lines.get(outcome.auctionId)?.wasShared) this.#answers.delete(key)
    for (const [auctionId, line] of this.lines) {
      if (line.cluster === null) continue
      const kept: LoggedCommit[] = []
      for (const one of line.commits.values()) if (one.isHeld || one.commit.lastSeq <= seqIn(auctionId)) kept.push(one)
      const last = kept.at(-1)?.commit.lastSeq ?? 0
      if (last === line.head.seq) continue
      this.lines.delete(auctionId)
      const [first] = kept
      const again = first && this.#newLine(auctionId, readBody(first.commit.body).events[0])
      if (!again) continue
      this.lines.set(auctionId, again)
      for (const { commit, isHeld } of [...line.commits.values()].filter(({ commit }) => commit.lastSeq <= last)) {
        this.#extend(again, commit, () => `${auctionId}#${commit.firstSeq}, read again`)
        if (isHeld) this.answeredByLog(commit)
      }
    }
  }

  /** A machine has raised an alarm by its receipts. */
  breached(machine: Machine, { auctionId, rule }: Breach): void {
    this.#must(false, 'homes keep to their receipts', () => `${machine.name} finds in ${auctionId}: ${rule}`)
  }

  /** A home tells every outcome that the homes before it have told. */
  #takesOver(machine: Machine, auctionId: string): void {
    // While a store reads its disk the machine has none yet; `started` looks then.
    const { store } = machine
    // What a cluster's nodes know beside an auction's log lies in the log that they share.
    if (!store || this.lines.get(auctionId)?.wasShared) return
    for (const { outcome } of this.#answers.values()) {
      if (outcome.auctionId !== auctionId || this.#reused.has(outcome.commandId)) continue
      const kept = store.tables.outcomes.get(outcome.commandId)?.outcome
      this.#must(
        kept !== undefined && sameOutcome(kept, outcome),
        'a new home knows every outcome',
        () =>
          `${machine.name} becomes the home of ${auctionId} and knows ${JSON.stringify(kept)} of ${JSON.stringify(outcome)}`,
      )
    }
  }

  /** The node on a machine found what its disk had kept. */
  started(machine: Machine): void {
    this.#noteDowntime(machine)
    const heads = this.#heads.get(machine.name) ?? new Map<string, number>()
    for (const [auctionId, seq] of this.#headsBefore.get(machine.name) ?? []) {
      this.#must(
        (heads.get(auctionId) ?? 0) >= seq,
        'an acknowledged event is never lost',
        () => `${machine.name} had ${auctionId} up to seq ${seq}, and now up to ${heads.get(auctionId) ?? 0}`,
      )
    }
    const outcomes = machine.store?.tables.outcomes
    for (const { homeId, outcome } of this.#answers.values()) {
      const wrote = this.#authorOf(outcome, homeId) === machine.nodeId
      const auction = machine.store?.tables.auctions.get(outcome.auctionId)
      if (!wrote && auction?.state.home.nodeId !== machine.nodeId) continue
      if (this.lines.get(outcome.auctionId)?.wasShared) continue
      // Of two commands with one id that are refused at the same moment, the home keeps one refusal; of two with one
      // id at two homes, the one that comes to have both auctions keeps the first that it heard of.
      if (this.#reused.has(outcome.commandId) && (outcome.status === 'rejected' || !wrote)) continue
      const kept = outcomes?.get(outcome.commandId)?.outcome
      // Refused once it was over: whoever asks again is refused for the same reason, and nothing need be kept for it.
      if (kept === undefined && outcome.status === 'rejected' && auction !== undefined) {
        const overAt = endOf(auction.state)
        if (overAt !== null && outcome.at >= overAt) continue
      }
      this.#must(
        kept !== undefined && sameOutcome(kept, outcome),
        'an acknowledged outcome is never lost',
        () => `${machine.name} had told ${JSON.stringify(outcome)}, and now knows ${JSON.stringify(kept)}`,
      )
    }
  }

  #noteDowntime({ nodeId, now, clock }: Machine): void {
    const ended = this.#ended.get(nodeId)
    // A home whose clock was set may be on another time than its machine.
    if (ended === undefined || clock.offsetMs !== ended.offsetMs || clock.offsetMs !== clock.firstOffsetMs) return
    const known = this.#downtimes.get(nodeId) ?? []
    this.#downtimes.set(nodeId, [...known, { from: ended.now, until: now }])
  }

  /** Which node gave the outcome; null for a refusal in an auction, which may have moved since. */
  #authorOf(outcome: Outcome, homeId: string): string | null {
    if (outcome.auctionId === '') return homeId
    if (outcome.status === 'rejected') return null
    for (const { commit, author } of this.lines.get(outcome.auctionId)?.commits.values() ?? [])
      if (commit.firstSeq <= outcome.seq && outcome.seq <= commit.lastSeq) return author.nodeId
    return null
  }

  ended(machine: Machine): void {
    this.#ended.set(machine.nodeId, { now: machine.now, offsetMs: machine.clock.offsetMs })
    this.#headsBefore.set(machine.name, this.#heads.get(machine.name) ?? new Map())
    this.#heads.delete(machine.name)
  }

  /** A home answers commands that came over the network. */
  answered(homeId: string, commands: readonly RemoteCommand[], results: readonly SubmitResult[]): void {
    commands.forEach((command, i) => {
      const result = results[i]
      if (result?.ok) this.told(homeId, JSON.stringify(command), result.outcome)
    })
  }

  /** Somebody was told an outcome; `content`: all that the command said. */
  told(homeId: string, content: string, outcome: Outcome): void {
    if (outcome.status === 'rejected' && outcome.rejection.code === 'COMMAND_ID_REUSED') return
    const { commandId } = outcome
    this.acknowledged += 1
    this.#undone.delete(commandId)
    if (outcome.status === 'accepted') this.#mustBeStored(outcome)
    // Of one auction, whichever home tells it; what never became an auction is its home's alone.
    const key = `${outcome.auctionId || homeId} ${commandId}`
    const earlier = this.#answers.get(key)
    if (earlier === undefined) this.#answers.set(key, { homeId, content, outcome })
    else
      this.#must(
        sameOutcome(earlier.outcome, outcome) || this.#reused.has(commandId),
        'a command takes effect at most once',
        () => `outcomes ${JSON.stringify(earlier.outcome)} and ${JSON.stringify(outcome)}`,
      )
  }

  /** A user asks for a bid, for the first time or again. */
  asked(commandId: string): void {
    this.#userBids.add(commandId)
    this.#undone.delete(commandId)
  }

  /** The same id was used for another command too. */
  usedTwice(commandId: string): void {
    this.#reused.add(commandId)
  }

  /** A user was told that nothing has been done, and will not ask again without `asked`. */
  refused(commandId: string, code: string): void {
    this.#undone.add(commandId)
    for (const { auctionId, bidIds } of this.lines.values()) {
      this.#must(
        !bidIds.has(commandId) || this.#doubled.has(commandId) || this.#reused.has(commandId),
        'a refusal that says that nothing was done is true',
        () => `${commandId} was refused with ${code}, and stands in ${auctionId}`,
      )
    }
  }

  doubled(commandId: string): void {
    this.#doubled.add(commandId)
  }

  limited(bidderId: string, auctionId: string, limit: number): void {
    const key = `${bidderId} ${auctionId}`
    this.#limits.set(key, Math.max(limit, this.#limits.get(key) ?? 0))
  }

  #mustBeStored(outcome: Extract<Outcome, { status: 'accepted' }>): void {
    const { auctionId, seq, commandId, bid } = outcome
    const event = this.lines.get(auctionId)?.events[seq - 1]
    this.#must(
      event !== undefined && (bid === undefined || ('bidId' in event && event.bidId === commandId)),
      'nothing is acknowledged before it is stored',
      () => `${JSON.stringify(outcome)}, where the log has ${JSON.stringify(event)}`,
    )
  }

  #newLine(auctionId: string, opening: AuctionEvent | undefined): Line | null {
    if (opening?.type !== 'AuctionOpened') return null
    const { home, cluster, terms } = opening satisfies AuctionOpened
    return {
      auctionId,
      home,
      commits: new Map(),
      cluster,
      wasShared: cluster !== null,
      windowMs: terms.softClose?.windowMs ?? TAKEOVER_WINDOW_MS,
      opensAt: terms.opensAt ?? 0,
      hardStopAt: terms.softClose?.hardStopAt ?? Number.POSITIVE_INFINITY,
      takenAt: null,
      events: [],
      bidIds: new Set(),
      head: { seq: 0, hash: '' },
      price: 0,
      closesAt: terms.closesAt,
      givesTimeBack: terms.givesTimeBack,
      at: opening.at,
      over: null,
    }
  }

  #verifies(commit: Commit, { nodeId, publicKey }: Home, known: Commit | undefined): boolean {
    const { auctionId, body, hash, signer, signature, firstSeq } = commit
    // What was checked once need not be hashed again at every replica.
    if (known?.body === body && known.hash === hash && known.signature === signature) return signer === publicKey
    return (
      hashOf(body) === hash &&
      (firstSeq > 1 || auctionIdOf(hash) === auctionId) &&
      signer === publicKey &&
      nodeIdOf(publicKey) === nodeId &&
      this.#verifier.verify(checkpointText(commit), signature, signer)
    )
  }

  /** The home has written on. */
  #extend(line: Line, commit: Commit, where: () => string): void {
    const { prevHash, events } = readBody(commit.body)
    this.#must((prevHash ?? '') === line.head.hash, 'no forks', () => `${where()} is not chained to its log`)
    this.#must(commit.firstSeq === line.head.seq + 1, 'one event per seq, without gaps', where)
    line.commits.set(commit.firstSeq, { commit, author: authorOf(line, events), isHeld: line.cluster === null })
    line.head = { seq: commit.lastSeq, hash: commit.hash }
    for (const event of events) this.#take(line, event, where)
  }

  /** Whoever says that nobody could bid has taken no bid meanwhile, and answered none. */
  #givesBack(line: Line, { at, since, closesAt }: AuctionExtended, what: () => string): void {
    const { closesAt: end, home, auctionId } = line
    this.#must(line.givesTimeBack, 'time is given back only where the terms say so', what)
    this.#must(
      end !== null && since !== null && line.at <= since && since < end && end <= at && closesAt > at,
      'an end is moved where it fell within the outage',
      what,
    )
    // A clock that was set back dates what came later before what came earlier.
    if (this.#clocksSet.has(home.nodeId)) return
    for (const { homeId, outcome } of this.#answers.values())
      this.#must(
        homeId !== home.nodeId ||
          outcome.auctionId !== auctionId ||
          outcome.at <= (since ?? 0) + HEARTBEAT_MS ||
          outcome.at >= at,
        'no answer was given while nobody could bid',
        () => `${what()}, and ${JSON.stringify(outcome)}`,
      )
  }

  /** An end that came while the home was down is not done with unless the lost time was given back. */
  #endsOnTime(line: Line, what: () => string): void {
    const { closesAt, home, givesTimeBack } = line
    // Where it has moved, another machine may have been its home when it ended.
    const hasMoved = line.events.some(({ type }) => type === 'AuctionHandedOver' || type === 'AuctionTakenOver')
    if (closesAt === null || !givesTimeBack || hasMoved) return
    for (const { from, until } of this.#downtimes.get(home.nodeId) ?? [])
      this.#must(
        closesAt <= from + HEARTBEAT_MS || closesAt > until,
        'what was lost of an auction is given back',
        () => `${what()}, down from ${from} to ${until}`,
      )
  }

  #takenOver(line: Line, { at, from, to, clusterSignature }: AuctionTakenOver, what: () => string): void {
    const { auctionId, cluster, commits, head, home } = line
    const commit = [...commits.values()].at(-1)?.commit
    const seq = head.seq
    this.#must(from.nodeId === home.nodeId, 'an auction is taken over from its home', what)
    const prevHash = commit === undefined ? '' : (readBody(commit.body).prevHash ?? '')
    const text = ['vendue-takeover-v1', auctionId, commit?.firstSeq ?? seq, prevHash, from.nodeId, to.nodeId, ''].join(
      '\n',
    )
    const isSigned = cluster !== null && this.#verifier.verify(text, clusterSignature, cluster)
    this.#must(isSigned, 'nobody takes an auction over but its cluster', what)
    line.home = to
    line.takenAt = at
    line.at = at
  }

  /** Whoever was not able to bid because the home had died has a chance to do so. */
  #losesNoEnd({ takenAt, windowMs, closesAt, opensAt, hardStopAt }: Line, what: () => string): void {
    if (takenAt === null || closesAt === null || takenAt < opensAt) return
    this.#must(closesAt >= Math.min(takenAt + windowMs, hardStopAt), 'nobody loses the end to a home that died', what)
  }

  #take(line: Line, event: AuctionEvent, where: () => string): void {
    const what = () => `${where()}: ${JSON.stringify(event)}`
    line.events.push(event)
    if (event.type === 'AuctionTakenOver') {
      this.#takenOver(line, event, what)
      return
    }
    if (event.type === 'MaximaRevealed') {
      this.#must(line.over === 'closed', 'maxima are revealed after the close alone', what)
      return
    }
    this.#must(line.over === null, 'nothing is accepted after the close, and one winner', what)
    if ('bidId' in event) {
      this.#must(!line.bidIds.has(event.bidId), 'a bid id takes effect at most once', what)
      this.#must(
        !this.#undone.has(event.bidId) || this.#doubled.has(event.bidId) || this.#reused.has(event.bidId),
        'a refusal that says that nothing was done is true',
        what,
      )
      this.#must(line.closesAt === null || event.at < line.closesAt, 'nothing is accepted after the end', what)
      this.#must(event.price >= line.price, 'the price never falls', what)
      line.bidIds.add(event.bidId)
      line.price = event.price
    }
    if (event.type === 'BidPlaced' && !this.#userBids.has(event.bidId)) {
      const limit = this.#limits.get(`${event.bidder.id} ${line.auctionId}`) ?? 0
      this.#must((event.amount ?? Infinity) <= limit, 'no auto-bid is past its limit', what)
    }
    if (event.type === 'AuctionExtended' && event.by === 'outage') this.#givesBack(line, event, what)
    if (event.type === 'AuctionExtended') line.closesAt = event.closesAt
    if (event.type === 'AuctionClosed' && event.by === 'end-time') {
      this.#endsOnTime(line, what)
      this.#losesNoEnd(line, what)
    }
    line.at = event.at
    if (event.type === 'AuctionHandedOver') {
      line.home = event.to
      line.cluster = event.cluster
      line.wasShared ||= event.cluster !== null
    }
    if (event.type === 'AuctionClosed') line.over = 'closed'
    if (event.type === 'AuctionCancelled') line.over = 'cancelled'
  }
}

/** Who has to have signed a commit that follows. */
function authorOf({ home }: Line, [first]: readonly AuctionEvent[]): Home {
  return first?.type === 'AuctionTakenOver' ? first.to : home
}

function sameOutcome(a: Outcome, b: Outcome): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function endOf(state: OpenedAuction): number | null {
  if (state.status === 'closed') return state.closedAt
  return state.status === 'cancelled' ? state.cancelledAt : null
}
