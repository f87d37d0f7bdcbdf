import type { Act, Audit } from '../../ports/audit/audit.js'
import type { AuditHead, AuditRow, AuditStore } from '../../ports/audit/audit-store.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Signer } from '../../ports/system/signer.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import { ANEW, type LineParts, LOST, parseSeal, REMOVED, rowOf, sealRow } from './audit-line.js'

/** What a killed process may lose at most, besides counts of refusals that repeat. */
const FLUSH_MS = 250
/** While the disk does not take it. */
const RETRY_MS = 5_000
const SEAL_MS = 60_000
/** Of one line: more commands go into another. */
const MAX_COMMANDS = 200
/** Senders of refusals that are counted apart until the next seal; those of others are counted together. */
const MAX_SENDERS = 2_000
/** Lines that wait while the disk takes none; beyond this, acts are only counted. */
const MAX_WAITING = 20_000
const MAX_TEXT = 256
const MAX_ABOUT = 4_000
const CONTROL = /\p{Cc}/gu

export interface AuditTrailDeps {
  readonly store: AuditStore
  readonly clock: Clock
  readonly timers: Timers
  readonly signer: Signer
  readonly logger: Logger
}

export interface AuditTrailOptions {
  /** How long lines are kept; null: for good. */
  readonly keepMs: number | null
  /** Why the record begins anew here, where an earlier one had to be set aside. */
  readonly anew?: string | null
}

/** Acts of one kind by one sender. */
interface Group {
  readonly act: Act
  readonly at: number
  count: number
  readonly commands: string[]
}

/** Writes acts to a record: gathered for a moment, chained, and sealed every minute. */
export class AuditTrail implements Audit {
  readonly #deps: AuditTrailDeps
  readonly #keepMs: number | null
  /** To be written with the next flush. */
  #waiting = new Map<string, Group>()
  #full: Group[] = []
  /** Refusals that were written since the last seal; null: no more of them yet. */
  #repeated = new Map<string, Group | null>()
  #lost = 0
  #failing = false
  #unsealed = false
  #flushTimer: Timer | null = null
  #sealTimer: Timer | null = null
  #closed = false

  constructor(deps: AuditTrailDeps, { keepMs, anew = null }: AuditTrailOptions) {
    this.#deps = deps
    this.#keepMs = keepMs
    if (anew !== null) this.record({ act: ANEW, via: 'node', who: null, from: null, code: 'ok', about: anew })
    this.#sealLater()
  }

  /** Lines that wait to be written, and acts that were only counted. */
  get waiting(): number {
    return this.#waiting.size + this.#full.length + this.#lost
  }

  record(act: Act): void {
    if (this.#closed) return
    if (act.code === 'ok') this.#take(act, keyOf(act))
    else this.#recordRefusal(cut(act))
  }

  #recordRefusal(act: Act): void {
    const key = keyOf(act)
    if (!this.#isRepeated(act, key)) this.#take(act, key)
  }

  /** Whether the refusal is counted with those that were written already. */
  #isRepeated(act: Act, key: string): boolean {
    const before = this.#repeated.get(key)
    if (before !== undefined) {
      if (before !== null) before.count += 1
      else this.#repeated.set(key, this.#newGroup(act))
      return true
    }
    if (this.#repeated.size < MAX_SENDERS) {
      this.#repeated.set(key, null)
      return false
    }
    const { act: name, via, code } = act
    const others = `${name}|${via}|${code}`
    const group = this.#repeated.get(others)
    if (group) group.count += 1
    else this.#repeated.set(others, this.#newGroup({ act: name, via, code, who: null, from: null, about: 'others' }))
    return true
  }

  #take(act: Act, key: string): void {
    const group = this.#waiting.get(key)
    if (group !== undefined && group.commands.length < MAX_COMMANDS) {
      group.count += 1
      if (act.command !== undefined) group.commands.push(act.command)
      return
    }
    if (this.#waiting.size + this.#full.length >= MAX_WAITING) {
      this.#lost += 1
      return
    }
    if (group !== undefined) this.#full.push(group)
    this.#waiting.set(key, this.#newGroup(act))
    this.#flushTimer ??= this.#deps.timers.after(FLUSH_MS, () => this.#flushed())
  }

  #newGroup(act: Act): Group {
    return { act, at: this.#deps.clock.now(), count: 1, commands: act.command === undefined ? [] : [act.command] }
  }

  #flushed(): void {
    this.#flushTimer = null
    this.flush()
  }

  /** Writes what waits. False if the disk does not take it: it is tried again. */
  flush(): boolean {
    const groups = [...this.#full, ...this.#waiting.values()]
    const lost = this.#lost
    if (groups.length === 0 && lost === 0) return true
    const rows = (head: AuditHead) =>
      chained(head, [...groups.map(partsOf), ...(lost > 0 ? [this.#lostLine(lost)] : [])])
    const written = this.#try(() => this.#deps.store.append(rows) !== null)
    if (!written) {
      this.#flushTimer ??= this.#deps.timers.after(this.#failing ? RETRY_MS : FLUSH_MS, () => this.#flushed())
      return false
    }
    this.#full = []
    this.#waiting.clear()
    this.#lost -= lost
    this.#unsealed = true
    return true
  }

  #lostLine(count: number): LineParts {
    const act = { act: LOST, via: 'node', who: null, from: null, code: 'AUDIT_LOST' } as const
    return { at: this.#deps.clock.now(), act, count }
  }

  /** Seals what was written, with what has been counted meanwhile. */
  seal(): boolean {
    for (const [key, group] of this.#repeated)
      if (group !== null && this.#full.length < MAX_WAITING) {
        this.#full.push(group)
        this.#repeated.set(key, null)
      }
    if (!this.flush()) return false
    this.#repeated.clear()
    if (!this.#unsealed) return true
    const { store, clock, signer } = this.#deps
    return this.#try(() => {
      let number = 0
      const head = store.append((before) => {
        number = (parseSeal(store.lastSeal()?.text ?? '')?.seal ?? 0) + 1
        const sign = (text: string) => signer.sign(text)
        return [sealRow(before, { at: clock.now(), number, publicKey: signer.publicKey, sign })]
      })
      if (head === null) return false
      store.settle({ seal: number, seq: head.seq, hash: head.hash })
      this.#unsealed = false
      this.#removeOld()
      return true
    })
  }

  /** Whole segments alone: what is kept begins with a seal, which vouches for what followed. */
  #removeOld(): void {
    if (this.#keepMs === null) return
    const { store, clock } = this.#deps
    const first = store.sealBefore(clock.now() - this.#keepMs)
    if (first === null || store.rows({ afterSeq: 0, limit: 1 })[0]?.seq === first.seq) return
    const act = { act: REMOVED, via: 'node', who: null, from: null, code: 'ok', about: String(first.seq) } as const
    store.removeBefore(first.seq, (head) => chained(head, [{ at: clock.now(), act }]))
    this.#unsealed = true
  }

  #sealLater(): void {
    this.#sealTimer = this.#deps.timers.after(SEAL_MS, () => {
      this.seal()
      if (!this.#closed) this.#sealLater()
    })
  }

  /** False too where another process writes at the moment, which is nothing to speak of. */
  #try(work: () => boolean): boolean {
    const { logger } = this.#deps
    try {
      if (!work()) return false
      if (this.#failing) logger.warn({}, 'the audit record is written again')
      this.#failing = false
      return true
    } catch (err) {
      if (!this.#failing)
        logger.error(
          { err, waiting: this.waiting },
          'the audit record cannot be written; acts wait, and nobody else does',
        )
      this.#failing = true
      return false
    }
  }

  /** Writes and seals what there is, and lets the store go. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#flushTimer?.cancel()
    this.#sealTimer?.cancel()
    if (!this.seal() && this.waiting > 0)
      this.#deps.logger.error({ waiting: this.waiting }, 'the last lines of the audit record are lost')
    this.#closed = true
    this.#flushTimer?.cancel()
    this.#deps.store.close()
  }
}

function keyOf({ act, via, who, from, key, auction, code, about }: Act): string {
  return `${act}|${via}|${who}|${from}|${key}|${auction}|${code}|${about}`
}

/** What is kept for long is kept short. */
function cut(act: Act): Act {
  const short = <T extends string | null | undefined>(text: T) => (text?.slice(0, MAX_TEXT) ?? text) as T
  const { who, auction, about, command } = act
  return { ...act, who: short(who), auction: short(auction), about: short(about), command: short(command) }
}

/** Others' words are cut to a length, and lose what would move a terminal's cursor. */
function partsOf({ act, at, count, commands }: Group): LineParts {
  const plain = (text: string | undefined, length = MAX_TEXT) => text?.slice(0, length).replace(CONTROL, '?')
  const { who, from, about, auction, key } = act
  const cleaned = {
    ...act,
    who: plain(who ?? undefined) ?? null,
    from: plain(from ?? undefined) ?? null,
    ...{ about: plain(about, MAX_ABOUT), auction: plain(auction), key: plain(key) },
  }
  const ids = act.code === 'ok' ? commands : commands.slice(0, 1)
  return { at, act: cleaned, count, commands: ids.map((id) => plain(id) as string) }
}

function chained(head: AuditHead, parts: readonly LineParts[]): AuditRow[] {
  let last = head
  return parts.map((part) => {
    const row = rowOf(last, part)
    last = row
    return row
  })
}
