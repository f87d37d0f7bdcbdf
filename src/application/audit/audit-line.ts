/** Room `audit`: how acts become a chain of lines, sealed by a key; and how one finds what was changed in it. */

import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Act } from '../../ports/audit/audit.js'
import type { AuditHead, AuditRow } from '../../ports/audit/audit-store.js'

/** What the first line's hash follows. */
export const FIRST_HASH = '0'.repeat(64)

/** Acts of the record itself. */
export const SEAL = 'audit.seal'
export const REMOVED = 'audit.removed'
export const LOST = 'audit.lost'
export const ANEW = 'audit.anew'

const line = z.looseObject({
  seq: z.number().int().positive(),
  at: z.number(),
  act: z.string(),
  via: z.string(),
  who: z.string().nullable(),
  from: z.string().nullable(),
  code: z.string(),
  key: z.string().optional(),
  auction: z.string().optional(),
  about: z.string().optional(),
  /** How many acts the line stands for; absent for one. */
  count: z.number().int().positive().optional(),
  /** Ids, oldest first; of refusals the first alone. */
  commands: z.array(z.string()).optional(),
})
export type AuditLine = z.infer<typeof line>

const seal = z.looseObject({
  at: z.number(),
  act: z.literal(SEAL),
  seal: z.number().int().positive(),
  prev: z.string(),
  public_key: z.string(),
  signature: z.string(),
})
export type AuditSeal = z.infer<typeof seal>

/** Null: it is none. */
export function parseLine(text: string): AuditLine | null {
  return line.safeParse(parsed(text)).data ?? null
}

export function parseSeal(text: string): AuditSeal | null {
  return seal.safeParse(parsed(text)).data ?? null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export interface LineParts {
  readonly at: number
  readonly act: Omit<Act, 'command'>
  readonly count?: number
  readonly commands?: readonly string[]
}

export function rowOf({ seq, hash }: AuditHead, { at, act, count = 1, commands = [] }: LineParts): AuditRow {
  const { act: name, via, who, from, code, key, auction, about } = act
  const text = JSON.stringify({
    seq: seq + 1,
    at,
    act: name,
    via,
    who,
    from,
    code,
    key,
    auction,
    about,
    ...(count > 1 && { count }),
    ...(commands.length > 0 && { commands }),
  })
  return { seq: seq + 1, text, hash: hashAfter(hash, text) }
}

/** The seal is a line of the chain like any other, so that one cannot be cut out, or put elsewhere. */
export function sealRow(
  { seq, hash }: AuditHead,
  { at, number, publicKey, sign }: { at: number; number: number; publicKey: string; sign: (text: string) => string },
): AuditRow {
  const signature = sign(sealText({ seal: number, seq: seq + 1, prev: hash, at }))
  const own = { act: SEAL, via: 'node', who: null, from: null, code: 'ok' }
  const text = JSON.stringify({
    ...{ seq: seq + 1, at, ...own },
    ...{ seal: number, prev: hash, public_key: publicKey, signature },
  })
  return { seq: seq + 1, text, hash: hashAfter(hash, text) }
}

/** What a seal's signature is over. */
export function sealText(of: { seal: number; seq: number; prev: string; at: number }): string {
  return `vendue audit seal v1\n${of.seal}\n${of.seq}\n${of.prev}\n${of.at}\n`
}

export function hashAfter(previous: string, text: string): string {
  return createHash('sha256').update(`${previous}\n${text}`).digest('hex')
}
