import { MESH_ERROR_CODES } from '../members/mesh-error.js'

export const NODE_ERROR_CODES = [
  'INVALID_INPUT',
  'AUCTION_NOT_FOUND',
  'AUCTION_AMBIGUOUS',
  'HOME_UNREACHABLE',
  'OUTCOME_UNKNOWN',
  'BUSY',
  'DISK_FULL',
  'AUCTION_HELD',
  'LOG_IO_ERROR',
  'LOG_UNREACHABLE',
  'FORBIDDEN',
  'NODE_UNREACHABLE',
  'STOPPING',
  'NOT_HOME',
  'NOT_MOVED',
  'NOT_HELD',
  'PEERS_AWAY',
  'TOO_FEW_REPLICAS',
  'NOT_REPLICATED',
  'MANDATE_OUT_OF_TIME',
  'PICTURE_REFUSED',
  'PICTURE_NOT_FOUND',
  'PICTURE_UNAVAILABLE',
  'PICTURES_FULL',
  'INTERNAL',
  ...MESH_ERROR_CODES,
] as const
export type NodeErrorCode = (typeof NODE_ERROR_CODES)[number]

export function isNodeErrorCode(code: unknown): code is NodeErrorCode {
  return (NODE_ERROR_CODES as readonly unknown[]).includes(code)
}

/** INTERNAL for those of other protocols, and of other versions. */
export function nodeErrorCode(code: unknown): NodeErrorCode {
  return isNodeErrorCode(code) ? code : 'INTERNAL'
}

/** Why a node could not answer. `field` names the offending input; `next` says what to do. */
export class NodeError extends Error {
  readonly field: string | undefined
  readonly next: string | undefined
  constructor(
    readonly code: NodeErrorCode,
    message: string,
    info: { field?: string; next?: string; cause?: unknown } = {},
  ) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'NodeError'
    this.field = info.field
    this.next = info.next
  }
}
