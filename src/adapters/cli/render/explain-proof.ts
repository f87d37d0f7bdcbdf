import type { Json } from '../../../application/gateway/json-shapes.js'
import type { judgeProof } from '../../../application/proof/equivocation.js'
import type { Look } from './look.js'
import { facts } from './table.js'
import { oneLine } from './terminal-text.js'

type Judged = ReturnType<typeof judgeProof>

export function judgedLines(judged: Judged, { paint }: Look): string[] {
  if (!judged.proven) return [`${paint.bad('NOT VALID')}  this proves nothing: ${oneLine(judged.rule)}`]
  const { auctionId, title, seller, by, author, seq, hashes } = judged.by
  const said =
    by === 'home'
      ? `${oneLine(seller)} has signed two histories of ${oneLine(title)}`
      : `the cluster of ${oneLine(title)} and its homes have signed two histories of it`
  return [
    `${paint.good('valid')}  ${paint.bold(said)}`,
    ...facts([
      ['auction', auctionId],
      ...(by === 'home' ? ([['author', author.nodeId]] as const) : []),
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
