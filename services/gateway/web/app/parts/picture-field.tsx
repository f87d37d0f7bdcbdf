import { useSignal } from '@preact/signals'
import { useEffect, useId, useRef } from 'preact/hooks'
import { MAX_PICTURE_ALT_LENGTH, MAX_PICTURES } from '../../../../../src/domain/limits.js'
import { t } from '../state/language.js'
import type { PictureDraft, PictureDrafts } from '../state/picture-drafts.js'
import { Icon } from './icons.js'

/** Chosen, or dropped or pasted anywhere on the page; put in order, described and taken out again. */
export function PictureField({ drafts }: { drafts: PictureDrafts }) {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const isOver = useSignal(false)
  const all = drafts.all.value
  const isFull = all.length >= MAX_PICTURES
  const take = (list: FileList | null | undefined) => {
    const files = [...(list ?? [])].filter(({ type }) => type.startsWith('image/'))
    if (files.length > 0) void drafts.add(files)
  }
  // Beside the field the browser would leave the page for the file, and what is written there would be lost.
  useEffect(() => {
    const listeners = new AbortController()
    const { signal } = listeners
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      isOver.value = true
    }
    const out = (event: DragEvent) => {
      if (event.relatedTarget === null) isOver.value = false
    }
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      isOver.value = false
      take(event.dataTransfer.files)
    }
    const paste = ({ clipboardData }: ClipboardEvent) => {
      // Text that comes with a picture of itself is meant as text.
      if (!clipboardData?.types.includes('text/plain')) take(clipboardData?.files)
    }
    addEventListener('dragover', over, { signal })
    addEventListener('dragleave', out, { signal })
    addEventListener('drop', drop, { signal })
    addEventListener('paste', paste, { signal })
    return () => listeners.abort()
  }, [drafts])
  return (
    <fieldset class={isOver.value ? 'picture-field over' : 'picture-field'}>
      <legend class="label">
        <span>{t('sell.pictures')}</span>
        <span class="soft small">{t('sell.optional')}</span>
      </legend>
      {all.length > 0 && (
        <ol class="drafts">
          {all.map((draft, index) => (
            <Draft key={draft.id} draft={draft} drafts={drafts} index={index} count={all.length} />
          ))}
        </ol>
      )}
      <div class="picture-add">
        <input
          ref={input}
          id={id}
          class="sr"
          type="file"
          accept="image/*"
          multiple
          disabled={isFull}
          onChange={(event) => {
            take(event.currentTarget.files)
            event.currentTarget.value = ''
          }}
        />
        <label class="button" for={id} aria-disabled={isFull ? 'true' : undefined}>
          <Icon name="plus" />
          {t('sell.pictures.add')}
        </label>
        <span class="small soft">{t('sell.pictures.help', { max: MAX_PICTURES })}</span>
      </div>
      {drafts.refused.value > 0 && (
        <p class="wrong small" role="alert">
          <Icon name="warn" />
          {t('sell.pictures.many', { max: MAX_PICTURES, count: drafts.refused.value })}
        </p>
      )}
    </fieldset>
  )
}

function Draft({
  draft,
  drafts,
  index,
  count,
}: {
  draft: PictureDraft
  drafts: PictureDrafts
  index: number
  count: number
}) {
  const { id, name, prepared, url, alt } = draft
  const fault = typeof prepared === 'string' ? prepared : null
  const nth = index + 1
  return (
    <li class="draft" aria-busy={prepared === null}>
      <div class="shot">
        {url !== null && <img src={url} alt="" />}
        {prepared === null && <span class="small soft">{t('sell.pictures.preparing')}</span>}
        {fault !== null && <Icon name="warn" />}
      </div>
      <div class="draft-words">
        {fault === null ? (
          <input
            class="input"
            dir="auto"
            maxLength={MAX_PICTURE_ALT_LENGTH}
            placeholder={t('sell.pictures.alt')}
            aria-label={t('sell.pictures.alt.of', { nth })}
            value={alt}
            onInput={(event) => drafts.describe(id, event.currentTarget.value)}
          />
        ) : (
          <p class="wrong small" role="alert">
            {t(fault === 'too-large' ? 'sell.pictures.too-large' : 'sell.pictures.unreadable', { name })}
          </p>
        )}
        <div class="draft-tools">
          <button
            type="button"
            class="button quiet"
            disabled={index === 0}
            aria-label={t('sell.pictures.earlier', { nth })}
            onClick={() => drafts.move(id, -1)}
          >
            <Icon name="up" />
          </button>
          <button
            type="button"
            class="button quiet"
            disabled={nth === count}
            aria-label={t('sell.pictures.later', { nth })}
            onClick={() => drafts.move(id, 1)}
          >
            <Icon name="down" />
          </button>
          <button
            type="button"
            class="button quiet"
            aria-label={t('sell.pictures.remove', { nth })}
            onClick={() => drafts.remove(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      </div>
    </li>
  )
}
