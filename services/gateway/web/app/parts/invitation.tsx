import { t } from '../state/language.js'
import { failed, isOpenMode, isSettled } from '../state/session.js'

/** Where somebody has to say who they are first: what for, what comes then, and the way there. */
export function Invitation({ page, to }: { page: 'sell' | 'mine'; to: string }) {
  if (!isSettled.value && !failed.value)
    return (
      <p class="soft" role="status">
        {t('loading')}
      </p>
    )
  return (
    <div class="narrow">
      <div class="empty invitation">
        <h1>{t(`${page}.title`)}</h1>
        <p>{t(`${page}.invite`)}</p>
        <ol class="steps">
          {(['1', '2', '3'] as const).map((step) => (
            <li key={step}>{t(`${page}.invite.${step}`)}</li>
          ))}
        </ol>
        <a class="button primary" href={`/account?then=${encodeURIComponent(to)}`}>
          {t(isOpenMode.value ? 'account.open.title' : `${page}.log-in`)}
        </a>
        {isOpenMode.value && <p class="small">{t('invite.open')}</p>}
      </div>
    </div>
  )
}
