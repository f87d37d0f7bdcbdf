import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { eventually } from '../support/eventually.js'
import { bid, counts, reads, says, tap } from '../support/page-actions.js'
import { WebSuite } from '../support/web-suite.js'

describe('what the web page says of auctions, in Chromium', () => {
  const suite = new WebSuite({ nodes: 2, visitor: 'mia' })

  const state = (page: Page) => page.locator('.state')

  it('says to each how an auction ended: who won, who did not, and who only looked', async () => {
    const id = await suite.openLot()
    await suite.gateway.bid(id, 'mia', '75')
    await suite.gateway.bid(id, 'kim', '81')
    const pages = {
      mia: await suite.open(`/lot/${id}`),
      kim: await suite.open(`/lot/${id}`, { name: 'kim' }),
      nora: await suite.open(`/lot/${id}`, { name: 'nora' }),
    }
    await says(pages.mia, 'Outbid at 81.00')
    await says(pages.kim, 'You lead at 81.00')
    await says(pages.nora, 'The next bid is 81.50')
    await suite.close(id)
    await says(pages.mia, 'Sold for 81.00\u00a0EUR, not to you')
    await says(pages.kim, 'You won at 81.00\u00a0EUR')
    await reads(state(pages.nora), 'Sold for 81.00\u00a0EUR')
    for (const page of Object.values(pages)) {
      await counts(page.locator('.panel a[download]'), 1)
      await counts(page.locator('[data-bid]'), 0)
    }
    await pages.kim.getByRole('alert').filter({ hasText: 'You won at 81.00' }).waitFor()
    await pages.mia.getByRole('alert').filter({ hasText: 'It was sold for 81.00' }).waitFor()
    expect(
      await pages.nora
        .getByRole('alert')
        .filter({ hasText: /won|sold/i })
        .count(),
    ).to.equal(0)
  })

  it('says why an auction was not sold, or was cancelled', async () => {
    const [unsold, reserved, cancelled, bare] = await Promise.all([
      suite.openLot(),
      suite.openLot({ reserve: '100' }),
      suite.openLot(),
      suite.openLot(),
    ])
    await suite.gateway.bid(reserved, 'mia', '80')
    await suite.close(unsold)
    await suite.close(reserved)
    const cancel = (id: string, reason?: string) =>
      suite.gateway.post(`/api/v1/auctions/${id}/cancel`, { user_id: 'sam', ...(reason && { reason }) })
    await cancel(cancelled, 'It fell off the table')
    await cancel(bare)
    const page = await suite.open(`/lot/${unsold}`)
    await says(page, 'Not sold: no bids')
    for (const [id, words] of [
      [reserved, 'Not sold: reserve not met'],
      [cancelled, 'Cancelled: It fell off the table'],
      [bare, 'Cancelled by the seller'],
    ] as const) {
      await page.goto(`${suite.gateway.url}/lot/${id}`)
      await says(page, words)
    }
  })

  it('says when an auction opens, takes no bid before, and takes one once it has', async () => {
    // On a busy machine it may be open before the page is there: then with another auction.
    const { page, text } = await eventually('a page from before it opens', async () => {
      const opens_at = new Date(Date.now() + 5_000).toISOString()
      const page = await suite.open(`/lot/${await suite.openLot({ opens_at, closes_in_seconds: 600 })}`)
      const text = await state(page).innerText()
      return text.startsWith('Not open yet') && (await page.locator('[data-bid]').count()) === 0 ? { page, text } : null
    })
    expect(text).to.match(/^Not open yet: opens .*\d\d:\d\d:\d\d.* CE?S?T$/)
    await says(page, 'The next bid is 75.00')
    await bid(page)
    await says(page, 'You lead at 75.00')
  })

  it('warns of a home that signed two histories, and takes no more bids', async () => {
    const [running, over] = await Promise.all([suite.openLot(), suite.openLot()])
    await suite.gateway.bid(over, 'mia', '75')
    await suite.close(over)
    const disputed = (text: string) => text.replaceAll('"disputed":false', '"disputed":true')
    const page = await suite.open(`/lot/${running}`, {
      prepare: (page) =>
        page.route('**/api/v1/auctions**', async (route) => {
          const response = await route.fetch()
          return route.fulfill({ response, body: disputed(await response.text()) })
        }),
    })
    await says(page, 'The home signed two histories. Do not rely on this result.')
    await counts(page.locator('[data-bid]'), 0)
    await counts(page.locator('.panel a[download]'), 1)
    await page.goto(`${suite.gateway.url}/lot/${over}`)
    await says(page, 'You won at 75.00')
    await reads(state(page), /The home signed two histories/)
  })

  it('raises a maximum for whoever leads, and says no more of it to others', async () => {
    const id = await suite.openLot()
    const page = await suite.open(`/lot/${id}`)
    await says(page, 'The next bid is 75.00')
    await bid(page)
    await says(page, 'You lead at 75.00')
    await reads(page.locator('[data-bid]'), 'Raise my maximum')
    await bid(page, '120')
    await says(page, 'You lead at 75.00')
    await suite.gateway.bid(id, 'kim', '90')
    await says(page, 'You lead at 90.50')
    await suite.gateway.bid(id, 'kim', '130')
    await says(page, 'Outbid at 130.00')
    await reads(page.locator('[data-bid]'), 'Bid 130.50\u00a0EUR')
  })

  it('says that an auction moves to another node, where bids can be sent and are not placed yet, and that it has', async () => {
    const id = await suite.openLot()
    const { movingAuctions } = suite.mesh.nodes[0]!.services.parts
    const page = await suite.open(`/lot/${id}`)
    await says(page, 'The next bid is')
    movingAuctions.begin(id)
    await says(page, 'The auction is moving to another node. Bids are placed once it is there.')
    await bid(page)
    await page.getByText('1 bid', { exact: false }).first().waitFor()
    await says(page, 'The auction is moving to another node')
    movingAuctions.end(id)
    await says(page, 'You lead at 75.00')
  })

  it('sells at once for the price to buy at, over the sheet', async () => {
    const id = await suite.openLot({ buy_now: '140' })
    const page = await suite.open(`/lot/${id}`)
    await page.getByRole('button', { name: 'Buy now for 140.00' }).click()
    await page.locator('dialog[open]').getByText('140.00').first().waitFor()
    await tap(page)
    await says(page, 'You won at 140.00')
  })

  it('says a price aloud at most once in five seconds, however many bids there are', async () => {
    const id = await suite.openLot({ increment: '0.01', start_price: '0.01' })
    const page = await suite.open(`/lot/${id}`, { prepare: (page) => page.clock.install() })
    await says(page, 'The next bid is 0.01')
    await page.evaluate(`(() => {
      window.heard = []
      const region = document.querySelector('[aria-live=polite][aria-atomic]')
      const note = () => heard.push([performance.now(), region.textContent])
      new MutationObserver(note).observe(region, { childList: true, characterData: true, subtree: true })
    })()`)
    const heard = () => page.evaluate<[number, string][]>('heard')
    let cents = 0
    // By the page's clock a hundred a second, for as long as it takes until a second price has been said.
    for (let seconds = 0; seconds < 60 && (await heard()).length < 2; seconds++) {
      const bids = Array.from({ length: 100 }, () => {
        cents += 1
        return suite.gateway.bid(id, cents % 2 === 0 ? 'kim' : 'ida', (cents / 100).toFixed(2))
      })
      await Promise.all(bids)
      await page.clock.runFor(1_000)
    }
    const said = await heard()
    expect(said.length).to.be.at.least(2)
    expect(cents).to.be.at.least(100)
    for (const [i, [at, text]] of said.entries()) {
      expect(text).to.match(/^Price [\d.]+\u00a0EUR$/)
      if (i > 0) expect(at - (said[i - 1]?.[0] ?? 0)).to.be.greaterThan(4_900)
    }
    // The last one said is the last price.
    const { body } = await suite.gateway.get(`/api/v1/auctions/${id}`)
    await reads(page.locator('.panel-price .price'), new RegExp(`^${body.price} EUR`))
    await page.clock.runFor(5_000)
    await eventually(
      'the last price is said',
      async () => (await heard()).at(-1)?.[1] === `Price ${body.price}\u00a0EUR`,
    )
  })

  it('cancels an auction of one’s own with a reason that everybody sees', async () => {
    const id = await suite.openLot()
    const others = await suite.open(`/lot/${id}`)
    await says(others, 'The next bid is')
    const page = await suite.open(`/lot/${id}`, { name: 'sam' })
    await page.getByRole('button', { name: 'Cancel the auction' }).click()
    await page.getByLabel('Reason, for everybody to see').fill('Broken in the move')
    await page.getByRole('button', { name: 'Cancel it' }).click()
    await says(page, 'Cancelled: Broken in the move')
    await says(others, 'Cancelled: Broken in the move')
    const { body } = await suite.gateway.get(`/api/v1/auctions/${id}`)
    expect(body).to.include({ status: 'cancelled', cancel_reason: 'Broken in the move' })
  })

  it('closes an auction without an end, and offers to cancel none that has bids', async () => {
    const id = await suite.openLot()
    const page = await suite.open(`/lot/${id}`, { name: 'sam' })
    await says(page, 'This is your own auction')
    await reads(page.locator('[role=timer]'), 'No end set')
    await counts(page.getByRole('button', { name: /^Extend/ }), 0)
    await page.getByRole('button', { name: 'Cancel the auction' }).waitFor()
    await suite.gateway.bid(id, 'kim', '75')
    await counts(page.getByRole('button', { name: 'Cancel the auction' }), 0)
    await page.getByRole('button', { name: 'Close now' }).click()
    await page.getByRole('button', { name: 'Close now' }).click()
    await page.getByText('The winner is kim').waitFor()
  })

  it('has all that is one’s own in Mine, the most pressing first, and what it would cost', async () => {
    const me = 'rosa'
    const made = async (title: string, terms: Record<string, unknown> = {}) => ({
      title,
      id: await suite.openLot({ title, ...terms }),
    })
    const [outbid, leading, yen, watched, won, lost, selling] = await Promise.all([
      made('Outbid lot'),
      made('Leading lot'),
      made('Leading lot in yen', { currency: 'JPY', start_price: '900', increment: '1' }),
      made('Watched lot'),
      made('Won lot'),
      made('Lost lot'),
      made('Own lot', { user_id: me }),
    ])
    for (const { id } of [outbid, leading, won, lost]) await suite.gateway.bid(id, me, '75')
    await suite.gateway.bid(yen.id, me, '900')
    for (const { id } of [outbid, lost]) await suite.gateway.bid(id, 'kim', '80')
    for (const { id } of [won, lost]) await suite.close(id)
    const page = await suite.open(`/lot/${watched.id}`, { name: me })
    await page.getByRole('button', { name: 'Watch', exact: true }).click()
    await page.locator('.nav').getByText('Mine').click()
    await page.locator('.group').first().waitFor()
    await eventually('all groups are there', async () => {
      const found = await page
        .locator('.group')
        .evaluateAll((groups) =>
          groups.map((group) => [
            group.querySelector('h2')?.textContent,
            ...[...group.querySelectorAll('.tile h3')].map((title) => title.textContent).sort(),
          ]),
        )
      expect(found).to.deep.equal([
        ['Outbid 1', outbid.title],
        ['Leading 2', leading.title, yen.title],
        ['Watching 1', watched.title],
        ['Won 1', won.title],
        ['Not won 1', lost.title],
        ['Selling 1', selling.title],
      ])
      return true
    })
    const committed = page.locator('.committed')
    await reads(committed, /75\.00\u00a0EUR/)
    await reads(committed, /900\u00a0JPY/)
    await suite.gateway.bid(leading.id, 'kim', '80')
    await page.locator('.group', { hasText: 'Outbid 2' }).getByText(leading.title, { exact: true }).waitFor()
  })

  it('shows operators the nodes, how they are, and how many auctions are at home there', async () => {
    const page = await suite.open('/mesh')
    const other = suite.mesh.nodes[1]!.info.name
    await page.locator('main').getByText(other, { exact: true }).first().waitFor()
    await page.locator('main').getByText('alive').first().waitFor()
  })

  it('is the same in two tabs of one person, who bid once', async () => {
    const id = await suite.openLot()
    const first = await suite.open(`/lot/${id}`)
    const second = await first.context().newPage()
    await second.goto(first.url())
    await says(second, 'The next bid is 75.00')
    await bid(first)
    for (const tab of [first, second]) await says(tab, 'You lead at 75.00')
    await bid(second, '100')
    await suite.gateway.bid(id, 'kim', '80')
    for (const tab of [first, second]) await says(tab, 'You lead at 80.50')
    // The maximum that was raised is a bid of its own.
    const { body } = await suite.gateway.get(`/api/v1/auctions/${id}`)
    expect(body.bid_count).to.equal(3)
    for (const tab of [first, second]) await reads(tab.locator('.panel-price'), /\b3 bids\b/)
  })
})
