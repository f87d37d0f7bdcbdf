import { randomUUID } from 'node:crypto'

const REQUEST_ID = /^[A-Za-z0-9_.:-]{1,80}$/

/** The id in the header; a new one if there is none or it is malformed. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID()
}
