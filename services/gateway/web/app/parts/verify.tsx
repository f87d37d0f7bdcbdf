import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { timeText } from '../../../../../src/application/log/time-text.js'
import type { Lot } from '../../model/lot.js'
import type { CheckedHome, VerifyAnswer } from '../../model/verify-answer.js'
import { t, writing } from '../state/language.js'
import { Icon, Note } from './icons.js'

/** Counts how often somebody has asked, beside the price, why it is what it is. */
export const whyAsked = signal(0)

/** One button that checks the auction's whole log on the visitor's own device. */
export function Verify({ lot }: { lot: Lot }) {
  const [answer, setAnswer] = useState<VerifyAnswer | null>(null)
  const worker = useRef<Worker | null>(null)
  const url = `/api/v1/auctions/${lot.id}/log`
  useEffect(() => () => worker.current?.terminate(), [])
  const check = () => {
    worker.current?.terminate()
    const started = new Worker(new URL('../verify/verify-worker.ts', import.meta.url), { type: 'module' })
    worker.current = started
    setAnswer({ kind: 'progress', events: 0 })
    started.onmessage = ({ data }: MessageEvent<VerifyAnswer>) => {
      setAnswer(data)
      if (data.kind !== 'progress') started.terminate()
    }
    started.onerror = ({ message }) => setAnswer({ kind: 'failed', reason: message })
    started.postMessage(new URL(url, location.href).href)
  }
  const section = useRef<HTMLElement>(null)
  const seen = useRef(whyAsked.peek())
  useEffect(() => {
    if (whyAsked.value === seen.current) return
    seen.current = whyAsked.value
    section.current?.scrollIntoView({ block: 'start' })
    section.current?.focus({ preventScroll: true })
    check()
  }, [whyAsked.value])
  const isChecking = answer?.kind === 'progress'
  return (
    <section ref={section} class="stack" aria-labelledby="verify-title" tabIndex={-1}>
      <h2 id="verify-title">{t('verify.title')}</h2>
      <p class="soft measure">{t('verify.help')}</p>
      <div class="row">
        <button type="button" class="button" disabled={isChecking} onClick={check}>
          <Icon name="check" />
          {isChecking ? t('verify.going', { events: answer.events }) : t('verify.go')}
        </button>
        <a class="button quiet" href={url} download={`${lot.id}.vendue`}>
          {t('panel.proof')}
        </a>
      </div>
      {answer && <Answer answer={answer} isWhyOpen={whyAsked.value > 0} />}
    </section>
  )
}

function Answer({ answer, isWhyOpen }: { answer: VerifyAnswer; isWhyOpen: boolean }) {
  if (answer.kind === 'progress') return null
  if (answer.kind === 'failed')
    return (
      <Note tone="warn" icon="away" role="alert">
        {t('verify.failed', { reason: answer.reason })}
      </Note>
    )
  if (answer.kind === 'invalid')
    return (
      <Note tone="bad" icon="warn" role="alert">
        <strong data-verified="no">{t('verify.bad')}</strong>
        <br />
        <span dir="ltr">{answer.rule}</span>
        <br />
        {answer.line !== null && t('verify.bad.line', { line: answer.line })}{' '}
        {answer.seq !== null && t('verify.bad.event', { seq: answer.seq })}
      </Note>
    )
  const { decision } = answer
  return (
    <>
      <Note
        tone={decision === 'partly' ? 'warn' : 'good'}
        icon={decision === 'partly' ? 'warn' : 'check'}
        role="status"
      >
        <strong data-verified="yes">{t(`verify.${decision}`)}</strong>
        <br />
        {t('verify.counts', {
          commits: answer.commits,
          events: answer.events,
          signatures: answer.signatures,
          mandates: answer.mandates,
        })}
      </Note>
      {answer.homes.length > 1 && <Homes homes={answer.homes} />}
      {answer.bids.length > 0 && (
        <details open={isWhyOpen}>
          <summary>
            <Icon name="right" />
            {t('verify.why')}
          </summary>
          <ol class="why">
            {answer.bids.map((bid) => (
              <li key={bid.seq}>
                <span dir="auto">{bid.bidder}</span> <strong>{writing.value.money(bid.price, answer.currency)}</strong>{' '}
                <span class="soft">{t(`because.${bid.because}`)}</span>
              </li>
            ))}
          </ol>
        </details>
      )}
    </>
  )
}

/** Which node wrote the auction since when, and why it was another one. */
function Homes({ homes }: { homes: readonly CheckedHome[] }) {
  const { when } = writing.value
  return (
    <details>
      <summary>
        <Icon name="right" />
        {t('verify.homes')}
      </summary>
      <ol class="why">
        {homes.map(({ nodeId, sinceMs, why, endMs }) => (
          <li key={sinceMs}>
            <time dateTime={timeText(sinceMs)}>{when(sinceMs)}</time> <bdi>{nodeId}</bdi>{' '}
            <span class="soft">
              {t(`verify.home.${why}`)}
              {endMs !== null && ` ${t('time.extended.takeover', { end: when(endMs) })}`}
            </span>
          </li>
        ))}
      </ol>
    </details>
  )
}
