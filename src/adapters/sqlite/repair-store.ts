/** Long because what is saved, and in which order, has to be seen as a whole. */

import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readCommit } from '../../application/log/commit.js'
import { nodeIdOf } from '../../application/log/ids.js'
import { KeptBeside } from '../../application/log/kept-beside.js'
import { bidOf } from '../../application/log/read-model.js'
import { timeText } from '../../application/log/time-text.js'
import { type Verification, verifyLog } from '../../application/proof/verify-log.js'
import { plainBidFingerprint } from '../../application/submissions/home-command.js'
import { type Auction, type OpenedAuction, UNOPENED } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Commit } from '../../domain/commit.js'
import type { AuctionEvent } from '../../domain/events.js'
import { evolve } from '../../domain/evolve.js'
import type { Minor } from '../../domain/money.js'
import type { Secrets } from '../../domain/pricing.js'
import type { AutoBid } from '../../ports/store/auto-bid-repository.js'
import type { Breach } from '../../ports/store/breach-repository.js'
import type { EquivocationProof, ProofOwners } from '../../ports/store/equivocation-repository.js'
import type { Append } from '../../ports/store/event-log.js'
import type { Outcome, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import type { SignedReceipts } from '../../ports/store/receipt-repository.js'
import type { LostAuction, RepairReport, UnacceptedAuction } from '../../ports/store/repair-report.js'
import type { Store } from '../../ports/store/store.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { syncDirectory } from '../system/private-file.js'
import { DamagedStore, type FoundHead, type FoundRows, type OwnAuction } from './damaged-store.js'
import { openStore } from './open-store.js'
import { type AutoBidRow, checkAutoBid } from './sqlite-auto-bid-repository.js'
import { SqliteDataLock } from './sqlite-data-lock.js'
import { checkOutcome } from './sqlite-outcome-repository.js'
import { isSoundFile, StoreError } from './store-error.js'
import { commandsOf, type UnacceptedPart, unacceptedPart } from './unaccepted-part.js'

export interface RepairOptions {
  /** Of the node whose data these are. */
  readonly publicKey: string
  readonly verifier: SignatureVerifier
  /** UTC milliseconds. */
  readonly now: number
  /** An own auction that is to go back to what other nodes hold, if its log ends in what none of them reads. */
  readonly takeBack?: string | undefined
}

const DB = 'vendue.db'
const PAGE = 500

/**
 * Replaces a damaged database: what can be read and proven of the node's own auctions, and what only this node knows,
 * goes into a new file; the damaged one is kept beside it. Replicas are left out, peers have
 * them, but for those of auctions that this node handed on. An own auction
 * is taken over whole or not at all, since to go on from an earlier point would be to write a second history.
 * Rejects with `StoreError`: DATA_DIR_IN_USE while the node runs.
 */
export async function repairStore(dataDir: string, options: RepairOptions): Promise<RepairReport> {
  const path = join(dataDir, DB)
  if (!existsSync(path)) {
    throw new StoreError('STORE_FOREIGN', `${path} does not exist; there is nothing to repair`)
  }
  const lock = SqliteDataLock.acquire(dataDir)
  const draft = mkdtempSync(join(dataDir, 'repair-'))
  try {
    const report = await salvage(path, draft, options)
    if (report.damage === null) return report
    const movedTo = `${path}.damaged-${timeText(options.now).replace(/[:.]/g, '-')}`
    // The file first: without its write-ahead log it would pass for an older state, and the node would go on from
    // there.
    renameSync(path, movedTo)
    if (sizeOf(`${path}-wal`) > 0) renameSync(`${path}-wal`, `${movedTo}-wal`)
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
    renameSync(join(draft, DB), path)
    syncDirectory(dataDir)
    return { ...report, movedTo }
  } finally {
    rmSync(draft, { recursive: true, force: true })
    lock.release()
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

async function salvage(path: string, draft: string, options: RepairOptions): Promise<RepairReport> {
  const nothing = { auctions: [], events: 0, outcomes: 0, autoBids: 0, receipts: 0 }
  const store = await openStore(draft)
  let damaged: DamagedStore | null = null
  try {
    damaged = openDamaged(path)
    if (damaged === null) {
      const incomplete = ['everything']
      const lost = { auctions: [], commits: 0, incomplete }
      const damage = 'not even its beginning can be read'
      return { path, damage, movedTo: null, unaccepted: [], takenBack: [], saved: nothing, lost }
    }
    const structure = damaged.structuralDamage()
    const own = damaged.ownAuctions(nodeIdOf(options.publicKey))
    const ownRefs = own.rows.map(({ ref }) => ref)
    const { positions, damaged: badCommits } = damaged.commits(options.publicKey, ownRefs)
    const salvager = new Salvager(damaged, store, options)
    const { unaccepted, toTakeBack } = salvager.unaccepted(positions)
    const damage =
      structure ??
      (badCommits > 0 ? 'commits are not what their hashes say' : null) ??
      (toTakeBack ? `${toTakeBack} ends in what no node reads` : null) ??
      tablesDamage(damaged.damagedTables()) ??
      tablesDamage(damaged.tablesUnlikeLog()) ??
      (await salvager.faultOfSecrets(positions))
    const lost = { auctions: [], commits: badCommits, incomplete: [] }
    if (damage === null) return { path, damage, movedTo: null, unaccepted, takenBack: [], saved: nothing, lost }
    await salvager.auctions(positions, own)
    await salvager.privateTables()
    return salvager.report(path, damage, badCommits)
  } finally {
    damaged?.close()
    await store.close()
  }
}

/** Null if nothing of it can be read. */
function openDamaged(path: string): DamagedStore | null {
  if (sizeOf(path) === 0) return null
  try {
    return new DamagedStore(path)
  } catch (error) {
    if (error instanceof StoreError && isSoundFile(error)) throw error
    return null
  }
}

interface OutcomeRow {
  readonly command_id: string
  readonly fingerprint: string
  readonly outcome: string | null
  readonly sum: number | null
}

function tablesDamage(tables: readonly string[]): string | null {
  return tables.length === 0 ? null : `rows are not what was written: of ${tables.join(', ')}`
}

class UnsavableError extends Error {}

class Salvager {
  readonly #from: DamagedStore
  readonly #to: Store
  readonly #options: RepairOptions
  readonly #saved: string[] = []
  readonly #unaccepted: UnacceptedAuction[] = []
  readonly #takenBack: UnacceptedAuction[] = []
  readonly #lost: LostAuction[] = []
  readonly #incomplete = new Set<string>()
  readonly #outcomes = new Map<string, OutcomeRow>()
  #events = 0
  #savedOutcomes = 0
  #autoBids = 0
  #receipts = 0

  constructor(from: DamagedStore, to: Store, options: RepairOptions) {
    this.#from = from
    this.#to = to
    this.#options = options
    for (const row of this.#rows<OutcomeRow>('outcomes', 'command_id, fingerprint, outcome, sum', 'command_id'))
      if (this.#isSound('outcomes', () => checkOutcome(row))) this.#outcomes.set(row.command_id, row)
  }

  /** Own auctions that end in what no node reads, and the one of them that is to be taken back. */
  unaccepted(positions: ReadonlyMap<number, readonly number[]>): {
    unaccepted: readonly UnacceptedAuction[]
    toTakeBack: string | null
  } {
    const found = [...positions].flatMap(([ref, places]) => {
      const auctionId = this.#from.head(ref)?.auctionId
      const part = auctionId && unacceptedPart(this.#commits(places), this.#options.publicKey)
      return part ? [describe(auctionId, part)] : []
    })
    const { takeBack } = this.#options
    this.#unaccepted.push(...found.filter(({ auctionId }) => auctionId !== takeBack))
    const toTakeBack = found.find(({ auctionId }) => auctionId === takeBack)?.auctionId ?? null
    return { unaccepted: this.#unaccepted, toTakeBack }
  }

  #commits(places: readonly number[]): Commit[] {
    return places.flatMap((position) => this.#from.commit(position) ?? []).sort((a, b) => a.firstSeq - b.firstSeq)
  }

  async auctions(positions: ReadonlyMap<number, readonly number[]>, own: FoundRows<OwnAuction>): Promise<void> {
    for (const [ref, places] of positions) {
      const head = this.#from.head(ref)
      if (head === null) {
        const auctionId = this.#commits(places)[0]?.auctionId ?? 'unknown'
        this.#lost.push({ auctionId, why: 'where its log ended cannot be read' })
        continue
      }
      try {
        await this.#auction(ref, head, places)
      } catch (error) {
        if (!(error instanceof UnsavableError)) throw error
        this.#lost.push({ auctionId: head.auctionId, why: error.message })
      }
    }
    const known = new Set([...this.#saved, ...this.#lost.map(({ auctionId }) => auctionId)])
    if (!own.complete) this.#incomplete.add('auctions')
    for (const { auction_id: auctionId } of own.rows)
      if (!known.has(auctionId)) this.#lost.push({ auctionId, why: 'nothing of its log can be read' })
  }

  async #auction(ref: number, found: FoundHead, places: readonly number[]) {
    const all = this.#commits(places)
    const part = found.auctionId === this.#options.takeBack ? this.#takeBack(found.auctionId, all) : null
    const commits = part?.kept ?? all
    const last = part?.kept.at(-1)
    const head = last ? { ...found, seq: last.lastSeq, hash: last.hash } : found
    const verified = await this.#verify(commits)
    const why = whyUnsound(verified, head)
    if (why !== null) {
      if (await this.#isHandedOn(commits)) return
      throw new UnsavableError(why)
    }
    const { state } = (verified as Sound).summary
    if (state.home.publicKey !== this.#options.publicKey) return this.#saveReplica(commits)
    const sealed = this.#sealed(ref)
    const bodies = commits.map((commit) => ({ commit, body: readCommit(commit) }))
    const events = bodies.flatMap(({ body }) => body.events)
    const kept = this.#secrets(ref)
    const beside = new KeptBeside(head.auctionId)
    for (const event of events) beside.take(event)
    // The log says which maximum leads.
    const isLive = state.status === 'open' || state.status === 'scheduled'
    const secrets = kept && isLive ? { ...kept, leaderMax: leaderMaxAt(beside, sealed) } : kept
    if (isLive) demandSecrets(beside, secrets, sealed)
    let at: Auction = UNOPENED
    const appends: Append[] = []
    for (const { commit, body } of bodies) {
      for (const event of body.events) at = evolve(at, event)
      appends.push({
        commit,
        prevHash: body.prevHash,
        events: body.events,
        state: at as OpenedAuction,
        secret: {
          secrets: secrets ?? { reserve: null, leaderMax: null },
          sealed: sealedOf(body.events, sealed),
        },
        outcomes: this.#outcomesOf(commit, body.events, state),
      })
    }
    for (const append of appends) await this.#to.eventLog.append(append)
    this.#saved.push(head.auctionId)
    this.#events += events.length
  }

  /** What was answered by what is dropped has no answer any more: asked again, it is decided anew. */
  #takeBack(auctionId: string, commits: readonly Commit[]): UnacceptedPart | null {
    const part = unacceptedPart(commits, this.#options.publicKey)
    if (part === null) return null
    const described = describe(auctionId, part)
    for (const commandId of described.commands) this.#outcomes.delete(commandId)
    this.#takenBack.push(described)
    return part
  }

  #verify(commits: readonly Commit[]): Promise<Verification> {
    return verifyLog(placed(commits), this.#options, { allSignatures: true })
  }

  /** Saves the log as far as this node's own signed event that hands it on; peers have the rest. */
  async #isHandedOn(commits: readonly Commit[]): Promise<boolean> {
    const { publicKey } = this.#options
    const last = commits.findLastIndex(({ signer, body }) => signer === publicKey && body.includes('AuctionHandedOver'))
    const part = commits.slice(0, last + 1)
    const verified = await this.#verify(part)
    if (!verified.valid || verified.summary.state.home.publicKey === publicKey) return false
    await this.#saveReplica(part)
    return true
  }

  /**
   * An auction that this node has written a part of, and whose home is another: from peers it would take only what it
   * did not write itself.
   */
  async #saveReplica(commits: readonly Commit[]): Promise<void> {
    let at: Auction = UNOPENED
    const appends = commits.map((commit): Append => {
      const { prevHash, events } = readCommit(commit)
      for (const event of events) at = evolve(at, event)
      return { commit, prevHash, events, state: at as OpenedAuction }
    })
    for (const append of appends) await this.#to.eventLog.append(append)
  }

  #secrets(ref: number): Secrets | null {
    const [row] = this.#rows<{
      reserve_amount: number | null
      reserve_salt: string | null
      leader_max: number | null
    }>('auction_secrets', 'reserve_amount, reserve_salt, leader_max', 'auction', ref)
    if (row === undefined) return null
    const { reserve_amount: amount, reserve_salt: salt, leader_max: leaderMax } = row
    return { reserve: amount === null || salt === null ? null : { amount, salt }, leaderMax }
  }

  #sealed(ref: number): Map<string, SealedMaximum> {
    const columns = 'bid_id AS bidId, bidder_id AS bidderId, amount, salt'
    const rows = this.#rows<SealedMaximum>('sealed_maxima', columns, 'bid_id', ref)
    return new Map(rows.map((row) => [row.bidId, row]))
  }

  /** The outcomes that follow from the log; the others come with the private tables. */
  #outcomesOf(commit: Commit, events: readonly AuctionEvent[], { status }: OpenedAuction): RecordedOutcome[] {
    return events.flatMap((event, i): RecordedOutcome[] => {
      const bid = bidOf(event)
      if (bid === null) return []
      const row = this.#outcomes.get(bid.bidId)
      if (row === undefined) {
        if (status === 'open')
          throw new UnsavableError(`what bid ${bid.bidId} said cannot be read, so it might count twice`)
        return []
      }
      const { at, amount, bidder, leads, price, reserveMet } = bid
      const { auctionId, firstSeq } = commit
      const common = { status: 'accepted', commandId: bid.bidId, auctionId, seq: firstSeq + i, at } as const
      // What the log proves needs no copy.
      const outcome: Outcome = { ...common, bid: { leads, price, reserveMet } }
      this.#outcomes.delete(bid.bidId)
      this.#savedOutcomes += 1
      const fingerprint = row.fingerprint || plainBidFingerprint(auctionId, bidder.id, amount ?? 0)
      return [{ outcome, fingerprint }]
    })
  }

  async privateTables(): Promise<void> {
    const others = [...this.#outcomes.values()].flatMap(({ outcome: text, fingerprint }): RecordedOutcome[] => {
      const outcome = text === null ? null : this.#parse<Outcome>('outcomes', text)
      return outcome === null ? [] : [{ outcome, fingerprint }]
    })
    for (let i = 0; i < others.length; i += PAGE) await this.#to.outcomes.record(others.slice(i, i + PAGE))
    this.#savedOutcomes += others.length
    for (const row of this.#rows<AutoBidRow>('auto_bids', '*', 'auction_id')) {
      if (!this.#isSound('auto_bids', () => checkAutoBid(row))) continue
      await this.#to.autoBids.save(autoBidOf(row))
      this.#autoBids += 1
    }
    for (const row of this.#rows<{ auction_id: string }>('participations', '*', 'auction_id'))
      await this.#to.participations.add(row.auction_id)
    for (const row of this.#rows<{ proof: string } & ProofOwners>(
      'equivocations',
      'author, sender, bytes, proof',
      'rowid',
    )) {
      const { proof: text, ...owners } = row
      const proof = this.#parse<EquivocationProof>('equivocations', text)
      if (proof) await this.#to.equivocations.save(proof, owners)
    }
    for (const breach of this.#rows<Breach>('breaches', 'auction_id AS auctionId, seq, rule', 'rowid'))
      await this.#to.breaches.save(breach)
    const receipts = this.#rows<{ signed: string }>('receipts', 'signed', 'id').flatMap(
      ({ signed }) => this.#parse<SignedReceipts>('receipts', signed) ?? [],
    )
    for (let i = 0; i < receipts.length; i += PAGE) await this.#to.receipts.add(receipts.slice(i, i + PAGE))
    this.#receipts += receipts.length
  }

  report(path: string, damage: string, commits: number): RepairReport {
    return {
      path,
      damage,
      movedTo: null,
      unaccepted: this.#unaccepted,
      takenBack: this.#takenBack,
      saved: {
        auctions: this.#saved,
        events: this.#events,
        outcomes: this.#savedOutcomes,
        autoBids: this.#autoBids,
        receipts: this.#receipts,
      },
      lost: { auctions: this.#lost, commits, incomplete: [...this.#incomplete] },
    }
  }

  /** False for a row that is not what was written: it is left out, and the report says so. */
  #isSound(table: string, check: () => void): boolean {
    try {
      check()
      return true
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.#incomplete.add(table)
      return false
    }
  }

  /** What is wrong with the secrets of a live auction whose log is sound: no sum covers them, and the log does. */
  async faultOfSecrets(positions: ReadonlyMap<number, readonly number[]>): Promise<string | null> {
    for (const [ref, places] of positions) {
      const auctionId = this.#from.head(ref)?.auctionId
      const commits = auctionId === undefined ? [] : this.#commits(places)
      const verified = await this.#verify(commits)
      if (auctionId === undefined || !verified.valid) continue
      const { state } = verified.summary
      if (state.home.publicKey !== this.#options.publicKey) continue
      if (state.status !== 'open' && state.status !== 'scheduled') continue
      const beside = new KeptBeside(auctionId)
      for (const commit of commits) for (const event of readCommit(commit).events) beside.take(event)
      try {
        const secrets = this.#secrets(ref)
        const sealed = this.#sealed(ref)
        demandSecrets(beside, secrets, sealed)
        if (secrets?.leaderMax !== leaderMaxAt(beside, sealed))
          return `${auctionId}: the leading maximum is not what its log says`
      } catch (error) {
        if (error instanceof UnsavableError) return `${auctionId}: ${error.message}`
        throw error
      }
    }
    return null
  }

  /** Null for a row whose bytes have changed. */
  #parse<T>(table: string, text: string): T | null {
    try {
      return JSON.parse(text) as T
    } catch {
      this.#incomplete.add(table)
      return null
    }
  }

  #rows<Row extends object>(table: string, columns: string, key: string, auction?: number): readonly Row[] {
    const where = auction === undefined ? '' : ' WHERE auction = ?'
    const parameters = auction === undefined ? [] : [auction]
    const { rows, complete } = this.#from.rows<Row>(`SELECT ${columns} FROM ${table}${where}`, key, ...parameters)
    if (!complete) this.#incomplete.add(table)
    return rows
  }
}

function describe(auctionId: string, { dropped, why }: UnacceptedPart): UnacceptedAuction {
  const seq = (dropped[0] as Commit).firstSeq
  return { auctionId, seq, why, commands: commandsOf(dropped) }
}

function leaderMaxAt(beside: KeptBeside, sealed: ReadonlyMap<string, SealedMaximum>): Minor | null {
  const leaderMax = beside.leaderMax(sealed)
  if (leaderMax === undefined) throw new UnsavableError('the leader’s maximum cannot be read')
  return leaderMax
}

/** A live auction needs all that was left with its home, or its end could not be decided as promised. */
function demandSecrets(beside: KeptBeside, secrets: Secrets | null, sealed: ReadonlyMap<string, SealedMaximum>): void {
  if (secrets === null) throw new UnsavableError('its reserve and the leader’s maximum cannot be read')
  if (!beside.isReserve(secrets.reserve)) throw new UnsavableError('its reserve cannot be read')
  const [missing] = beside.missing(sealed)
  if (missing !== undefined) throw new UnsavableError(`the maximum of bid ${missing.bidId} cannot be read`)
}

type Sound = Extract<Verification, { valid: true }>

function whyUnsound(verified: Verification, head: FoundHead): string | null {
  if (!verified.valid) return `its log does not hold: ${verified.finding.rule}`
  const { state, headHash } = verified.summary
  if (state.seq === head.seq && headHash === head.hash) return null
  return `its log is there up to event ${state.seq} only, of ${head.seq}`
}

function autoBidOf(row: AutoBidRow): AutoBid {
  const { auction_id, limit_amount, state, refusal, updated_at } = row
  const { pending_bid_id: bidId, pending_amount: amount } = row
  const pending = bidId === null || amount === null ? null : { bidId, amount }
  return { auctionId: auction_id, limit: limit_amount, state, refusal, pending, updatedAt: updated_at }
}

function sealedOf(events: readonly AuctionEvent[], sealed: ReadonlyMap<string, SealedMaximum>): SealedMaximum[] {
  return events.flatMap((event) => ('bidId' in event ? (sealed.get(event.bidId) ?? []) : []))
}

async function* placed(commits: readonly Commit[]) {
  for (const commit of commits) yield { commit, place: null }
}
