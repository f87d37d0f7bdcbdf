import { z } from 'zod'
import type { HeldThing } from './guard.js'

/** So many in such a time. */
export interface Rate {
  readonly count: number
  readonly seconds: number
}

/** What is counted, as `<what>_per_<whom>`; an address is an IPv4 address, or the /64 network of an IPv6 one. */
export const DEFAULT_RATES = {
  /** Bids. */
  bids_per_account: { count: 600, seconds: 60 },
  bids_per_address: { count: 3_000, seconds: 60 },
  /** Requests to the API, of whatever kind. */
  calls_per_account: { count: 3_000, seconds: 60 },
  calls_per_address: { count: 6_000, seconds: 60 },
  /** New WebSocket, Socket.IO and event-stream connections. */
  connections_per_account: { count: 120, seconds: 60 },
  connections_per_address: { count: 300, seconds: 60 },
  /** Pictures that are added. */
  pictures_per_account: { count: 240, seconds: 3_600 },
  pictures_per_address: { count: 960, seconds: 3_600 },
  registrations_per_address: { count: 20, seconds: 3_600 },
  /** Failed logins: from one address, whatever the names; ... */
  logins_per_address: { count: 60, seconds: 900 },
  /** ... to one name from one address; ... */
  logins_per_name_and_address: { count: 8, seconds: 900 },
  /** ... and to one name from wherever, but for addresses that its owner has logged in from. */
  logins_per_name: { count: 100, seconds: 3_600 },
} as const satisfies Readonly<Record<string, Rate>>

export type RateName = keyof typeof DEFAULT_RATES
export type Rates = Readonly<Record<RateName, Rate>>

/**
 * What may be held at the same time, as `open_<what>_per_<whom>`: everything that callers can hold at a gateway is
 * here.
 */
export const DEFAULT_OPEN = {
  /** TCP connections, whatever they are used for; those of trusted proxies are not counted. */
  open_sockets_per_address: 1_000,
  /** WebSockets, Socket.IO sessions and event streams. */
  open_connections_per_account: 50,
  open_connections_per_address: 500,
  /** Auctions, or the catalogue, that connections hear. */
  open_subscriptions_per_account: 5_000,
  open_subscriptions_per_address: 20_000,
  /** Logs and pictures that are being sent. */
  open_downloads_per_account: 8,
  open_downloads_per_address: 32,
  /** Pictures that are being added. */
  open_uploads_per_account: 4,
  open_uploads_per_address: 16,
} as const satisfies Readonly<Partial<Record<`open_${HeldThing}_per_${'account' | 'address'}`, number>>>
export type OpenName = keyof typeof DEFAULT_OPEN

export interface LimitRules {
  readonly rates: Rates
  readonly open: Readonly<Record<OpenName, number>>
  /** Accounts and addresses that each rate keeps apart at a time; those beyond share a few counters. */
  readonly maxKeys: number
}

const MAX_COUNT = 1_000_000
const MAX_SECONDS = 86_400
export const DEFAULT_MAX_KEYS = 100_000

export const DEFAULT_LIMITS: LimitRules = {
  rates: DEFAULT_RATES,
  open: DEFAULT_OPEN,
  maxKeys: DEFAULT_MAX_KEYS,
}

const RATE_NAMES = Object.keys(DEFAULT_RATES) as RateName[]
const OPEN_NAMES = Object.keys(DEFAULT_OPEN) as OpenName[]
const RATE = /^(\d{1,7})\/(\d{1,5})(s|m|h)$/
const SECONDS = { s: 1, m: 60, h: 3_600 } as const

export const LIMITS_RULE = `must name limits with their values, such as bids_per_account:600/1m,open_connections_per_address:500; there are ${[...RATE_NAMES, ...OPEN_NAMES].join(', ')}`

/**
 * A setting: "bids_per_account:600/1m,..." or, in a file, `{"bids_per_account": "600/1m"}`; what is not named keeps its
 * default.
 */
export const limitsSetting = z
  .union(
    [z.string().transform(splitPairs), z.record(z.string(), z.union([z.string(), z.number().transform(String)]))],
    { error: () => LIMITS_RULE },
  )
  .transform((given, context): LimitRules => {
    const rates: Record<RateName, Rate> = { ...DEFAULT_RATES }
    const open: Record<OpenName, number> = { ...DEFAULT_OPEN }
    for (const [name, value] of Object.entries(given)) {
      const rate = parseRate(value)
      const count = /^\d{1,7}$/.test(value) ? Number(value) : 0
      if (isOneOf(RATE_NAMES, name) && rate) rates[name] = rate
      else if (isOneOf(OPEN_NAMES, name) && count > 0) open[name] = Math.min(count, MAX_COUNT)
      else {
        context.issues.push({
          code: 'custom',
          input: given,
          message: `${JSON.stringify(name.slice(0, 40))} is not right: ${LIMITS_RULE}`,
        })
        return z.NEVER
      }
    }
    return { rates, open, maxKeys: DEFAULT_MAX_KEYS }
  })

/** "600/1m"; null for anything else, and for what would never let anything through. */
export function parseRate(text: string): Rate | null {
  const match = RATE.exec(text)
  if (!match) return null
  const count = Number(match[1])
  const seconds = Number(match[2]) * SECONDS[match[3] as keyof typeof SECONDS]
  const fits = count >= 1 && count <= MAX_COUNT && seconds >= 1 && seconds <= MAX_SECONDS
  return fits ? { count, seconds } : null
}

/** Those that are not the defaults, as in a config file. */
export function shownLimits({ rates, open }: LimitRules): Record<string, string | number> {
  const changed = RATE_NAMES.filter((name) => {
    const { count, seconds } = rates[name]
    return count !== DEFAULT_RATES[name].count || seconds !== DEFAULT_RATES[name].seconds
  })
  return {
    ...Object.fromEntries(changed.map((name) => [name, `${rates[name].count}/${rates[name].seconds}s`])),
    ...Object.fromEntries(
      OPEN_NAMES.filter((name) => open[name] !== DEFAULT_OPEN[name]).map((name) => [name, open[name]]),
    ),
  }
}

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name)
}

function splitPairs(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => {
        const at = item.indexOf(':')
        return at < 0 ? [item, ''] : [item.slice(0, at), item.slice(at + 1)]
      }),
  )
}
