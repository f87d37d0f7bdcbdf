import { createHash } from 'node:crypto'
import type { NoticeKind } from '../../domain/notices/notice-kind.js'

const ID_BYTES = 18

/** The same for the same event, kind, person and target, in every process: receivers drop what they have already. */
export function deliveryIdOf(of: {
  readonly auctionId: string
  readonly seq: number
  readonly kind: NoticeKind
  readonly accountId: string
  readonly targetId: string
}): string {
  const text = [of.auctionId, of.seq, of.kind, of.accountId, of.targetId].join('\n')
  return `ntc_${createHash('sha256').update(text).digest().subarray(0, ID_BYTES).toString('base64url')}`
}
