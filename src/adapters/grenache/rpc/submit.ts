import { z } from 'zod'
import { defineRpc } from '../define-rpc.js'
import { submitAnswerSchema } from '../outcome-schema.js'
import { MAX_COMMANDS_PER_SUBMIT, remoteCommandSchema, submittedOrderSchema } from '../peer-schemas.js'

export const submitRpc = defineRpc({
  name: 'vendue.submit',
  access: 'peer',
  effect: 'command',
  request: z.strictObject({
    commands: z.array(remoteCommandSchema).min(1).max(MAX_COMMANDS_PER_SUBMIT),
    orders: z.array(submittedOrderSchema).max(MAX_COMMANDS_PER_SUBMIT),
  }),
  result: submitAnswerSchema(MAX_COMMANDS_PER_SUBMIT),
  handler:
    (peers) =>
    ({ commands, orders }) =>
      peers.submit(commands, orders),
})
