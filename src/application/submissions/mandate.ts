/** Room `submissions`: who wanted what, signed: the mandates of nodes, and the receipts of homes. */

import { hash } from 'node:crypto'
import type { OpenedAuction } from '../../domain/auction.js'
import type { NewEnd } from '../../domain/commands.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import { isNode, type Party } from '../../domain/party.js'
import { COMMAND_WORDS, type RemoteCommand } from '../../domain/remote-command.js'
import type { SubmittedMandate } from '../../ports/mesh/home-messages.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import { commitmentOf } from '../log/commitment.js'
import { nodeIdOf } from '../log/ids.js'
import type { CommittedMandate } from '../log/written-body.js'

/** Where a command stands in the order that it came with. */
export interface MandatedCommand {
  readonly mandate: SignedMandate
  readonly place: number
}

/**
 * A mandate is what a node asks of an auction in its own signed words: its user's commands, or those of accounts that
 * it vouches for. It is signed once for all commands of one request; bids, and what sellers do, stand in the log
 * together with the mandates that they came with, so that no home can make them up.
 */
export interface SignedMandate extends Omit<CommittedMandate, 'commands'> {
  /** Of each command in the mandate, accepted or not: SHA-256 of its text, base64url. */
  readonly digests: readonly string[]
}

/** A maximum goes into it as its commitment alone: the mandate is public, the maximum is not. */
export function commandDigest(command: RemoteCommand): string {
  const { auctionId, commandId } = command
  return digestOf(auctionId, commandId, partyOf(command), contentOf(command))
}

/** Who sells, and which nodes speak for a seller who is no node. No commit changes them for its own commands. */
export type SellerFacts = Pick<OpenedAuction, 'seller' | 'openedBy' | 'keptByCluster'>

export function sellerFactsOf({ seller, openedBy, keptByCluster }: OpenedAuction): SellerFacts {
  return { seller, openedBy, keptByCluster }
}

/** Of the command that an event carries out; null for an event that nobody has to mandate. */
export function eventDigest(auctionId: string, event: AuctionEvent, { seller }: SellerFacts): string | null {
  const commandId = commandIdOf(event)
  if (commandId === null) return null
  const party = 'bidder' in event ? event.bidder : nameless(seller)
  return digestOf(auctionId, commandId, party, carriedOut(event))
}

function carriedOut(event: AuctionEvent): string {
  switch (event.type) {
    case 'BidPlaced':
      return event.amount === null ? `max ${event.commitment}` : `plain ${event.amount}`
    case 'MaxBidChanged':
      return `max ${event.commitment}`
    case 'LotBoughtNow':
      return 'buy-now'
    case 'AuctionClosed':
      return 'close'
    case 'AuctionExtended':
      return extending(event.addedMs === undefined ? event : { addedMs: event.addedMs })
    case 'AuctionCancelled':
      return cancelling(event.reason)
    default:
      throw new Error(`no mandate covers an event ${event.type}`)
  }
}

const extending = (end: NewEnd) => ('addedMs' in end ? `extend by ${end.addedMs}` : `extend to ${end.closesAt}`)
const cancelling = (reason: string) => `cancel ${hash('sha256', reason, 'hex')}`
/** What a seller does names no seller: the auction does. */
const nameless = ({ id }: Party): Party => ({ id, name: '' })

/** The lines that are digested. A name is the last of them, since it may hold anything. */
function digestOf(auctionId: string, commandId: string, { id, name }: Party, content: string): string {
  return hash('sha256', `vendue-mandate-v1\n${auctionId}\n${commandId}\n${content}\n${id}\n${name}\n`, 'base64url')
}

function partyOf(command: RemoteCommand): Party {
  return 'bidder' in command ? command.bidder : nameless(command.by)
}

function contentOf(command: RemoteCommand): string {
  switch (command.type) {
    case 'PlaceBid': {
      const { auctionId, commandId, kind, amount } = command
      if (kind === 'plain') return `plain ${amount}`
      return `max ${commitmentOf({ scope: auctionId, id: commandId, amount, salt: command.salt })}`
    }
    case 'BuyNow':
    case 'CloseAuction':
      return COMMAND_WORDS[command.type]
    case 'CancelAuction':
      return cancelling(command.reason)
    case 'ExtendAuction':
      return extending(command)
    default: {
      const unknown: never = command
      throw new Error(`unknown command ${JSON.stringify(unknown)}`)
    }
  }
}

/** What a node signs: for which auction, when, how many commands, and the SHA-256 of their digests, a line each. */
export function mandateText(auctionId: string, signedAt: number, digests: readonly string[]): string {
  const list = hash('sha256', `${digests.join('\n')}\n`, 'hex')
  return `vendue/mandate/v1/${auctionId}\n${signedAt}\n${digests.length}\n${list}\n`
}

/** One mandate for each auction among the commands, by its id. */
export function signMandates(
  commands: readonly RemoteCommand[],
  signer: Signer,
  signedAt: number,
): ReadonlyMap<string, SignedMandate> {
  const mandates = new Map<string, SignedMandate>()
  for (const [auctionId, own] of byAuction(commands)) {
    const digests = own.map(commandDigest)
    const signature = signer.sign(mandateText(auctionId, signedAt, digests))
    mandates.set(auctionId, { signer: signer.publicKey, signedAt, digests, signature })
  }
  return mandates
}

/** Of each command, which of these mandates covers it, and where. */
export function mandatedCommands(
  commands: readonly RemoteCommand[],
  mandates: ReadonlyMap<string, SignedMandate>,
): MandatedCommand[] {
  const places = new Map<SignedMandate, number>()
  return commands.map(({ auctionId }) => {
    const mandate = mandates.get(auctionId)
    if (mandate === undefined) throw new Error(`no mandate covers the commands for ${auctionId}`)
    const place = places.get(mandate) ?? 0
    places.set(mandate, place + 1)
    return { mandate, place }
  })
}

/** As they travel with the commands, from which the home makes the digests itself. */
export function submittedMandates(mandates: ReadonlyMap<string, SignedMandate>): SubmittedMandate[] {
  return [...mandates].map(([auctionId, { signer, signedAt, signature }]) => ({
    auctionId,
    signer,
    signedAt,
    signature,
  }))
}

/** The mandates that cover these commands, by auction; or why one of them does not. */
export function checkMandates(
  commands: readonly RemoteCommand[],
  mandates: readonly SubmittedMandate[],
  verifier: SignatureVerifier,
): { readonly mandates: ReadonlyMap<string, SignedMandate> } | { readonly rule: string } {
  const submitted = new Map(mandates.map((mandate) => [mandate.auctionId, mandate]))
  const checked = new Map<string, SignedMandate>()
  for (const [auctionId, own] of byAuction(commands)) {
    const mandate = submitted.get(auctionId)
    if (mandate === undefined) return { rule: `no mandate covers the commands for ${auctionId}` }
    const { signer, signedAt, signature } = mandate
    const stranger = own.find((command) => !speaksFor(signer, partyOf(command)))
    if (stranger) return { rule: `${stranger.commandId} is of another node than the one that signed the mandate` }
    const signed = { signer, signedAt, signature, digests: own.map(commandDigest) }
    if (!isMandateSigned(auctionId, signed, verifier))
      return { rule: `the signature of the mandate for ${auctionId} does not hold` }
    checked.set(auctionId, signed)
  }
  return { mandates: checked }
}

/** A node speaks for its own user, and for accounts, which are no nodes. */
export function speaksFor(signer: string, party: Party): boolean {
  return !isNode(party) || nodeIdOf(signer) === party.id
}

/**
 * A seller who is no node is vouched for by the node at which the auction was opened, and by its present home, whose
 * key is `home`, as long as the opening's cluster keeps it: sellers go on when the first home has died.
 */
export function vouchesForSeller(signer: string, home: string, { seller, openedBy, keptByCluster }: SellerFacts) {
  if (isNode(seller)) return speaksFor(signer, seller)
  return nodeIdOf(signer) === openedBy || (keptByCluster && signer === home)
}

export function isMandateSigned(auctionId: string, mandate: SignedMandate, verifier: SignatureVerifier): boolean {
  const { signer, signedAt, digests, signature } = mandate
  return verifier.verify(mandateText(auctionId, signedAt, digests), signature, signer)
}

/** Whether a mandate of then may be carried out now, as far as the clocks show. */
export function isInTime(signedAt: number, at: number, maxAgeMs: number): boolean {
  return Math.abs(at - signedAt) <= maxAgeMs
}

function byAuction(commands: readonly RemoteCommand[]): Map<string, RemoteCommand[]> {
  const groups = new Map<string, RemoteCommand[]>()
  for (const command of commands) {
    const group = groups.get(command.auctionId)
    if (group) group.push(command)
    else groups.set(command.auctionId, [command])
  }
  return groups
}

/** Whether the signer may sign for what the event carries out, which `home` has put into a commit. */
export function maySign(signer: string, event: AuctionEvent, home: string, sellerFacts: SellerFacts): boolean {
  return 'bidder' in event ? speaksFor(signer, event.bidder) : vouchesForSeller(signer, home, sellerFacts)
}

/** A committed mandate as it was signed; null if a place in it is not that of a mandated event. */
export function asSigned(
  auctionId: string,
  { commands, ...mandate }: CommittedMandate,
  { events, sellerFacts }: { events: readonly AuctionEvent[]; sellerFacts: SellerFacts },
): SignedMandate | null {
  const digests: string[] = []
  for (const command of commands) {
    const event = typeof command === 'number' ? events[command] : undefined
    const digest = typeof command === 'string' ? command : event && eventDigest(auctionId, event, sellerFacts)
    if (!digest) return null
    digests.push(digest)
  }
  return { ...mandate, digests }
}
