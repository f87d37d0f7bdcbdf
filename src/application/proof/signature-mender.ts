import type { Commit } from '../../domain/commit.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { Logger } from '../../ports/system/logger.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import { isSigned } from '../log/commit.js'
import { nodeIdOf } from '../log/ids.js'
import type { PeerTable } from '../mesh/peer-table.js'

export interface SignatureMenderDeps {
  readonly eventLog: Pick<EventLog, 'replaceSignature'>
  readonly peerClient: Pick<PeerClient, 'pullCommits'>
  readonly peerTable: Pick<PeerTable, 'reachable'>
  readonly signer: Pick<Signer, 'publicKey'>
  readonly verifier: SignatureVerifier
  readonly logger: Logger
}

/** Peers that are asked for one signature, the author first. */
const MAX_ASKED = 8
const ASK_TIMEOUT_MS = 3_000
/** Auctions of which is remembered how far their signatures have been looked at. */
const MAX_REMEMBERED = 10_000

/**
 * Sees to it that what leaves this node as a proof is signed throughout. Of what is pulled in bulk only those
 * signatures are checked that speak for the rest, so whoever passes commits on could have spoiled one in between. That
 * one is fetched again, from its author or from whoever has it whole.
 */
export class SignatureMender {
  readonly #deps: SignatureMenderDeps
  /** By auction: the seq up to which all is signed. */
  readonly #whole = new Map<string, number>()

  constructor(deps: SignatureMenderDeps) {
    this.#deps = deps
  }

  /** A page of an auction's log as it is stored, each with a signature that holds as far as any peer has it. */
  async mend<C extends Commit>(commits: readonly C[]): Promise<C[]> {
    const mended: C[] = []
    for (const commit of commits) {
      const { auctionId, firstSeq, lastSeq } = commit
      const whole = this.#whole.get(auctionId) ?? 0
      const signed = lastSeq <= whole || this.#isSigned(commit) ? commit : await this.#fetched(commit)
      mended.push(signed ?? commit)
      if (signed !== null && firstSeq === whole + 1) this.#remember(auctionId, lastSeq)
    }
    return mended
  }

  /** This node's own signatures come from no peer. */
  #isSigned(commit: Commit): boolean {
    return commit.signer === this.#deps.signer.publicKey || isSigned(commit, this.#deps.verifier)
  }

  async #fetched<C extends Commit>(commit: C): Promise<C | null> {
    const { auctionId, firstSeq, hash, signer } = commit
    const { peerClient, peerTable, eventLog, verifier, logger } = this.#deps
    const author = nodeIdOf(signer)
    const peers = peerTable.reachable().map(({ info }) => info)
    peers.sort((a, b) => Number(b.nodeId === author) - Number(a.nodeId === author))
    for (const { address, name } of peers.slice(0, MAX_ASKED)) {
      const want = { auctionId, fromSeq: firstSeq }
      const pages = await peerClient
        .pullCommits(address, [want], { timeoutMs: ASK_TIMEOUT_MS })
        .catch((error: unknown) => {
          logger.debug({ err: error, peer: name, auctionId }, 'a peer did not give a signature')
          return []
        })
      const found = pages[0]?.commits.find((one) => one.hash === hash && one.firstSeq === firstSeq)
      const whole = found && { ...commit, signature: found.signature }
      if (!whole || !isSigned(whole, verifier)) continue
      await eventLog.replaceSignature(whole)
      logger.warn({ auctionId, seq: firstSeq, peer: name }, 'a spoiled signature was fetched again')
      return whole
    }
    logger.warn({ auctionId, seq: firstSeq }, 'a signature is spoiled, and no peer has it whole')
    return null
  }

  #remember(auctionId: string, seq: number): void {
    if (this.#whole.size >= MAX_REMEMBERED) this.#whole.clear()
    this.#whole.set(auctionId, seq)
  }
}
