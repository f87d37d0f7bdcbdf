import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { HomeMeshAdmin } from '../../services/mesh/mesh-admin.js'
import { openStore } from '../../src/adapters/sqlite/open-store.js'
import { loadNodeKey } from '../../src/adapters/system/node-key.js'
import { sealCommit } from '../../src/application/log/commit.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { loggedOutcome } from '../../src/application/submissions/logged-outcome.js'
import { type Auction, type OpenedAuction, UNOPENED } from '../../src/domain/auction.js'
import type { Head } from '../../src/domain/commit.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import { evolve } from '../../src/domain/evolve.js'
import { flatIncrement } from '../../src/domain/increments.js'
import type { Party } from '../../src/domain/party.js'
import { NO_SECRETS } from '../../src/domain/pricing.js'
import type { EventLog } from '../../src/ports/store/event-log.js'
import type { Signer } from '../../src/ports/system/signer.js'
import { BIDDERS, mandatesOf } from './bidding-nodes.js'

export interface FullStore {
  readonly auctions: number
  readonly bidsPerAuction: number
  readonly bidsPerCommit: number
}

const OPENED_AT = Date.now() - 3_600_000
const CLOSES_AT = Date.now() + 30 * 86_400_000
const APPENDS_AT_ONCE = 500

/**
 * Makes the data directory of a node "full" of this home directory, and the mesh that it is to be started in: the home
 * of open auctions with many bids, as if it had run for long.
 */
export async function fillStore(home: string, size: FullStore, mesh = 'test'): Promise<void> {
  const { meshId } = await new HomeMeshAdmin({ home }).init(mesh)
  const dataDir = join(home, 'nodes', 'full')
  mkdirSync(dataDir, { recursive: true })
  const store = await openStore(dataDir)
  const signer = loadNodeKey(dataDir)
  try {
    for (let i = 0; i < size.auctions; i += APPENDS_AT_ONCE) {
      const count = Math.min(APPENDS_AT_ONCE, size.auctions - i)
      await Promise.all(
        Array.from({ length: count }, (_, k) => auction(store.eventLog, signer, i + k, { ...size, meshId })),
      )
    }
  } finally {
    await store.close()
  }
}

/** The opening, and all bids. */
async function auction(
  log: EventLog,
  signer: Signer,
  i: number,
  { bidsPerAuction, bidsPerCommit, meshId }: FullStore & { readonly meshId: string },
): Promise<void> {
  const nodeId = nodeIdOf(signer.publicKey)
  const opening: AuctionEvent = {
    type: 'AuctionOpened',
    at: OPENED_AT,
    commandId: `cmd_fill${String(i).padStart(6, '0')}`,
    meshId,
    seller: { id: nodeId, name: 'full' },
    home: { nodeId, publicKey: signer.publicKey },
    cluster: null,
    terms: {
      title: `Lot ${i}`,
      description: 'One of many.',
      currency: { code: 'EUR', exponent: 2 },
      startPrice: 100,
      reserveCommitment: null,
      increments: flatIncrement(1),
      buyNow: null,
      opensAt: null,
      closesAt: CLOSES_AT,
      softClose: null,
      bidderNames: 'public',
      givesTimeBack: true,
      pictures: [],
    },
  }
  let last = await append(log, signer, { state: UNOPENED, auctionId: null, head: null }, [opening])
  for (let k = 0; k < bidsPerAuction; k += bidsPerCommit) {
    const count = Math.min(bidsPerCommit, bidsPerAuction - k)
    last = await append(
      log,
      signer,
      last,
      Array.from({ length: count }, (_, n) => bid(i, k + n)),
    )
  }
}

function bid(i: number, k: number): AuctionEvent {
  const price = 100 + k
  return {
    type: 'BidPlaced',
    at: OPENED_AT + k,
    bidId: `bid_fill${String(i).padStart(6, '0')}x${String(k).padStart(7, '0')}`,
    bidder: BIDDERS[k % BIDDERS.length] as Party,
    amount: price,
    commitment: null,
    price,
    leads: true,
    reserveMet: true,
  }
}

interface Last {
  readonly state: Auction
  readonly auctionId: string | null
  readonly head: Head | null
}

async function append(
  log: EventLog,
  signer: Signer,
  { state: before, auctionId, head }: Last,
  events: readonly AuctionEvent[],
): Promise<Last> {
  const prevHash = head?.hash ?? null
  const mandates = auctionId === null ? [] : mandatesOf(auctionId, events, signer)
  const commit = sealCommit({ auctionId, firstSeq: (head?.seq ?? 0) + 1, prevHash, events, mandates }, signer)
  const state = events.reduce<Auction>(evolve, before) as OpenedAuction
  const { auctionId: id, firstSeq } = commit
  await log.append({
    commit,
    prevHash,
    events,
    state,
    secret: { secrets: { ...NO_SECRETS, leaderMax: state.price }, sealed: [] },
    outcomes: events.flatMap((event, i) => loggedOutcome(event, id, firstSeq + i, state, undefined) ?? []),
  })
  return { auctionId: commit.auctionId, head: { seq: commit.lastSeq, hash: commit.hash }, state }
}
