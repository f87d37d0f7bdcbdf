import { hash } from 'node:crypto'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { ReceiptSignature, SubmitResult } from '../../ports/mesh/home-messages.js'
import type { Outcome } from '../../ports/store/outcome-repository.js'
import type { Receipt, SignedReceipts } from '../../ports/store/receipt-repository.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import { nodeIdOf } from '../log/ids.js'
import { fingerprintOf } from './home-command.js'

/**
 * A receipt is what a home says of one command: "I took this command, at this time, as event 7" or "I refused it,
 * for this reason". The home signs all receipts of an answer at once, over the list of their digests, so that a
 * batch costs one signature; with that list, any one of them can be shown to others without the rest.
 */

/** The lines that are digested: the command as it was given, and what became of it. */
export function receiptText({ command, outcome }: Receipt): string {
  const { auctionId, commandId } = command
  return `vendue-receipt-v1\n${auctionId}\n${commandId}\n${fingerprintOf(command)}\n${outcomeLine(outcome)}\n`
}

function outcomeLine(outcome: Outcome): string {
  if (outcome.status === 'rejected') return `rejected ${outcome.at} ${outcome.rejection.code}`
  const { at, seq, bid } = outcome
  const standing = bid ? ` ${bid.leads ? 'leads' : 'outbid'} ${bid.price} ${bid.reserveMet ? 'met' : 'unmet'}` : ''
  return `accepted ${at} ${seq}${standing}`
}

export function receiptDigest(receipt: Receipt): string {
  return hash('sha256', receiptText(receipt), 'hex')
}

/** What a home signs: its id, its time, how many receipts, and the SHA-256 of their digests, a line each. */
export function receiptsText(nodeId: string, signedAt: number, digests: readonly string[]): string {
  const list = hash('sha256', digests.map((digest) => `${digest}\n`).join(''), 'hex')
  return `vendue/receipts/v1/${nodeId}\n${signedAt}\n${digests.length}\n${list}\n`
}

/** The commands that have an outcome, with it. */
export function receiptsOf(commands: readonly RemoteCommand[], results: readonly SubmitResult[]): Receipt[] {
  return commands.flatMap((command, i) => {
    const result = results[i]
    return result?.ok ? [{ command, outcome: result.outcome }] : []
  })
}

/** Null where there is nothing to sign. */
export function signReceipts(receipts: readonly Receipt[], signer: Signer, signedAt: number): ReceiptSignature | null {
  if (receipts.length === 0) return null
  const text = receiptsText(nodeIdOf(signer.publicKey), signedAt, receipts.map(receiptDigest))
  return { signedAt, signature: signer.sign(text) }
}

/** Whether the home did say all this. */
export function areSigned(signed: SignedReceipts, verifier: SignatureVerifier): boolean {
  const { home, signedAt, signature, receipts } = signed
  if (nodeIdOf(home.publicKey) !== home.nodeId) return false
  const fitting = receipts.every(({ command, outcome }) => command.commandId === outcome.commandId)
  const text = receiptsText(home.nodeId, signedAt, receipts.map(receiptDigest))
  return fitting && verifier.verify(text, signature, home.publicKey)
}
