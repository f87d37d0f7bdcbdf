import { z } from 'zod'
import { defineRpc } from '../define-rpc.js'
import { commitSchema, headSchema, MAX_COMMITS_PER_PULL } from '../peer-schemas.js'
import { id, seq } from '../text-schema.js'

export const pullCommitsRpc = defineRpc({
  name: 'vendue.pull-commits',
  access: 'peer',
  effect: 'read',
  request: z.strictObject({ auctionId: id, fromSeq: seq }),
  result: z.strictObject({
    commits: z.array(commitSchema).max(MAX_COMMITS_PER_PULL),
    head: headSchema.nullable(),
  }),
  handler:
    (peers) =>
    ({ auctionId, fromSeq }) =>
      peers.pullCommits(auctionId, fromSeq),
})
