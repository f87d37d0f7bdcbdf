import { z } from 'zod'
import { NODE_ID } from '../../../application/log/ids.js'
import type { Party } from '../../../domain/party.js'
import type { RemoteCommand } from '../../../domain/remote-command.js'
import { defineRpc, ROLES, requireSelf } from './define-rpc.js'
import { MAX_COMMANDS_PER_SUBMIT, remoteCommandSchema, submittedMandateSchema } from './peer-schemas.js'
import { submitAnswerSchema } from './submit-answer-schema.js'

export const submitRpc = defineRpc({
  name: 'vendue.submit',
  access: 'peer',
  roles: ROLES.homes,
  effect: 'command',
  request: z.strictObject({
    commands: z.array(remoteCommandSchema).min(1).max(MAX_COMMANDS_PER_SUBMIT),
    mandates: z.array(submittedMandateSchema).max(MAX_COMMANDS_PER_SUBMIT),
  }),
  result: submitAnswerSchema(MAX_COMMANDS_PER_SUBMIT),
  checkSpeaker({ commands }, by) {
    for (const command of commands) {
      const { id } = speakerOf(command)
      // A node vouches for the accounts and guests of its gateway, but for no other node.
      if (NODE_ID.test(id)) requireSelf(id, by, 'commands')
    }
  },
  handler:
    (peers) =>
    ({ commands, mandates }, _, requestIds) =>
      peers.submit(commands, mandates, requestIds),
})

function speakerOf(command: RemoteCommand): Party {
  return command.type === 'PlaceBid' || command.type === 'BuyNow' ? command.bidder : command.by
}
