import { COMMAND_ID } from '../../../application/log/ids.js'
import { parseTime } from '../../../application/log/time-text.js'
import { MAX_ACK_REPLICAS } from '../../../application/replication/replication.js'
import { DURATION_RULE, parseDuration, parseSoftClose } from '../../system/parse-duration.js'
import { UsageError } from './usage-error.js'

/** The arguments of a command. Values are checked when they are read; `UsageError` names the option. */
export class Args {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #positionals: ReadonlySet<string>
  /** The words as they were typed. */
  readonly words: readonly string[]

  constructor(
    values: Readonly<Record<string, unknown>>,
    { positionals, words }: { positionals: Iterable<string>; words: readonly string[] },
  ) {
    this.#values = values
    this.#positionals = new Set(positionals)
    this.words = words
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return value === undefined ? undefined : String(value)
  }

  need(name: string): string {
    const value = this.text(name)
    if (value === undefined) throw new UsageError(`${this.label(name)} is missing`, { field: name })
    return value
  }

  /** Throws `UsageError` that names all of them that are missing. */
  needAll(...names: readonly string[]): void {
    const missing = names.filter((name) => !this.has(name))
    const [field] = missing
    if (field === undefined) return
    const labels = missing.map((name) => this.label(name)).join(' and ')
    throw new UsageError(`${labels} ${missing.length === 1 ? 'is' : 'are'} missing`, { field })
  }

  list(name: string): string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)]
  }

  /** A whole number within limits. */
  int(name: string, min: number, max: number): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw this.wrong(name, `must be a whole number from ${min} to ${max.toLocaleString('en')}`)
  }

  durationMs(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const ms = parseDuration(text)
    if (ms === null) throw this.wrong(name, DURATION_RULE)
    return ms
  }

  /** UTC milliseconds. */
  time(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const parsed = parseTime(text)
    if (!parsed.ok) throw this.wrong(name, parsed.rule, parsed.next)
    return parsed.ms
  }

  /** A time, or "+DURATION" from a moment that the node knows. */
  timeOrOffset(name: string): { readonly at?: number; readonly inMs?: number } | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const at = text.startsWith('+') ? undefined : this.time(name)
    if (at !== undefined) return { at }
    const inMs = parseDuration(text.slice(1))
    if (inMs === null) throw this.wrong(name, `${DURATION_RULE}, after the "+"`)
    return { inMs }
  }

  softClose(name: string): { windowMs: number; extensionMs: number } | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const rule = parseSoftClose(text)
    if (!rule) throw this.wrong(name, 'must be WINDOW/EXTENSION, such as 30s/30s, or one duration for both')
    return rule
  }

  commandId(): string | undefined {
    const text = this.text('id')
    if (text !== undefined && !COMMAND_ID.test(text)) {
      throw this.wrong('id', 'must be "bid_" or "cmd_" and 8 to 64 characters of A-Z, a-z, 0-9, "-", "_"')
    }
    return text
  }

  /** `--ack replicated=N`, as part of a request. */
  ack(): { readonly replicas?: number } {
    const text = this.text('ack')
    if (text === undefined || text === 'local') return {}
    const replicas = Number(/^replicated=(\d{1,2})$/.exec(text)?.[1] ?? 0)
    if (replicas >= 1 && replicas <= MAX_ACK_REPLICAS) return { replicas }
    throw this.wrong('ack', `must be local, or replicated=N with N from 1 to ${MAX_ACK_REPLICAS}`)
  }

  wrong(name: string, rule: string, next?: string): UsageError {
    const shown = JSON.stringify((this.text(name) ?? '').slice(0, 80))
    return new UsageError(`${this.label(name)} ${shown} ${rule}`, {
      field: name,
      ...(next === undefined ? {} : { next }),
    })
  }

  /** The name for messages: "--closes-in", or "AUCTION" for a positional argument. */
  label(name: string): string {
    return this.#positionals.has(name) ? name.toUpperCase() : `--${name}`
  }
}
