import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Lot, LotPicture } from '../../model/lot.js'
import { t } from '../state/language.js'
import { client, link } from '../state/session.js'
import { Icon } from './icons.js'

/** Of the gateway that serves now; the page's own where there is none. */
export function pictureUrl(hash: string): string {
  // Whoever shows it is drawn anew when that changes.
  link.value
  return client.value?.pictureUrl(hash) ?? `/api/v1/pictures/${hash}`
}

/** The first picture, whole. Its words are those of the title beside it. */
export function TilePicture({ pictures }: { pictures: readonly LotPicture[] }) {
  const [first] = pictures
  return <div class="shot">{first ? <Shown key={first.hash} picture={first} alt="" /> : <NoPicture />}</div>
}

/** One in full, and the others beside it to choose from. Nothing moves by itself. */
export function Gallery({ lot }: { lot: Lot }) {
  const { pictures, title } = lot
  const chosen = useSignal(0)
  const buttons = useRef<HTMLUListElement>(null)
  const current = pictures[Math.min(chosen.value, pictures.length - 1)]
  if (!current) return null
  const count = pictures.length
  const altOf = (picture: LotPicture, index: number) =>
    picture.alt === '' ? t('pictures.nth', { nth: index + 1, count, title }) : picture.alt
  const step = (event: KeyboardEvent, index: number) => {
    const along = getComputedStyle(event.currentTarget as Element).direction === 'rtl' ? -1 : 1
    const by = { ArrowRight: along, ArrowLeft: -along, Home: -index, End: count - 1 - index }[event.key]
    if (by === undefined) return
    event.preventDefault()
    chosen.value = Math.max(0, Math.min(count - 1, index + by))
    buttons.current?.querySelectorAll('button')[chosen.value]?.focus()
  }
  const index = pictures.indexOf(current)
  return (
    <section class="gallery" aria-label={t('pictures.title')}>
      <figure>
        <a class="frame" href={pictureUrl(current.hash)} target="_blank" rel="noopener">
          <Shown key={current.hash} picture={current} alt={altOf(current, index)} eager />
          <span class="sr">{t('pictures.full')}</span>
        </a>
        {(current.alt !== '' || count > 1) && (
          <figcaption class="small soft" aria-live="polite">
            {count > 1 && <span>{t('pictures.of', { nth: index + 1, count })}</span>}
            <bdi>{current.alt}</bdi>
          </figcaption>
        )}
      </figure>
      {count > 1 && (
        <ul class="thumbs" ref={buttons}>
          {pictures.map((picture, at) => (
            <li key={picture.hash}>
              <button
                type="button"
                aria-label={t('pictures.show', { nth: at + 1, count })}
                aria-current={at === index ? 'true' : undefined}
                onClick={() => {
                  chosen.value = at
                }}
                onKeyDown={(event) => step(event, at)}
              >
                <Shown picture={picture} alt="" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/**
 * A picture may not be there: its home may be away, and nobody else may have it; or its gateway is gone. It is asked for
 * again where another gateway serves by now, and once there is another connection; one that is there stays.
 */
function Shown({ picture, alt, eager = false }: { picture: LotPicture; alt: string; eager?: boolean }) {
  const { state, sinceMs } = link.value
  /** `missingSince`: the connection over which it was missing. */
  const shown = useSignal({ url: pictureUrl(picture.hash), attempt: 0, missingSince: null as number | null })
  const { url, attempt, missingSince } = shown.value
  const askAgain = () => {
    shown.value = { url: pictureUrl(picture.hash), attempt: shown.peek().attempt + 1, missingSince: null }
  }
  const failed = () => {
    if (attempt !== shown.peek().attempt) return
    if (pictureUrl(picture.hash) !== url) askAgain()
    else shown.value = { url, attempt, missingSince: link.peek().sinceMs }
  }
  useEffect(() => {
    const missing = shown.peek().missingSince
    if (state === 'online' && missing !== null && missing !== sinceMs) askAgain()
  }, [state, sinceMs])
  if (missingSince !== null)
    return (
      <span class="missing small soft">
        <Icon name="away" />
        {t('pictures.missing')}
      </span>
    )
  return (
    <img
      // An element that has failed does not ask again for the same address.
      key={attempt}
      src={url}
      width={picture.width}
      height={picture.height}
      alt={alt}
      loading={eager ? 'eager' : 'lazy'}
      decoding="async"
      onError={failed}
    />
  )
}

function NoPicture() {
  return (
    <span class="missing soft">
      <Icon name="tag" />
    </span>
  )
}
