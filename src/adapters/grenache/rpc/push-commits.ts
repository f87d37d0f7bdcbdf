import { z } from 'zod'
import { id } from '../../../application/log/input-schemas.js'
import { defineRpc, ROLES, requireSelf } from './define-rpc.js'
import { commitSchema, MAX_COMMITS_PER_PUSH, storedHeadSchema } from './peer-schemas.js'

export const pushCommitsRpc = defineRpc({
  name: 'vendue.push-commits',
  access: 'peer',
  roles: ROLES.homes,
  effect: 'command',
  unaudited: 'commits are signed, and lie in the log as they came',
  request: z.strictObject({ from: id, commits: z.array(commitSchema).min(1).max(MAX_COMMITS_PER_PUSH) }),
  result: z.strictObject({ stored: z.array(storedHeadSchema).max(MAX_COMMITS_PER_PUSH) }),
  checkSpeaker: ({ from }, by) => requireSelf(from, by, 'from'),
  handler:
    (peers) =>
    async ({ from, commits }) => ({ stored: await peers.pushCommits(from, commits) }),
})
