/**
 * Where an address comes from, best first: `member`: a node that once proved itself was there; `named`: such a node
 * named it; `found`: it was in the DHT or a caller named it, where anybody can say anything.
 */
export type AddressSource = 'member' | 'named' | 'found'

/**
 * Dials under way at once. Those of lesser sources never take all of them, so that however many addresses are forged,
 * a node that knows a member dials it at once.
 */
const MAX_DIALS_AT_ONCE: Readonly<Record<AddressSource, number>> = { member: 32, named: 24, found: 16 }
const SOURCES: readonly AddressSource[] = ['member', 'named', 'found']
const MAX_ADDRESSES = 1_000
const MAX_REDIAL_MS = 60_000
/** A lost member is looked for this often, for a while: partitions heal, and nobody else may report it. */
const MAX_MEMBER_REDIAL_MS = 3_000
const PATIENT_DIALS = 200
/** Callers may name an address as often as they like; it is not dialled more often than this. */
const MIN_REDIAL_MS = 500

interface Entry {
  source: AddressSource
  /** Monotonic milliseconds. */
  notBefore: number
  lastDialledAt: number
  failures: number
}

/** The addresses that may lead to peers, and when each is to be dialled (again). Bounded, and fair among equals. */
export class AddressBook {
  readonly #redialMs: number
  readonly #entries = new Map<string, Entry>()
  readonly #dialling = new Map<string, AddressSource>()

  constructor(options: { redialMs: number }) {
    this.#redialMs = options.redialMs
  }

  /** A better source raises the address; a lesser one changes nothing. False if nothing changed. */
  add(address: string, source: AddressSource): boolean {
    const known = this.#entries.get(address)
    if (known) {
      if (SOURCES.indexOf(source) >= SOURCES.indexOf(known.source)) return false
      known.source = source
      return true
    }
    if (this.#entries.size >= MAX_ADDRESSES && !this.#makeRoom(source)) return false
    this.#entries.set(address, {
      source,
      notBefore: 0,
      lastDialledAt: Number.NEGATIVE_INFINITY,
      failures: 0,
    })
    return true
  }

  knows(address: string): boolean {
    return this.#entries.has(address)
  }

  /** Somebody may just have come up there. */
  soon(address: string): void {
    const entry = this.#entries.get(address)
    if (!entry || entry.notBefore === Number.POSITIVE_INFINITY) return
    entry.notBefore = Math.min(entry.notBefore, entry.lastDialledAt + MIN_REDIAL_MS)
    entry.failures = 0
  }

  /**
   * The next address to dial, marked as being dialled; null if none is due or enough dials are under way. Addresses in
   * use are skipped.
   */
  next(now: number, inUse: ReadonlySet<string>): string | null {
    for (const source of SOURCES) {
      if (this.#dialling.size >= MAX_DIALS_AT_ONCE[source]) return null
      let best: [string, Entry] | null = null
      for (const [address, entry] of this.#entries) {
        if (entry.source !== source || entry.notBefore > now) continue
        if (this.#dialling.has(address) || (best && best[1].lastDialledAt <= entry.lastDialledAt)) continue
        if (!inUse.has(address)) best = [address, entry]
      }
      if (best) {
        best[1].lastDialledAt = now
        this.#dialling.set(best[0], source)
        return best[0]
      }
    }
    return null
  }

  /** A member answered there; once it is lost, it is looked for again soon. */
  proven(address: string): void {
    this.#dialling.delete(address)
    const entry = this.#entries.get(address)
    if (entry) Object.assign(entry, { source: 'member', failures: 0, notBefore: 0 })
  }

  /** Nobody of this mesh answered there: it is tried again less and less often. */
  failed(address: string, now: number): void {
    this.#dialling.delete(address)
    const entry = this.#entries.get(address)
    if (!entry) return
    entry.failures += 1
    const patient = entry.source === 'member' && entry.failures <= PATIENT_DIALS
    const delayMs = this.#redialMs * 2 ** Math.min(entry.failures - 1, 16)
    entry.notBefore = now + Math.min(delayMs, patient ? MAX_MEMBER_REDIAL_MS : MAX_REDIAL_MS)
  }

  /** Not a peer, for as long as this node runs: itself. */
  never(address: string): void {
    this.#dialling.delete(address)
    const entry = this.#entries.get(address)
    if (entry) entry.notBefore = Number.POSITIVE_INFINITY
  }

  #makeRoom(source: AddressSource): boolean {
    let worst: [string, Entry] | null = null
    for (const candidate of this.#entries) {
      if (this.#dialling.has(candidate[0]) || candidate[1].notBefore === Number.POSITIVE_INFINITY) continue
      if (!worst || isWorse(candidate[1], worst[1])) worst = candidate
    }
    if (!worst || SOURCES.indexOf(worst[1].source) < SOURCES.indexOf(source)) return false
    this.#entries.delete(worst[0])
    return true
  }
}

function isWorse(a: Entry, b: Entry): boolean {
  const bySource = SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source)
  return bySource === 0 ? a.failures > b.failures : bySource > 0
}
