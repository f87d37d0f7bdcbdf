import { t } from '../state/language.js'
import { permission, wantNotices, wish } from '../state/notices.js'
import { CUE_NAMES, hasSounds, play, turnSounds } from '../state/sounds.js'

/** What may call the visitor back: notices by the browser, and sounds. */
export function Attention() {
  const isBlocked = permission.value === 'denied'
  return (
    <>
      {permission.value !== 'missing' && (
        <label class="check">
          <input
            type="checkbox"
            checked={wish.value === 'on' && permission.value === 'granted'}
            disabled={isBlocked}
            onChange={(event) => void wantNotices(event.currentTarget.checked)}
          />
          <span>
            {t('notices.setting')}
            {isBlocked && <span class="soft small block">{t('notices.blocked')}</span>}
          </span>
        </label>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={hasSounds.value}
          onChange={(event) => turnSounds(event.currentTarget.checked)}
        />
        {t('sounds.setting')}
      </label>
      {hasSounds.value && (
        <div class="row">
          {CUE_NAMES.map((cue) => (
            <button key={cue} type="button" class="button" onClick={() => play(cue)}>
              {t('sounds.play', { cue: t(`sounds.${cue}`) })}
            </button>
          ))}
        </div>
      )}
    </>
  )
}
