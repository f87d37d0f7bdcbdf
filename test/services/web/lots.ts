import type { Lot } from '../../../services/gateway/web/model/lot.js'
import { formatMessage } from '../../../services/gateway/web/model/message-format.js'
import type { Speech } from '../../../services/gateway/web/model/panel-words.js'
import { writingOf } from '../../../services/gateway/web/model/writing.js'
import { en } from '../../../services/gateway/web/texts/en.js'

export const NOW = Date.parse('2030-01-01T18:00:00Z')

/** An open auction at 78.00 EUR, the next bid 78.50, which ends in two minutes; the visitor has no part in it. */
export function lotWith(part: Partial<Lot> = {}): Lot {
  return {
    id: 'auc_1',
    seq: 5,
    status: 'open',
    title: 'Chair',
    description: '',
    currency: 'EUR',
    startPrice: '75.00',
    price: '78.00',
    minimum: '78.50',
    leaderId: 'kim',
    leaderName: 'Kim',
    bidCount: 3,
    hasReserve: false,
    reserveMet: true,
    buyNow: null,
    increments: [{ from: '0.00', step: '0.50' }],
    sellerId: 'sam',
    sellerName: 'Sam',
    home: { name: 'node', state: 'alive', inCluster: false },
    disputed: false,
    maximaLost: false,
    openedAtMs: NOW - 60_000,
    opensAtMs: null,
    closesAtMs: NOW + 120_000,
    softClose: null,
    endedAtMs: null,
    ending: null,
    you: null,
    pictures: [],
    pseudonyms: false,
    ownIds: new Set(['mia']),
    extension: null,
    ...part,
  }
}

/** English as it is spoken in Britain, in Berlin. */
export const SPEECH: Speech = {
  t: (key, args = {}) => formatMessage(en[key], args, 'en-GB'),
  money: (amount) => writingOf('en-GB').money(amount, 'EUR').replace('\u00a0', ' '),
  clock: (ms) => writingOf('en-GB', 'Europe/Berlin').clock(ms),
  when: (ms) => writingOf('en-GB', 'Europe/Berlin').when(ms),
}
