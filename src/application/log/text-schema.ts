import { z } from 'zod'
import { MAX_NAME_LENGTH } from '../../domain/party.js'

const CONTROL = /\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

/** A peer's words may end up on a terminal. */
export function printable(text: string): string {
  return text.replace(new RegExp(CONTROL, 'gu'), '?')
}

/** False for half surrogate pairs, which UTF-8 cannot hold: text with one changes when it is stored. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

/** Any text that survives being stored. */
export function text(maxLength: number): z.ZodType<string> {
  return z.string().max(maxLength).refine(isWellFormed, 'must be whole Unicode text')
}

/** Text of one line that may be shown on a terminal as it is. */
export function line(maxLength: number): z.ZodType<string> {
  return z
    .string()
    .max(maxLength)
    .refine(
      (value) => !CONTROL.test(value) && isWellFormed(value),
      'must not hold control or text-direction characters',
    )
}

export const id = z.string().regex(/^[A-Za-z0-9_.:-]{1,96}$/, 'must be an id')
export const name = line(MAX_NAME_LENGTH)
export const time = z.int().nonnegative()
export const seq = z.int().positive()
export const minor = z.int().positive()
