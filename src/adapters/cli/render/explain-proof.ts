import type { Json } from '../../../application/gateway/json-shapes.js'
import type { judgeProof } from '../../../application/proof/equivocation.js'
import type { Look } from './look.js'
import { facts } from './table.js'
import { oneLine } from './terminal-text.js'

type Judged = ReturnType<typeof judgeProof>

export function judgedLines(judged: Judged, { paint }: Look): string[] {
  if (!judged.proven) return [`${paint.bad('NOT VALID')}  this proves nothing: ${oneLine(judged.rule)}`]
  const { auctionId, title, by, author, seq, hashes } = judged.by
  // Not its seller, who may be somebody else: a home that the auction was handed over to, or an account's.
  const said =
    by === 'home'
      ? `a home of ${oneLine(title)} has signed two histories of it`
      : `the cluster of ${oneLine(title)} and its homes have signed two histories of it`
  return [
    `${paint.good('valid')}  ${paint.bold(said)}`,
    ...facts([
      ['auction', auctionId],
      ...(by === 'home' ? ([['home', author.nodeId]] as const) : []),
      [by === 'home' ? 'key' : 'cluster', author.publicKey],
      ['event', `they differ from event ${seq} on`],
      ['commit', hashes[0]],
      ['commit', hashes[1]],
    ]).map((line) => `  ${line}`),
  ]
}

export function judgedJson(judged: Judged): Json {
  if (!judged.proven) return { valid: false, kind: 'equivocation', rule: judged.rule }
  const { auctionId, title, seller, by, author, seq, hashes } = judged.by
  return {
    valid: true,
    kind: 'equivocation',
    auction_id: auctionId,
    title,
    seller,
    by,
    author: { node_id: author.nodeId, public_key: author.publicKey },
    seq,
    hashes: [...hashes],
  }
}
