import type { z } from 'zod'
import type { Currency } from '../../domain/currency.js'
import type { AuctionResult } from '../../domain/events.js'
import { formatAmount, type Minor } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { Picture } from '../../domain/pictures/picture.js'
import type { ClusterStatus } from '../../ports/node/cluster-status.js'
import type { AuctionView, AutoBidView } from '../../ports/node/node-answers.js'
import type { PeerView } from '../../ports/node/node-info.js'
import type { NodeStatus, SyncStatus } from '../../ports/node/node-status.js'
import type { BidRecord } from '../../ports/store/auction-repository.js'
import type { ConsumerStatus } from '../../ports/store/consumer-status.js'
import { timeText } from '../log/time-text.js'
import type { auctionResult } from './public-events.js'

/**
 * What `--json` prints and the HTTP API answers: snake_case keys, amounts as decimal text beside their `currency`,
 * times as RFC 3339 in UTC, ids in full.
 */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export function jsonTime(ms: number): string
export function jsonTime(ms: number | null): string | null
export function jsonTime(ms: number | null): string | null {
  if (ms === null) return null
  if (ms !== lastTime.ms) lastTime = { ms, text: timeText(ms) }
  return lastTime.text
}

/** Events of one commit have the same time, which is formatted many times. */
let lastTime = { ms: 0, text: timeText(0) }

export function jsonAmount(minor: Minor, currency: Currency): string
export function jsonAmount(minor: Minor | null, currency: Currency): string | null
export function jsonAmount(minor: Minor | null, currency: Currency): string | null {
  return minor === null ? null : formatAmount(minor, currency)
}

function jsonParty({ id, name }: Party): { id: string; name: string } {
  return { id, name }
}

export function auctionJson(view: AuctionView) {
  const { state } = view
  const { terms } = state
  const { currency, softClose } = terms
  const amount = (minor: Minor | null) => jsonAmount(minor, currency)
  return {
    auction_id: view.auctionId,
    seq: view.head.seq,
    hash: view.head.hash,
    status: view.phase,
    title: terms.title,
    description: terms.description,
    currency: currency.code,
    start_price: jsonAmount(terms.startPrice, currency),
    price: amount(state.price),
    minimum: amount(view.minimum),
    leader: state.leader && jsonParty(state.leader),
    bid_count: state.bidCount,
    has_reserve: terms.reserveCommitment !== null,
    reserve_met: state.reserveMet,
    buy_now: amount(terms.buyNow),
    buy_now_available: view.buyNowAvailable,
    increments: terms.increments.map(({ from, step }) => ({
      from: jsonAmount(from, currency),
      step: jsonAmount(step, currency),
    })),
    seller: jsonParty(state.seller),
    home: {
      node_id: state.home.nodeId,
      name: view.homeName,
      public_key: state.home.publicKey,
      state: view.homeState,
      in_cluster: state.cluster !== null,
    },
    disputed: view.disputed,
    maxima_lost_since: state.maximaLostSince,
    opened_at: jsonTime(state.openedAt),
    opens_at: jsonTime(terms.opensAt),
    closes_at: jsonTime(state.closesAt),
    soft_close: softClose && {
      window_ms: softClose.windowMs,
      extension_ms: softClose.extensionMs,
      hard_stop_at: jsonTime(softClose.hardStopAt),
    },
    bidder_names: terms.bidderNames,
    gives_time_back: terms.givesTimeBack,
    pictures: terms.pictures.map(pictureJson),
    closed_at: state.status === 'closed' ? jsonTime(state.closedAt) : null,
    closed_by: state.status === 'closed' ? state.by : null,
    result: state.status === 'closed' ? auctionResultJson(state.result, currency) : null,
    cancelled_at: state.status === 'cancelled' ? jsonTime(state.cancelledAt) : null,
    cancelled_by: state.status === 'cancelled' ? state.by : null,
    cancel_reason: state.status === 'cancelled' ? state.reason : null,
    you: view.mine,
    auto_bid: view.autoBid && {
      limit: amount(view.autoBid.limit),
      state: view.autoBid.state,
      refusal: view.autoBid.refusal,
      updated_at: jsonTime(view.autoBid.updatedAt),
    },
  }
}

export function pictureJson({ hash, bytes, type, width, height, alt }: Picture) {
  return { hash, bytes, type, width, height, alt }
}

export function autoBidJson({ autoBid, auction }: AutoBidView): Json {
  const { currency } = auction.state.terms
  return {
    auction_id: autoBid.auctionId,
    limit: jsonAmount(autoBid.limit, currency),
    currency: currency.code,
    state: autoBid.state,
    refusal: autoBid.refusal,
    updated_at: jsonTime(autoBid.updatedAt),
    auction: auctionJson(auction),
  }
}

export function auctionResultJson(result: AuctionResult, currency: Currency): z.output<typeof auctionResult> {
  return result.sold
    ? {
        sold: true,
        winner: jsonParty(result.winner),
        price: formatAmount(result.price, currency),
        bid_id: result.bidId,
      }
    : { sold: false, reason: result.reason }
}

export function bidJson(bid: BidRecord, currency: Currency) {
  return {
    seq: bid.seq,
    at: jsonTime(bid.at),
    bid_id: bid.bidId,
    bidder: jsonParty(bid.bidder),
    kind: bid.kind,
    amount: jsonAmount(bid.amount, currency),
    price: jsonAmount(bid.price, currency),
    currency: currency.code,
    leads: bid.leads,
  }
}

export function peerJson(peer: PeerView) {
  return {
    node_id: peer.nodeId,
    name: peer.name,
    address: peer.address,
    dht_address: peer.dhtAddress,
    version: peer.version,
    state: peer.state,
    last_seen_at: jsonTime(peer.lastSeenAt),
    round_trip_ms: peer.roundTripMs,
    started_at: jsonTime(peer.incarnation),
  }
}

export function statusJson({ node, ...status }: NodeStatus): Json {
  return {
    node_id: node.nodeId,
    name: node.name,
    version: node.version,
    address: node.address,
    dht_address: node.dhtAddress,
    data_dir: status.dataDir,
    grape_url: status.grapeUrl,
    grape: status.grape,
    peers: { ...status.peers },
    auctions: { ...status.auctions },
    own_live: status.ownLive,
    bids: status.bids,
    sync: syncJson(status.sync),
    mesh: {
      mesh_id: status.mesh.meshId,
      authority: status.mesh.authority,
      members: status.mesh.members,
      conflict: status.mesh.conflict && { ...status.mesh.conflict },
    },
    held: status.held.map(({ auctionId, since, ...rest }) => ({
      auction_id: auctionId,
      ...rest,
      since: jsonTime(since),
    })),
    peer_wait: status.peerWait && {
      peers: [...status.peerWait.peers],
      until: jsonTime(status.peerWait.until),
    },
    clock_doubt: status.clockDoubt && {
      ahead_ms: status.clockDoubt.aheadMs,
      counts_in_ms: status.clockDoubt.countsInMs,
      holds: status.clockDoubt.holds,
    },
    peer_changes: status.peerChanges.map(({ at, nodeId, name, address, state, why }) => ({
      at: jsonTime(at),
      node_id: nodeId,
      name,
      address,
      state,
      why,
    })),
    pictures: {
      own_bytes: status.pictures.ownBytes,
      own_limit: status.pictures.ownLimit,
      copy_bytes: status.pictures.copyBytes,
      copy_limit: status.pictures.copyLimit,
    },
    cluster: status.cluster && clusterJson(status.cluster),
    consumers: status.consumers.map(consumerJson),
    started_at: jsonTime(node.incarnation),
    handshakes: status.handshakes && { ...status.handshakes },
    budgets: status.budgets.map(({ name, unit, limit, refillMs, fullest, refused }) => ({
      name,
      unit,
      limit,
      refill_ms: refillMs,
      refused,
      fullest: fullest && { ...fullest },
    })),
    uptime_ms: status.uptimeMs,
    pid: status.pid,
  }
}

export function consumerJson({ heldBy, lagMs, stopped, ...status }: ConsumerStatus): Json {
  return {
    ...status,
    held_by: heldBy,
    lag_ms: lagMs,
    stopped: stopped.map(({ auctionId, seq, rule, isSigned }) => ({
      auction_id: auctionId,
      seq,
      rule,
      is_signed: isSigned,
    })),
  }
}

export function clusterJson({ cluster, log, nodes, takeovers, takenOver, disputed, healed }: ClusterStatus): Json {
  return {
    cluster,
    log: {
      connected_to: log.connectedTo,
      outage: log.outage && { since: jsonTime(log.outage.since), code: log.outage.code, why: log.outage.why },
    },
    nodes: nodes.map(({ nodeId, name, address, state, beatAgeMs }) => ({
      node_id: nodeId,
      name,
      address,
      state,
      beat_age_ms: beatAgeMs,
    })),
    taken_over: takenOver,
    takeovers: takeovers.map(({ auctionId, at, from, why }) => ({
      auction_id: auctionId,
      at: jsonTime(at),
      from: { node_id: from.nodeId, name: from.name },
      why,
    })),
    disputed,
    healed_commits: healed,
  }
}

export function syncJson(sync: SyncStatus): Json {
  return {
    state: sync.state,
    since: jsonTime(sync.since),
    done: sync.done,
    total: sync.total,
    events_per_second: sync.eventsPerSecond,
    ms_left: sync.msLeft,
    refused: sync.refused,
    refused_auctions: sync.refusedAuctions.map(({ auctionId, seq, reason, home, homeName }) => ({
      auction_id: auctionId,
      seq,
      reason,
      home: { node_id: home, name: homeName },
    })),
    doubted_auctions: sync.doubtedAuctions.map(({ auctionId, seq, reason, peers }) => ({
      auction_id: auctionId,
      seq,
      reason,
      peers: [...peers],
    })),
  }
}
