import { z } from 'zod'
import { NODE_ID } from '../../../application/log/ids.js'
import { outcomeAct } from '../../../application/node/node-acts.js'
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
  acts(request, answer) {
    if ('code' in answer) return [{ code: answer.code }]
    return answer.result.results.flatMap((result, i) => {
      const command = request.commands[i]
      if (command === undefined) return []
      const { auctionId: auction, commandId } = command
      const became = result.ok ? outcomeAct(result.outcome) : { code: result.code }
      return [{ act: ACTS[command.type], who: speakerOf(command).id, auction, command: commandId, ...became }]
    })
  },
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

const ACTS: { readonly [T in RemoteCommand['type']]: string } = {
  PlaceBid: 'bid',
  BuyNow: 'bid.buy-now',
  CloseAuction: 'auction.close',
  CancelAuction: 'auction.cancel',
  ExtendAuction: 'auction.extend',
}

function speakerOf(command: RemoteCommand): Party {
  return command.type === 'PlaceBid' || command.type === 'BuyNow' ? command.bidder : command.by
}
