import { useComputed, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { AuctionPage, AutoBid } from 'vendue/client'
import { commitments } from '../../model/committed.js'
import type { Lot } from '../../model/lot.js'
import { Note } from '../parts/icons.js'
import { Invitation } from '../parts/invitation.js'
import { runsNode } from '../parts/own-node.js'
import { Tile } from '../parts/tile.js'
import { pending } from '../state/bidding.js'
import { arrange, arrangement, loading, lots, take, watched } from '../state/catalogue.js'
import { t, writing } from '../state/language.js'
import { maxima, noteMaximum } from '../state/maxima.js'
import { client, generation, isOpenMode, visitor } from '../state/session.js'
import '../../design/catalogue.css'

const GROUPS = ['outbid', 'leading', 'watching', 'won', 'lost', 'selling'] as const
const PAGE_SIZE = 200
const MAX_PAGES = 25
const RETRY_MS = 3_000
type Group = (typeof GROUPS)[number]

/** What concerns the visitor, the most pressing first. */
export function Mine() {
  const by = client.value
  const started = generation.value
  const state = useSignal<'loading' | 'ready' | 'failed'>('loading')
  useEffect(() => {
    if (!by || !visitor.peek()) return
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      try {
        await Promise.all([
          takeAll(async (cursor) => {
            const page = await by.myBids({ limit: PAGE_SIZE, ...cursor })
            for (const { id, your_maximum } of page.auctions) if (your_maximum !== null) noteMaximum(id, your_maximum)
            return page
          }),
          takeAll((cursor) => by.myAuctions({ limit: PAGE_SIZE, ...cursor })),
        ])
        if (isOver) return
        arrange()
        state.value = 'ready'
      } catch {
        // What is known already is shown, and the rest is asked for again.
        if (isOver) return
        state.value = 'failed'
        timer = setTimeout(() => void read(), RETRY_MS)
      }
    }
    void read()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [by, started])
  const groups = useComputed(() => {
    arrangement.value
    const byGroup = new Map<Group, Lot[]>(GROUPS.map((group) => [group, []]))
    for (const source of lots.values()) {
      const lot = source.value
      const group = groupOf(lot, watched.value)
      if (group) byGroup.get(group)?.push(lot)
    }
    for (const list of byGroup.values()) list.sort((a, b) => endOf(a) - endOf(b))
    return byGroup
  })
  if (visitor.value === null && watched.value.size === 0) return <Invitation page="mine" to="/mine" />
  const isEmpty = [...groups.value.values()].every((list) => list.length === 0)
  return (
    <>
      <div class="page-head">
        <h1>{t('mine.title')}</h1>
        <Committed />
      </div>
      {state.value === 'failed' && (
        <Note tone="warn" icon="away" role="status">
          {t('mine.failed')}
        </Note>
      )}
      {isEmpty && state.value === 'loading' && visitor.value !== null && loading.value !== 'failed' && (
        <p class="soft" role="status">
          {t('catalogue.loading')}
        </p>
      )}
      {isEmpty && (state.value === 'ready' || visitor.value === null) && (
        <div class="empty">
          <p>{t('mine.empty')}</p>
          <a class="button" href="/">
            {t('catalogue.all')}
          </a>
        </div>
      )}
      {runsNode() && <OwnLimits />}
      {GROUPS.map((group) => {
        const list = groups.value.get(group) ?? []
        if (list.length === 0) return null
        return (
          <section key={group} class="group" aria-labelledby={`group-${group}`}>
            <h2 id={`group-${group}`}>
              {t(`mine.${group}`)} <span class="soft">{writing.value.number(String(list.length))}</span>
            </h2>
            <div class="tiles">
              {list.map(({ id }) => {
                const source = lots.get(id)
                return source && <Tile key={id} lot={source} heading="h3" />
              })}
            </div>
          </section>
        )
      })}
    </>
  )
}

/** What ends first is what one can still do something about. */
function endOf({ closesAtMs }: Lot): number {
  return closesAtMs ?? Number.MAX_SAFE_INTEGER
}

function groupOf({ id, you, ending }: Lot, watching: ReadonlySet<string>): Group | null {
  if (you === 'seller') return 'selling'
  if (you === 'outbid' || you === 'leading' || you === 'won' || you === 'lost') return you
  return watching.has(id) && !ending ? 'watching' : null
}

/** What the visitor would pay if all of it ended now, and at worst, by unit. */
function Committed() {
  arrangement.value
  const offers = new Map([...pending.value].map(([id, { offer }]) => [id, offer.amount]))
  const all = commitments(
    [...lots.values()].map((lot) => lot.value),
    maxima.value,
    offers,
  )
  if (all.length === 0) return null
  const { money } = writing.value
  return (
    <dl class="committed">
      <div>
        <dt>{t('mine.committed')}</dt>
        {all.map(({ currency, now }) => (
          <dd key={currency} class="lead" data-committed={currency}>
            {money(now, currency)}
          </dd>
        ))}
        <dd class="soft small">{t('mine.committed.help')}</dd>
      </div>
      <div>
        <dt>{t('mine.at-worst')}</dt>
        {all.map(({ currency, atWorst }) => (
          <dd key={currency} class="lead" data-at-worst={currency}>
            {money(atWorst, currency)}
          </dd>
        ))}
        <dd class="soft small">{t(isOpenMode.value ? 'mine.at-worst.help-here' : 'mine.at-worst.help')}</dd>
      </div>
    </dl>
  )
}

/** What the gateway's own node bids by itself, for whoever runs it. */
function OwnLimits() {
  const all = useSignal<readonly AutoBid[]>([])
  const by = client.value
  useEffect(() => {
    by?.autoBids().then(
      (found) => {
        all.value = found
      },
      () => undefined,
    )
  }, [by])
  if (all.value.length === 0) return null
  const { money } = writing.value
  return (
    <section class="card" aria-labelledby="own-limits">
      <h2 id="own-limits">{t('own.all')}</h2>
      <ul class="changes">
        {all.value.map(({ auction_id: id, limit, currency, state }) => (
          <li key={id}>
            <a href={`/lot/${id}`}>
              <bdi>{lots.get(id)?.value.title ?? id}</bdi>
            </a>
            <strong>{money(limit, currency)}</strong>
            <span class="soft">{t(`own.state.${state}`)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

type Cursor = { readonly cursor?: string }

async function takeAll(read: (cursor: Cursor) => Promise<AuctionPage>): Promise<void> {
  let cursor: Cursor = {}
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const { auctions, next } = await read(cursor)
    for (const auction of auctions) take(auction)
    if (next === null) return
    cursor = { cursor: next }
  }
}
