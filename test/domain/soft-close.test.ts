import { expect } from 'chai'
import type { Live } from '../../src/domain/auction.js'
import { softCloseEnd } from '../../src/domain/soft-close.js'
import type { SoftClose } from '../../src/domain/terms.js'
import { given, HOUR, SECOND, T0 } from '../support/auction-scenario.js'

const ENDS = T0 + HOUR

function live(softClose: SoftClose | null): Live {
  return given({ closesAt: ENDS, softClose }).auction as Live
}

describe('softCloseEnd', () => {
  const rule = { windowMs: 30 * SECOND, extensionMs: 60 * SECOND, hardStopAt: null }

  it('leaves the end alone before the window', () => {
    expect(softCloseEnd(live(rule), ENDS - 30 * SECOND - 1)).to.equal(null)
  })

  it('counts the extension from the bid, from the window’s first millisecond to its last', () => {
    expect(softCloseEnd(live(rule), ENDS - 30 * SECOND)).to.equal(ENDS + 30 * SECOND)
    expect(softCloseEnd(live(rule), ENDS - 1)).to.equal(ENDS + 60 * SECOND - 1)
  })

  it('never brings the end forward', () => {
    const short = { windowMs: 60 * SECOND, extensionMs: 10 * SECOND, hardStopAt: null }
    expect(softCloseEnd(live(short), ENDS - 10 * SECOND)).to.equal(null)
    expect(softCloseEnd(live(short), ENDS - 10 * SECOND + 1)).to.equal(ENDS + 1)
  })

  it('stops at the hard stop', () => {
    const capped = live({ ...rule, hardStopAt: ENDS + 10 * SECOND })
    expect(softCloseEnd(capped, ENDS - 1)).to.equal(ENDS + 10 * SECOND)
    expect(softCloseEnd(live({ ...rule, hardStopAt: ENDS }), ENDS - 1)).to.equal(null)
  })

  it('is no business of auctions without the rule, or without an end', () => {
    expect(softCloseEnd(live(null), ENDS - 1)).to.equal(null)
    expect(softCloseEnd(given().auction as Live, ENDS - 1)).to.equal(null)
  })
})
