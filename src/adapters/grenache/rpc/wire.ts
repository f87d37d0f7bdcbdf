import { z } from 'zod'
import { REQUEST_ID } from '../../../application/log/input-schemas.js'
import { isNodeErrorCode, NodeError, type NodeErrorCode } from '../../../ports/node/node-error.js'

/**
 * What travels inside Grenache's `[rid, key, payload]` and `[rid, null, payload]`. Our errors go in the answer, since
 * Grenache's own error slot carries a text and nothing else.
 */
export interface RequestPayload {
  /** The operator's, for RPCs that need it. */
  readonly token?: string
  readonly params: unknown
  /** Of the requests that it is made for, for the log; in a submit one for each command, null where it has none. */
  readonly requestIds?: RequestIds
}

export type RequestIds = readonly (string | null)[]

export type AnswerPayload =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: WireError }

export interface WireError {
  /** A `NodeErrorCode`, or one of `PROTOCOL_CODES`. */
  readonly code: string
  readonly message: string
  readonly field?: string
  readonly next?: string
  readonly data?: unknown
}

/** Errors of the protocol itself; the request was not carried out. */
export const PROTOCOL_CODES = [
  'MALFORMED',
  'METHOD_NOT_ALLOWED',
  'TOO_LARGE',
  'UNSUPPORTED_ENCODING',
  'REQUEST_TIMEOUT',
  'UNKNOWN_RPC',
] as const
export type ProtocolCode = (typeof PROTOCOL_CODES)[number]

const MAX_TOKEN_LENGTH = 256
const MAX_RID_LENGTH = 128
const MAX_RPC_NAME_LENGTH = 128
const MAX_REQUEST_IDS = 500

export const requestSchema = z.tuple([
  z.string().min(1).max(MAX_RID_LENGTH),
  z.string().max(MAX_RPC_NAME_LENGTH),
  z.unknown(),
])

export const requestPayloadSchema: z.ZodType<RequestPayload> = z.strictObject({
  token: z.string().max(MAX_TOKEN_LENGTH).exactOptional(),
  params: z.unknown(),
  requestIds: z.array(z.string().regex(REQUEST_ID).nullable()).max(MAX_REQUEST_IDS).exactOptional(),
})

export const answerPayloadSchema: z.ZodType<AnswerPayload> = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), result: z.unknown() }),
  z.strictObject({
    ok: z.literal(false),
    error: z.strictObject({
      code: z.string().regex(/^[A-Z][A-Z_]{0,63}$/),
      message: z.string().max(4_000),
      field: z.string().max(400).exactOptional(),
      next: z.string().max(1_000).exactOptional(),
      data: z.unknown().exactOptional(),
    }),
  }),
])

export function failure(
  code: NodeErrorCode | ProtocolCode,
  message: string,
  more: { next?: string } = {},
): AnswerPayload {
  return { ok: false, error: { code, message, ...more } }
}

/** The wire form of an error that may be shown to a caller; null for any other, whose text stays here. */
export function toWireError(error: unknown): WireError | null {
  if (!(error instanceof Error)) return null
  const { code } = error as { code?: unknown }
  if (!isNodeErrorCode(code)) return null
  const { field, next } = error instanceof NodeError ? error : { field: undefined, next: undefined }
  return {
    code,
    message: error.message.slice(0, 4_000),
    ...(field === undefined ? {} : { field: field.slice(0, 400) }),
    ...(next === undefined ? {} : { next: next.slice(0, 1_000) }),
  }
}

/** As they stand in a log line; nothing where there are none. */
export function loggedIds(requestIds: RequestIds | undefined): { requestIds?: readonly string[] } {
  return requestIds ? { requestIds: requestIds.filter((id) => id !== null) } : {}
}
