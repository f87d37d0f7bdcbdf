import type { Transaction } from 'kysely'
import { deliveryIdOf } from '../../application/notices/delivery-id.js'
import type { NoticeChange } from '../../application/notices/notice-projection.js'
import type { NoticeFact } from '../../domain/notices/notice-fact.js'
import type { NoticeKind } from '../../domain/notices/notice-kind.js'
import { ENDING_SOON_MS, SHELF_LIFE_MS } from '../../domain/notices/notice-verdict.js'
import { matchesTitle, wordsOf } from '../../domain/notices/saved-search.js'
import type { Recipients } from '../../ports/notices/recipients.js'
import type { Clock } from '../../ports/system/clock.js'
import { inParts, type SqlRows } from './sql-rows.js'
import type { NoticeBidderRow, NoticeDeliveryRow, SqlTables } from './sql-tables.js'

export interface SqlNoticeRowsDeps {
  readonly clock: Clock
  readonly recipients: Recipients
}

/** Adds deliveries to the outbox in the transaction in which the consumer's cursor moves. */
export function sqlNoticeRows(deps: SqlNoticeRowsDeps): SqlRows<NoticeChange> {
  return {
    tables: ['notice_bidders'],
    async write(transaction, generation, changes) {
      const step = new NoticeStep(transaction, generation, deps)
      await step.load(changes)
      for (const change of changes) await step.take(change)
      await step.finish()
    },
  }
}

/** Ending soon is decided when it is due: an end that has come may have been moved by an event not read yet. */
const MAX_EXTENSION_MS = 24 * 60 * 60_000

interface Wanted {
  readonly auctionId: string
  readonly seq: number
  readonly kind: NoticeKind
  readonly at: number
  readonly partyId: string
  /** Where no party has to be looked up. */
  readonly accountId?: string
  readonly search?: string
}

class NoticeStep {
  readonly #transaction: Transaction<SqlTables>
  readonly #generation: number
  readonly #recipients: Recipients
  readonly #now: number
  /** By auction and party; those that have changed are stored at the end of the step, or before they are asked for. */
  readonly #bidders = new Map<string, NoticeBidderRow>()
  readonly #changed = new Set<NoticeBidderRow>()
  readonly #wanted: Wanted[] = []

  constructor(transaction: Transaction<SqlTables>, generation: number, { clock, recipients }: SqlNoticeRowsDeps) {
    this.#transaction = transaction
    this.#generation = generation
    this.#recipients = recipients
    this.#now = clock.now()
  }

  /** Reads the rows of all who bid in this step at once. */
  async load(changes: readonly NoticeChange[]): Promise<void> {
    const auctionIds = new Set<string>()
    const partyIds = new Set<string>()
    for (const { auctionId, fact } of changes) {
      if (fact.fact !== 'bid') continue
      auctionIds.add(auctionId)
      for (const party of [fact.bidder, fact.outbid]) if (party !== null) partyIds.add(party.id)
    }
    for (const auctions of inParts([...auctionIds]))
      for (const parties of inParts([...partyIds])) {
        const rows = await this.#biddersOf(auctions).where('party_id', 'in', parties).execute()
        for (const row of rows) this.#bidders.set(keyOf(row.auction_id, row.party_id), row)
      }
  }

  async take(change: NoticeChange): Promise<void> {
    const { fact } = change
    switch (fact.fact) {
      case 'opened':
        return this.#opened(change, fact)
      case 'bid':
        return this.#bid(change, fact)
      case 'extended':
        return this.#extended(change, fact)
      case 'ended':
        return this.#ended(change, fact)
      case 'withdrawn':
        return
      default: {
        const unknown: never = fact
        throw new Error(`unknown fact ${JSON.stringify(unknown)}`)
      }
    }
  }

  async finish(): Promise<void> {
    await this.#store()
    const deliveries: NoticeDeliveryRow[] = []
    for (const wanted of inParts(await this.#forAccounts())) {
      const accountIds = [...new Set(wanted.map(({ accountId }) => accountId))]
      const targets = await this.#transaction
        .selectFrom('notice_targets')
        .select(['id', 'account_id', 'channel'])
        .where('account_id', 'in', accountIds)
        .where('state', '=', 'active')
        .execute()
      const byAccount = grouped(targets, (target) => target.account_id)
      for (const notice of wanted)
        for (const target of byAccount.get(notice.accountId) ?? []) deliveries.push(deliveryRow(notice, target))
    }
    for (const rows of inParts(deliveries))
      await this.#transaction
        .insertInto('notice_deliveries')
        .values([...rows])
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
  }

  async #opened({ auctionId, seq }: NoticeChange, fact: NoticeFact & { fact: 'opened' }): Promise<void> {
    const { at, title, seller } = fact
    if (!this.#isFresh('new-auction', at)) return
    const words = wordsOf(title)
    if (words.length === 0) return
    const searches = await this.#transaction
      .selectFrom('notice_searches')
      .select(['account_id', 'words'])
      .where('key_word', 'in', words)
      .orderBy('id')
      .execute()
    for (const { account_id: accountId, words: search } of searches)
      if (accountId !== seller.id && matchesTitle(search, title))
        this.#wanted.push({ auctionId, seq, kind: 'new-auction', at, partyId: accountId, accountId, search })
  }

  #bid({ auctionId, seq }: NoticeChange, fact: NoticeFact & { fact: 'bid' }): void {
    const { at, bidder, leads, outbid, closesAt } = fact
    const key = keyOf(auctionId, bidder.id)
    const known = this.#bidders.get(key)
    const row = known ?? this.#newBidder(auctionId, bidder.id, seq)
    row.outbid_seq = leads ? 0 : seq
    this.#bidders.set(key, row)
    this.#changed.add(row)
    if (known === undefined && closesAt !== null && at < closesAt - ENDING_SOON_MS)
      this.#want({ auctionId, seq, kind: 'ending-soon', at: closesAt - ENDING_SOON_MS, partyId: bidder.id })
    if (outbid === null) return
    const loser = this.#bidders.get(keyOf(auctionId, outbid.id)) ?? this.#newBidder(auctionId, outbid.id, seq)
    loser.outbid_seq = seq
    this.#bidders.set(keyOf(auctionId, outbid.id), loser)
    this.#changed.add(loser)
    this.#want({ auctionId, seq, kind: 'outbid', at, partyId: outbid.id })
  }

  /** Once for each time that somebody was outbid; not for the bid that has caused it, whose notice names the end. */
  async #extended({ auctionId, seq }: NoticeChange, { at }: NoticeFact & { fact: 'extended' }): Promise<void> {
    if (!this.#isFresh('extended', at)) return
    await this.#store()
    const rows = await this.#biddersOf([auctionId])
      .whereRef('outbid_seq', '>', 'extended_for')
      .where('outbid_seq', '<', seq - 1)
      .execute()
    for (const row of rows) {
      const kept = this.#bidders.get(keyOf(auctionId, row.party_id)) ?? row
      kept.extended_for = kept.outbid_seq
      this.#bidders.set(keyOf(auctionId, row.party_id), kept)
      this.#changed.add(kept)
      this.#want({ auctionId, seq, kind: 'extended', at, partyId: row.party_id })
    }
  }

  async #ended(change: NoticeChange, { at, seller, winner }: NoticeFact & { fact: 'ended' }): Promise<void> {
    const { auctionId, seq } = change
    await this.#store()
    if (this.#isFresh('lost', at))
      for (const { party_id: partyId } of await this.#biddersOf([auctionId]).execute())
        this.#want({ auctionId, seq, kind: partyId === winner?.id ? 'won' : 'lost', at, partyId })
    this.#want({ auctionId, seq, kind: winner === null ? 'not-sold' : 'sold', at, partyId: seller.id })
    await this.#transaction
      .deleteFrom('notice_bidders')
      .where('generation', '=', this.#generation)
      .where('auction_id', '=', auctionId)
      .execute()
  }

  #want(wanted: Wanted): void {
    if (this.#isFresh(wanted.kind, wanted.at)) this.#wanted.push(wanted)
  }

  #isFresh(kind: NoticeKind, at: number): boolean {
    return this.#now - at <= (kind === 'ending-soon' ? MAX_EXTENSION_MS : SHELF_LIFE_MS[kind])
  }

  async #forAccounts(): Promise<(Wanted & { accountId: string })[]> {
    const found: (Wanted & { accountId: string })[] = []
    for (const [auctionId, wanted] of grouped(this.#wanted, (one) => one.auctionId)) {
      const unknown = wanted.filter(({ accountId }) => accountId === undefined).map(({ partyId }) => partyId)
      const accounts = await this.#recipients.accountsOf(auctionId, [...new Set(unknown)])
      for (const one of wanted) {
        const accountId = one.accountId ?? accounts.get(one.partyId)
        if (accountId !== undefined) found.push({ ...one, accountId })
      }
    }
    return found
  }

  async #store(): Promise<void> {
    for (const rows of inParts([...this.#changed]))
      await this.#transaction
        .insertInto('notice_bidders')
        .values([...rows])
        .onConflict((conflict) =>
          conflict.columns(['generation', 'auction_id', 'party_id']).doUpdateSet((eb) => ({
            outbid_seq: eb.ref('excluded.outbid_seq'),
            extended_for: eb.ref('excluded.extended_for'),
          })),
        )
        .execute()
    this.#changed.clear()
  }

  #newBidder(auctionId: string, partyId: string, seq: number): NoticeBidderRow {
    const key = { generation: this.#generation, auction_id: auctionId, party_id: partyId }
    return { ...key, seq, outbid_seq: 0, extended_for: 0 }
  }

  #biddersOf(auctionIds: readonly string[]) {
    return this.#transaction
      .selectFrom('notice_bidders')
      .selectAll()
      .where('generation', '=', this.#generation)
      .where('auction_id', 'in', auctionIds)
  }
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

function keyOf(auctionId: string, partyId: string): string {
  return `${auctionId} ${partyId}`
}

function deliveryRow(
  { auctionId, seq, kind, at, partyId, accountId, search }: Wanted & { accountId: string },
  target: { readonly id: string; readonly channel: string },
): NoticeDeliveryRow {
  return {
    id: deliveryIdOf({ auctionId, seq, kind, accountId, targetId: target.id }),
    state: 'waiting',
    account_id: accountId,
    target_id: target.id,
    channel: target.channel,
    party_id: partyId,
    auction_id: auctionId,
    seq,
    kind,
    at,
    due_at: at,
    attempts: 0,
    first_tried_at: null,
    settled_at: null,
    why: null,
    search: search ?? null,
  }
}
