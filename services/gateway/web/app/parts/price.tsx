import { writing } from '../state/language.js'

/** An amount with its unit, which stays beside it whichever way the text runs. */
export function Price({ amount, currency, large = false }: { amount: string; currency: string; large?: boolean }) {
  const number = writing.value.number(amount)
  return (
    <bdi dir="ltr" class={large && number.length > 12 ? 'price long' : 'price'}>
      {number} <span class="unit">{currency}</span>
    </bdi>
  )
}
