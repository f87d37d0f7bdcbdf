import { useComputed } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { addAmounts } from 'vendue/client'
import type { Lot } from '../../model/lot.js'
import { Tile } from '../parts/tile.js'
import { arrange, arrangement, lots, take, watched } from '../state/catalogue.js'
import { t, writing } from '../state/language.js'
import { client, generation, isOpenMode, visitor } from '../state/session.js'
import '../../design/catalogue.css'

const GROUPS = ['outbid', 'leading', 'watching', 'won', 'selling', 'lost'] as const
type Group = (typeof GROUPS)[number]

/** What concerns the visitor, the most pressing first. */
export function Mine() {
  const by = client.value
  const started = generation.value
  useEffect(() => {
    if (!by || !visitor.peek()) return
    void Promise.all([by.myBids({ limit: 200 }), by.myAuctions({ limit: 200 })])
      .then((pages) => {
        for (const { auctions } of pages) for (const auction of auctions) take(auction)
        arrange()
      })
      .catch(() => {
        // What is known already is shown; the connection says that it is lost.
      })
  }, [by, started])
  const groups = useComputed(() => {
    arrangement.value
    const byGroup = new Map<Group, Lot[]>(GROUPS.map((group) => [group, []]))
    for (const source of lots.values()) {
      const lot = source.value
      const group = groupOf(lot, watched.value)
      if (group) byGroup.get(group)?.push(lot)
    }
    return byGroup
  })
  if (visitor.value === null && watched.value.size === 0)
    return (
      <div class="narrow stack">
        <h1>{t('mine.title')}</h1>
        <a class="button primary" href="/account?then=/mine">
          {t(isOpenMode.value ? 'account.open.title' : 'mine.log-in')}
        </a>
      </div>
    )
  const isEmpty = [...groups.value.values()].every((list) => list.length === 0)
  return (
    <>
      <div class="page-head">
        <h1>{t('mine.title')}</h1>
        <Committed lots={groups.value.get('leading') ?? []} />
      </div>
      {isEmpty && (
        <div class="empty">
          <p>{t('mine.empty')}</p>
          <a class="button" href="/">
            {t('catalogue.all')}
          </a>
        </div>
      )}
      {GROUPS.map((group) => {
        const list = groups.value.get(group) ?? []
        if (list.length === 0) return null
        return (
          <section key={group} class="group" aria-labelledby={`group-${group}`}>
            <h2 id={`group-${group}`}>
              {t(`mine.${group}`)} <span class="soft">{list.length}</span>
            </h2>
            <div class="tiles">
              {list.map(({ id }) => {
                const source = lots.get(id)
                return source && <Tile key={id} lot={source} />
              })}
            </div>
          </section>
        )
      })}
    </>
  )
}

function groupOf({ id, you, ending }: Lot, watching: ReadonlySet<string>): Group | null {
  if (you === 'seller') return 'selling'
  if (you === 'outbid' || you === 'leading' || you === 'won' || you === 'lost') return you
  return watching.has(id) && !ending ? 'watching' : null
}

/** What the visitor would pay if all of it ended now, by unit. */
function Committed({ lots: leading }: { lots: readonly Lot[] }) {
  if (leading.length === 0) return null
  const sums = new Map<string, string>()
  for (const { price, currency } of leading)
    if (price !== null) sums.set(currency, addAmounts(sums.get(currency) ?? '0', price))
  const text = [...sums].map(([currency, sum]) => writing.value.money(sum, currency)).join(' + ')
  return (
    <p class="committed">
      <span class="soft">{t('mine.committed')}</span> <strong class="lead">{text}</strong>
      <br />
      <span class="soft small">{t('mine.committed.help')}</span>
    </p>
  )
}
