import type { Notice } from '../../model/notices.js'
import { t } from '../state/language.js'
import { dismiss, isAsking, notices, noticeText, wantNotices } from '../state/notices.js'
import { Icon, type IconName } from './icons.js'

const LOOKS: Readonly<Record<Notice['kind'], readonly [tone: string, icon: IconName]>> = {
  outbid: ['bad', 'up'],
  ending: ['warn', 'clock'],
  won: ['good', 'check'],
}

/** What happened in other auctions, until somebody has done with it. It is said aloud elsewhere, once. */
export function Notices() {
  if (notices.value.length === 0) return null
  return (
    <section class="notices" aria-label={t('notices.title')}>
      {notices.value.map((notice) => {
        const [tone, icon] = LOOKS[notice.kind]
        return (
          <div key={notice.key} class="card notice" data-notice={notice.kind}>
            <div class={`notice-what ${tone}`}>
              <Icon name={icon} />
              <strong>{noticeText(notice)}</strong>
              <button
                type="button"
                class="icon-button bare"
                aria-label={t('notices.dismiss')}
                onClick={() => dismiss(notice.key)}
              >
                <Icon name="close" />
              </button>
            </div>
            <a href={`/lot/${notice.lotId}`}>
              <bdi>{notice.title}</bdi>
            </a>
          </div>
        )
      })}
    </section>
  )
}

/** Stands below the panel and not over it: what is asked once must not cover what somebody bids with. */
export function AskForNotices() {
  if (!isAsking.value) return null
  return (
    <section class="card notice" aria-label={t('notices.title')} data-asking>
      <p>{t('notices.ask')}</p>
      <div class="row">
        <button type="button" class="button primary" onClick={() => void wantNotices(true)}>
          {t('notices.yes')}
        </button>
        <button type="button" class="button" onClick={() => void wantNotices(false)}>
          {t('notices.no')}
        </button>
      </div>
    </section>
  )
}
