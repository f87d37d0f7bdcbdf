import { nodeIdOf } from '../../../application/log/ids.js'
import { defineRpc } from './define-rpc.js'
import { joinAnswerSchema, joinRequestSchema } from './member-schemas.js'

export const joinRpc = defineRpc({
  name: 'vendue.join',
  access: 'mesh',
  roles: 'anybody',
  effect: 'command',
  request: joinRequestSchema,
  result: joinAnswerSchema,
  acts: (request, answer) => [
    'code' in answer ? { code: answer.code } : { code: 'ok', about: nodeIdOf(request.publicKey) },
  ],
  handler: (mesh) => (request) => mesh.join(request),
})
