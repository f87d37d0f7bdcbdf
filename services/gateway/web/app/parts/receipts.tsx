import { useState } from 'preact/hooks'
import type { Receipt } from 'vendue/client'
import type { Lot } from '../../model/lot.js'
import { t } from '../state/language.js'
import { client } from '../state/session.js'
import { Note } from './icons.js'

type Answer = 'none' | 'failed' | 'saved'

/** Saves what the auction's home has signed for the visitor's bids. */
export function Receipts({ lot }: { lot: Lot }) {
  const [answer, setAnswer] = useState<Answer | null>(null)
  const ask = () => {
    setAnswer(null)
    saveReceipts(lot.id).then(setAnswer, () => setAnswer('failed'))
  }
  return (
    <>
      <button type="button" class="button quiet" data-receipts onClick={ask}>
        {t('receipts.save')}
      </button>
      {answer && (
        <Note tone={answer === 'failed' ? 'warn' : 'calm'} icon={answer === 'failed' ? 'away' : 'check'} role="status">
          {t(`receipts.${answer}`)}
        </Note>
      )}
    </>
  )
}

async function saveReceipts(auction: string): Promise<Answer> {
  const by = client.peek()
  if (by === null) return 'failed'
  const receipts: Receipt[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page: Awaited<ReturnType<typeof by.receipts>> = await by.receipts(auction, { after })
    receipts.push(...page.receipts)
    after = page.next
  }
  if (receipts.length === 0) return 'none'
  const text = JSON.stringify({ auction_id: auction, receipts }, null, 2)
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `${auction}.receipts.json`
  link.click()
  // The browser has taken it up by the next turn.
  setTimeout(() => URL.revokeObjectURL(url), 1_000)
  return 'saved'
}
