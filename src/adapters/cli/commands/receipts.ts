import { jsonTime } from '../../../application/gateway/json-shapes.js'
import { areSigned } from '../../../application/submissions/receipt.js'
import { COMMAND_WORDS } from '../../../domain/remote-command.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import type { Receipt, SignedReceipts } from '../../../ports/store/receipt-repository.js'
import { Ed25519Verifier } from '../../system/node-key.js'
import type { NodeCommand } from '../parse/command.js'
import { EXIT } from '../parse/exit-codes.js'
import { showTime } from '../render/look.js'
import { table } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'

export const receiptsCommand: NodeCommand = {
  usage: 'receipts [auction]',
  summary: 'List what homes have signed for your commands, accepted and rejected.',
  positionals: { auction: 'Id of the auction, or the start of one; all of them otherwise' },
  examples: [
    ['receipts', 'all that your node keeps'],
    ['receipts auc_7k2m --json', 'those of one auction, with their signatures'],
  ],
  notes: 'With `verify FILE --receipts` they prove that no bid of yours was left out of a log or altered in it.',
  async run({ api, out }, args) {
    const verifier = new Ed25519Verifier()
    const batches = await allReceipts(await api(), args.text('auction'))
    const rows = batches.flatMap((signed) => {
      const good = areSigned(signed, verifier)
      return signed.receipts.map((receipt) => ({ receipt, signed, good }))
    })
    out.document({
      receipts: rows.map(({ receipt, signed, good }) => ({
        auction_id: receipt.command.auctionId,
        command_id: receipt.command.commandId,
        type: COMMAND_WORDS[receipt.command.type],
        status: receipt.outcome.status,
        seq: receipt.outcome.status === 'accepted' ? receipt.outcome.seq : null,
        reason: receipt.outcome.status === 'rejected' ? receipt.outcome.rejection.code : null,
        at: jsonTime(receipt.outcome.at),
        home: { node_id: signed.home.nodeId, public_key: signed.home.publicKey },
        signed_at: jsonTime(signed.signedAt),
        signature: signed.signature,
        signature_valid: good,
      })),
    })
    if (rows.length === 0) out.lines('No receipts yet: they come with the answers to your bids.')
    else
      out.lines(
        ...table(rows, [
          { title: 'TIME', cell: ({ receipt }) => showTime(receipt.outcome.at, out.look) },
          { title: 'COMMAND', cell: ({ receipt }) => oneLine(receipt.command.commandId) },
          { title: 'AUCTION', cell: ({ receipt }) => oneLine(receipt.command.auctionId) },
          { title: 'OUTCOME', cell: ({ receipt }) => outcomeWords(receipt) },
          {
            title: 'SIGNED',
            cell: ({ good }) => (good ? out.look.paint.good('yes') : out.look.paint.bad('NO')),
          },
        ]),
      )
    return EXIT.done
  },
}

function outcomeWords({ outcome }: Receipt): string {
  return outcome.status === 'accepted' ? `accepted, event ${outcome.seq}` : `rejected, ${outcome.rejection.code}`
}

/** Of one auction, or of all. */
export async function allReceipts(api: NodeApi, auction: string | undefined): Promise<SignedReceipts[]> {
  const all: SignedReceipts[] = []
  let after: number | null = 0
  while (after !== null) {
    const page: Awaited<ReturnType<NodeApi['receipts']>> = await api.receipts({
      ...(auction !== undefined && { auction }),
      after,
    })
    all.push(...page.signed)
    after = page.next
  }
  return all
}
