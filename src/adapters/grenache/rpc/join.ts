import { defineRpc } from './define-rpc.js'
import { joinAnswerSchema, joinRequestSchema } from './member-schemas.js'

export const joinRpc = defineRpc({
  name: 'vendue.join',
  access: 'mesh',
  roles: 'anybody',
  effect: 'command',
  request: joinRequestSchema,
  result: joinAnswerSchema,
  handler: (mesh) => (request) => mesh.join(request),
})
