import { useComputed } from '@preact/signals'
import {
  type CatalogueView,
  DEFAULT_VIEW,
  FILTERS,
  paramsOf,
  SORTS,
  type Sort,
  seen,
  viewOf,
} from '../../model/catalogue.js'
import { Icon } from '../parts/icons.js'
import { LotList } from '../parts/lot-list.js'
import { arrangement, loading, lots, watched } from '../state/catalogue.js'
import { readClock } from '../state/clock.js'
import { t } from '../state/language.js'
import { address, go } from '../state/router.js'
import '../../design/catalogue.css'
import '../../design/pictures.css'

export function Catalogue() {
  const view = viewOf(address.value.searchParams)
  const change = (part: Partial<CatalogueView>, replace = false) => {
    const params = paramsOf({ ...view, ...part })
    go(params.size > 0 ? `/?${params}` : '/', { replace })
  }
  const shown = useComputed(() => {
    arrangement.value
    const current = viewOf(address.value.searchParams)
    const all = [...lots.values()].map((lot) => lot.peek())
    return seen(all, current, { nowMs: readClock(), watched: watched.value })
  })
  const count = shown.value.length
  return (
    <>
      <div class="page-head">
        <h1>{t('catalogue.title')}</h1>
        <p class="count" role="status">
          {loading.value === 'ready' ? t('catalogue.count', { count }) : ''}
        </p>
      </div>
      <div class="tools">
        <div class="search">
          <Icon name="search" />
          <input
            class="input"
            type="search"
            value={view.search}
            aria-label={t('catalogue.search')}
            placeholder={t('catalogue.search')}
            onInput={(event) => change({ search: event.currentTarget.value }, true)}
          />
        </div>
        <select
          class="input"
          aria-label={t('catalogue.sort')}
          value={view.sort}
          onChange={(event) => change({ sort: event.currentTarget.value as Sort }, true)}
        >
          {SORTS.map((sort) => (
            <option key={sort} value={sort}>
              {t(`sort.${sort}`)}
            </option>
          ))}
        </select>
      </div>
      <fieldset>
        <legend class="sr">{t('catalogue.filter')}</legend>
        <div class="chips">
          {FILTERS.map((filter) => (
            <button
              key={filter}
              type="button"
              class="chip"
              aria-pressed={view.filter === filter}
              onClick={() => change({ filter }, true)}
            >
              {t(`filter.${filter}`)}
            </button>
          ))}
        </div>
      </fieldset>
      {loading.value === 'failed' && <p class="note warn">{t('catalogue.failed')}</p>}
      {loading.value === 'loading' && (
        <p class="soft" role="status">
          {t('catalogue.loading')}
        </p>
      )}
      {loading.value === 'ready' &&
        (count > 0 ? (
          <LotList shown={shown.value} label={t('catalogue.title')} />
        ) : (
          <Nothing view={view} onAll={() => change({ ...DEFAULT_VIEW, sort: view.sort })} />
        ))}
    </>
  )
}

function Nothing({ view, onAll }: { view: CatalogueView; onAll: () => void }) {
  const isSearch = view.search !== ''
  const isPlain = !isSearch && view.filter === 'open'
  return (
    <div class="empty">
      <h2>{t('catalogue.empty.title')}</h2>
      <p>
        {isSearch
          ? t('catalogue.empty.search', { search: view.search })
          : t(isPlain ? 'catalogue.empty.open' : 'catalogue.empty.other')}
      </p>
      {isPlain ? (
        <a class="button primary" href="/sell">
          {t('sell.title')}
        </a>
      ) : (
        <button type="button" class="button" onClick={onAll}>
          {t(isSearch ? 'catalogue.clear' : 'catalogue.all')}
        </button>
      )}
    </div>
  )
}
