import { checkpointText, hashOf } from '../../src/application/log/commit.js'
import { readBody } from '../../src/application/log/commit-body.js'
import { auctionIdOf } from '../../src/application/log/ids.js'
import { isMove } from '../../src/application/log/move-rule.js'
import type { CommitBody, CommittedMandate } from '../../src/application/log/written-body.js'
import { eventDigest, type SellerFacts } from '../../src/application/submissions/mandate.js'
import type { Commit } from '../../src/domain/commit.js'
import { type AuctionEvent, commandIdOf } from '../../src/domain/events.js'
import type { Signer } from '../../src/ports/system/signer.js'

/** One change of a log. */
export interface Forgery {
  /** Where: "BidPlaced.price", "AuctionClosed twice". */
  readonly what: string
  readonly commits: readonly Commit[]
}

export interface ForgedLog {
  readonly commits: readonly Commit[]
  readonly seller: SellerFacts
  /** The homes that wrote it: the forger has their keys, and no bidder's. */
  readonly homes: readonly Signer[]
}

type Body = Pick<CommitBody, 'events' | 'mandates'>
type Path = readonly (string | number)[]

/**
 * Every forgery of one event each: of every field, with every value that is worth a try, and of the event as a whole.
 */
export function* forgeries(log: ForgedLog): Generator<Forgery, void, undefined> {
  const bodies = log.commits.map(({ body }) => readBody(body))
  for (const [place, { events }] of bodies.entries()) {
    for (const [i, event] of events.entries()) {
      const forged = (what: string, ...changed: readonly unknown[]) =>
        forgedBodies(log, bodies, { place, i }, changed as AuctionEvent[]).map((commits, way): Forgery => {
          return { what: way === 0 ? what : `${what}, without its mandate`, commits }
        })
      for (const { path, value } of variants(
        event,
        bodies.flatMap((body) => body.events),
      ))
        yield* forged(`${event.type}.${nameOf(path)}`, withValue(event, path, value))
      yield* forged(`${event.type} twice`, event, event)
      yield* forged(`no ${event.type}`)
    }
  }
  yield* otherMandates(log, bodies)
  yield* longer(log, bodies)
}

/** Of each mandate that stands in a commit, and of the mandates as a whole. */
function* otherMandates(log: ForgedLog, bodies: readonly Body[]): Generator<Forgery, void, undefined> {
  const author = (place: number) => (log.commits[place] as Commit).signer
  for (const [place, body] of bodies.entries()) {
    const { mandates } = body
    for (const [k, mandate] of mandates.entries()) {
      const { commands } = mandate
      const others: [what: string, ...mandates: CommittedMandate[]][] = [
        ['no mandate'],
        ['mandate twice', mandate, mandate],
        ['mandate.signer', { ...mandate, signer: author(place) }],
        ['mandate.signedAt', { ...mandate, signedAt: mandate.signedAt + 1 }],
        [
          'mandate.signature',
          { ...mandate, signature: (mandates[k + 1] ?? mandates[k - 1])?.signature ?? `${'A'.repeat(86)}` },
        ],
        ['mandate.commands', { ...mandate, commands: [...commands, ...commands] }],
        ['mandate.commands', { ...mandate, commands: commands.slice(1) }],
        ['mandate.commands', { ...mandate, commands: commands.map(() => `${'A'.repeat(43)}`) }],
      ]
      for (const [what, ...changed] of others) {
        const forged = bodies.toSpliced(place, 1, { ...body, mandates: mandates.toSpliced(k, 1, ...changed) })
        yield { what, commits: resealed(log, forged) }
      }
    }
  }
}

/** What a peer that passes a log on may change, which has nobody's keys: of each commit each field. */
export function* spoiled(commits: readonly Commit[]): Generator<Forgery, void, undefined> {
  for (const [place, commit] of commits.entries()) {
    const other = commits[place === 0 ? 1 : place - 1] as Commit
    const changes: Partial<Commit>[] = [
      ...(['auctionId', 'body', 'hash', 'signer', 'signature'] as const).flatMap((field) => {
        const text = commit[field]
        const flipped = text.slice(0, -3) + (text.at(-3) === '1' ? '2' : '1') + text.slice(-2)
        return [{ [field]: flipped }, { [field]: '' }, ...(other[field] === text ? [] : [{ [field]: other[field] }])]
      }),
      { firstSeq: commit.firstSeq + 1 },
      { lastSeq: commit.lastSeq + 1 },
      { body: commit.body.replace(/.$/, ' }') },
    ]
    for (const change of changes) {
      const what = `commit.${Object.keys(change)[0]}`
      yield { what, commits: commits.with(place, { ...commit, ...change }) }
    }
    yield { what: 'no commit', commits: commits.toSpliced(place, 1) }
    yield { what: 'commit twice, between others', commits: commits.toSpliced(place, 0, other) }
  }
}

/** An event of the log once more at its end, in the words in which it was mandated. */
function* longer(log: ForgedLog, bodies: readonly Body[]): Generator<Forgery, void, undefined> {
  for (const body of bodies.slice(1)) {
    const last = bodies.at(-1)?.events.at(-1) as AuctionEvent
    const events = body.events.map((event) => ({ ...event, at: last.at }))
    const author = (log.commits.at(-1) as Commit).signer
    const more = { ...body, events }
    yield { what: `${body.events[0]?.type} at the end`, commits: resealed(log, [...bodies, more], author) }
  }
}

/**
 * The bodies with another event, or more or none, in the place of one, in two ways: as they are, and with mandates that
 * say of a changed command what was signed instead of pointing at the event.
 */
function forgedBodies(
  log: ForgedLog,
  bodies: readonly Body[],
  { place, i }: { readonly place: number; readonly i: number },
  changed: readonly AuctionEvent[],
): (readonly Commit[])[] {
  const { events, mandates } = bodies[place] as Body
  const event = events[i] as AuctionEvent
  const auctionId = (log.commits[0] as Commit).auctionId
  const digest = commandIdOf(event) === null ? null : eventDigest(auctionId, event, log.seller)
  const moved = events.toSpliced(i, 1, ...changed)
  const shift = changed.length - 1
  const pointing = (kept: boolean): CommittedMandate[] =>
    mandates.map((mandate) => ({
      ...mandate,
      commands: mandate.commands.map((command) => {
        if (typeof command === 'string' || command < i) return command
        return command > i ? command + shift : kept ? command : (digest ?? command)
      }),
    }))
  const ways = [pointing(changed.length > 0), ...(digest === null || changed.length === 0 ? [] : [pointing(false)])]
  return ways
    .map((forged) => bodies.toSpliced(place, 1, { events: moved, mandates: forged }))
    .map((all) =>
      resealed(
        log,
        all.filter((body) => body.events.length > 0),
      ),
    )
}

/** The commits that their homes would have written with these bodies; nothing is checked on the way. */
function resealed({ commits, homes }: ForgedLog, bodies: readonly Body[], lastAuthor?: string): readonly Commit[] {
  const sealed: Commit[] = []
  for (const [i, body] of bodies.entries()) {
    const last = sealed.at(-1)
    const author = commits[i]?.signer ?? lastAuthor
    const signer = homes.find(({ publicKey }) => publicKey === author) as Signer
    const firstSeq = (last?.lastSeq ?? 0) + 1
    const lastSeq = firstSeq + body.events.length - 1
    const text = rawBody(body, { auctionId: last?.auctionId ?? null, firstSeq, prevHash: last?.hash ?? null })
    const head = { hash: hashOf(text), lastSeq }
    const auctionId = last?.auctionId ?? auctionIdOf(head.hash)
    const signature = signer.sign(checkpointText({ auctionId, ...head }))
    sealed.push({ auctionId, firstSeq, ...head, body: text, signer: signer.publicKey, signature })
  }
  return sealed
}

/** As a home writes it, without looking at what it writes. */
function rawBody({ events, mandates }: Body, head: Omit<CommitBody, 'events' | 'mandates'>): string {
  const parties: [unknown, unknown][] = []
  const written = events.map((event) => {
    if (event.type !== 'BidPlaced') return event
    const { at, bidId, bidder, amount, commitment, price, leads, reserveMet } = event
    const party = parties.push([bidder?.id, bidder?.name]) - 1
    return [at, bidId, party, amount ?? commitment ?? '', price, leads, reserveMet]
  })
  const listed = mandates.map(({ signer, signedAt, commands, signature }) => [signer, signedAt, commands, signature])
  const { auctionId, firstSeq, prevHash } = head
  return JSON.stringify({ auctionId, firstSeq, prevHash, parties, events: written, mandates: listed })
}

const DAY_MS = 86_400_000
/** Somebody for whom any node may speak: an account of a gateway's. */
export const SHILL = { id: 'usr_shill0001', name: 'Shill' }

function* variants(
  event: AuctionEvent,
  events: readonly AuctionEvent[],
): Generator<{ path: Path; value: unknown }, void, undefined> {
  const ids = events.flatMap((other) => commandIdOf(other) ?? [])
  const parties = events.flatMap((other) => ('bidder' in other ? [other.bidder] : []))
  const opening = events[0]
  const homes = events.flatMap((other) =>
    other.type === 'AuctionOpened' ? [other.home] : isMove(other) ? [other.to] : [],
  )
  for (const { path, value } of valuesIn(event)) {
    const field = String(path.at(-1))
    const whole = typeof value === 'object' && value !== null
    const others: unknown[] = []
    if (field === 'at') others.push(...[1, -1, 1_000, -1_000, DAY_MS, -DAY_MS].map((ms) => (value as number) + ms))
    else if (typeof value === 'number')
      others.push(value + 1, value - 1, 2 * value, value >> 1, 1, 0, -value, value + 0.5)
    else if (typeof value === 'boolean') others.push(!value)
    else if (field === 'bidder' || field === 'winner' || field === 'seller')
      others.push(
        ...parties,
        SHILL,
        { ...(value as object), name: 'Mallory' },
        opening?.type === 'AuctionOpened' && opening.seller,
      )
    else if (field === 'home' || field === 'from' || field === 'to') others.push(...homes)
    else if (field === 'keys') others.push([{ publicKey: homes[0]?.publicKey, signature: 'A'.repeat(86) }])
    else if (field === 'result')
      others.push({ sold: false, reason: 'no-bids' }, { sold: false, reason: 'reserve-not-met' })
    else if (field === 'maxima')
      others.push((value as unknown[]).slice(1), [...(value as unknown[]), (value as unknown[])[0]])
    else if (/Id$/.test(field) && path.length === 1) others.push(...ids, 'bid_forged0001')
    else if (/^[0-9a-f]{32,64}$/.test(String(value)))
      others.push(
        String(value).replace(/./, (c) => (c === '0' ? '1' : '0')),
        null,
      )
    else if (typeof value === 'string') others.push('Mallory', '', ...(ENUMS[field] ?? []))
    if (value === null) others.push(1, 100, 'cmd_forged0001', '0'.repeat(64))
    else if (!whole || path.length > 1) others.push(null)
    for (const other of others)
      if (other !== false && JSON.stringify(other) !== JSON.stringify(value)) yield { path, value: other }
  }
}

const ENUMS: Readonly<Record<string, readonly string[]>> = {
  by: ['seller', 'end-time', 'buy-now', 'soft-close', 'outage', 'takeover'],
  why: ['home-dead', 'home-left'],
  cluster: [`${'A'.repeat(42)}E`],
  reason: ['no-bids', 'reserve-not-met'],
  bidderNames: ['public', 'pseudonyms'],
}

/** Every value in an event, whole and in its parts. */
function* valuesIn(value: unknown, path: Path = []): Generator<{ path: Path; value: unknown }, void, undefined> {
  if (path.length > 0 && path[0] !== 'type') yield { path, value }
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value))
    yield* valuesIn(inner, [...path, Array.isArray(value) ? Number(key) : key])
}

function withValue(event: AuctionEvent, path: Path, value: unknown): unknown {
  const copy = structuredClone(event) as unknown as Record<string | number, unknown>
  let holder = copy
  for (const key of path.slice(0, -1)) holder = holder[key] as typeof holder
  holder[path.at(-1) as string] = value
  return copy
}

/** Places in lists left out. */
function nameOf(path: Path): string {
  return path.filter((key) => typeof key === 'string').join('.')
}
