import type { Speech } from '../../model/panel-words.js'
import { t, writing } from '../state/language.js'

export function speechFor(currency: string): Speech {
  const { money, clock, when } = writing.value
  return { t, money: (amount) => money(amount, currency), clock, when }
}
