import { createHash } from 'node:crypto'
import type { Clock } from '../../ports/system/clock.js'
import type { Random } from '../../ports/system/random.js'
import { base32, base32Number } from './base32.js'

/** 130 bits in base 32: as good as no collisions, and short enough to read aloud from its first characters. */
const ID_LENGTH = 26

export const AUCTION_ID = /^auc_[0-9a-hjkmnp-tv-z]{26}$/
export const NODE_ID = /^node_[0-9a-hjkmnp-tv-z]{26}$/
export const MESH_ID = /^mesh_[0-9a-hjkmnp-tv-z]{26}$/
/** Command ids are made by clients; anything within this form is taken. */
export const COMMAND_ID = /^(bid|cmd)_[0-9A-Za-z_-]{8,64}$/

/** The id of the auction that a commit with this hash (hex) opens. */
export function auctionIdOf(openingHash: string): string {
  return `auc_${base32(Buffer.from(openingHash, 'hex'), ID_LENGTH)}`
}

/** The id of the node that holds this public key (base64url): from its SHA-256. */
export function nodeIdOf(publicKey: string): string {
  const known = nodeIds.get(publicKey)
  if (known !== undefined) return known
  const nodeId = newNodeId(publicKey)
  if (nodeIds.size >= MAX_REMEMBERED_KEYS) nodeIds.clear()
  nodeIds.set(publicKey, nodeId)
  return nodeId
}

/** Few keys sign most of what there is to check. */
const nodeIds = new Map<string, string>()
const MAX_REMEMBERED_KEYS = 1_000

function newNodeId(publicKey: string): string {
  const digest = createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest()
  return `node_${base32(digest, ID_LENGTH)}`
}

/**
 * A new command id: the time in milliseconds, then 80 random bits. Ids made one after the other lie close together in
 * an index, which keeps inserts fast.
 */
export function newCommandId(prefix: 'bid' | 'cmd', deps: { clock: Clock; random: Random }): string {
  return `${prefix}_${base32Number(deps.clock.now(), 10)}${base32(deps.random.bytes(10), 16)}`
}
