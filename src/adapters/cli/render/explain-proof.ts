import type { Json } from '../../../application/gateway/json-shapes.js'
import type { judgeProof } from '../../../application/proof/equivocation.js'
import type { Look } from './look.js'
import { facts } from './table.js'
import { oneLine } from './terminal-text.js'

type Judged = ReturnType<typeof judgeProof>

export function judgedLines(judged: Judged, { paint }: Look): string[] {
  if (!judged.proven) return [`${paint.bad('NOT VALID')}  this proves nothing: ${oneLine(judged.rule)}`]
  const { auctionId, title, seller, author, seq, hashes } = judged.by
  return [
    `${paint.good('valid')}  ${paint.bold(`${oneLine(seller)} has signed two histories of ${oneLine(title)}`)}`,
    ...facts([
      ['auction', auctionId],
      ['author', author.nodeId],
      ['key', author.publicKey],
      ['event', `they differ from event ${seq} on`],
      ['commit', hashes[0]],
      ['commit', hashes[1]],
    ]).map((line) => `  ${line}`),
  ]
}

export function judgedJson(judged: Judged): Json {
  if (!judged.proven) return { valid: false, kind: 'equivocation', rule: judged.rule }
  const { auctionId, title, seller, author, seq, hashes } = judged.by
  return {
    valid: true,
    kind: 'equivocation',
    auction_id: auctionId,
    title,
    seller,
    author: { node_id: author.nodeId, public_key: author.publicKey },
    seq,
    hashes: [...hashes],
  }
}
