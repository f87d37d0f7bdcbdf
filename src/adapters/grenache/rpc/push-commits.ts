import { z } from 'zod'
import { defineRpc } from '../define-rpc.js'
import { commitSchema, MAX_COMMITS_PER_PUSH } from '../peer-schemas.js'
import { id } from '../text-schema.js'

export const pushCommitsRpc = defineRpc({
  name: 'vendue.push-commits',
  access: 'peer',
  effect: 'command',
  request: z.strictObject({ from: id, commits: z.array(commitSchema).min(1).max(MAX_COMMITS_PER_PUSH) }),
  result: z.null(),
  handler:
    (peers) =>
    async ({ from, commits }) => {
      await peers.pushCommits(from, commits)
      return null
    },
})
