import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { eventually } from '../support/eventually.js'
import { fillStore } from '../support/full-store.js'
import { counts, DEAF_MS, dialog, reads, says } from '../support/page-actions.js'
import { WebSuite } from '../support/web-suite.js'

const PHONE = { width: 360, height: 740 }

describe('what people put into the web page, in Chromium', () => {
  const suite = new WebSuite({
    visitor: 'mia',
    nameOf: () => 'full',
    prepare: (home) => fillStore(home, { auctions: 1, bidsPerAuction: 10_000, bidsPerCommit: 500 }, 'test'),
  })

  for (const [locale, typed, understood] of [
    ['en-GB', '1,234.5', /^= 1,234\.50\u00a0EUR$/],
    ['en-IN', '1,23,456.50', /^= 1,23,456\.50\u00a0EUR$/],
    ['de-DE', '1.234,5', /^= 1\.234,50\u00a0EUR$/],
    ['de-CH', '1’234.50', /^= 1[’']234\.50\u00a0EUR$/],
    ['de-AT', '1 234,50', /^= 1\u00a0234,50\u00a0EUR$/],
    ['ar-EG', '١٬٢٣٤٫٥', /١٬٢٣٤٫٥٠/],
  ] as const)
    it(`reads an amount as it is written in ${locale}, and shows how it was understood`, async () => {
      const id = await suite.openLot()
      const page = await suite.open(`/lot/${id}`, { locale })
      await page.fill('#bid-amount', typed)
      await reads(page.locator('.understood'), understood)
      await page.locator('[data-bid]:enabled').waitFor()
    })

  it('says of each kind of nonsense what is wrong with it, and bids nothing', async () => {
    const id = await suite.openLot()
    const page = await suite.open(`/lot/${id}`)
    for (const [typed, words] of [
      ['', /^Write an amount/],
      ['abc', /^Write an amount/],
      ['1e3', /^Write an amount/],
      ['<b>80</b>', /^Write an amount/],
      ['1.2.3', /^Write an amount/],
      ['9'.repeat(40), /^Write an amount/],
      ['-80', /./],
      ['1278.505', /decimals/],
      ['78.505', /or/],
    ] as const) {
      await page.fill('#bid-amount', typed)
      await reads(page.locator('.understood .wrong'), words)
      await page.locator('[data-bid]:disabled').waitFor()
    }
    await page.locator('#bid-amount').press('Enter')
    await counts(dialog(page), 0)
    const { body } = await suite.gateway.get(`/api/v1/auctions/${id}`)
    expect(body.bid_count).to.equal(0)
  })

  for (const [what, title] of [
    ['of a hundred emoji', '🪑'.repeat(100)],
    ['without a space', 'W'.repeat(200)],
    ['from right to left', `${'مصباح نحاسي قديم '.repeat(11)}جدا`],
    ['of both directions', 'Lamp مصباح 42 نحاسي (c. 1925)'],
  ] as const)
    it(`has room for a title ${what}, on a phone, in the list, the sheet and the tab`, async () => {
      const id = await suite.openLot({ title, user_id: 'W'.repeat(60), start_price: '9999999999.00' })
      const page = await suite.open(`/lot/${id}`, { viewport: PHONE })
      await reads(page.locator('h1'), title)
      await eventually('the tab says it', async () => (await page.title()).endsWith(title))
      await fits(page)
      await page.locator('.panel [data-bid]').click()
      await dialog(page).getByText(title).waitFor()
      await fits(page)
      await page.keyboard.press('Escape')
      await page.goto(`${suite.gateway.url}/?q=${encodeURIComponent(title.slice(0, 20))}`)
      await page.locator('.tile').first().waitFor()
      await fits(page)
    })

  it('shows an auction of ten thousand bids at once, and the earlier ones page by page', async () => {
    const { auctions } = (await suite.gateway.get('/api/v1/auctions?q=Lot+0')).body
    const page = await suite.open(`/lot/${auctions[0].id}`)
    await says(page, 'The next bid is 101.00')
    await reads(page.locator('.panel-price'), /10,000 bids/)
    const lines = page.locator('.history > ol > li')
    await counts(lines, 30)
    await page.getByRole('button', { name: 'Earlier bids' }).click()
    await counts(lines, 60)
    const bid = await suite.gateway.post(`/api/v1/auctions/${auctions[0].id}/bids`, { user_id: 'ben', amount: '101' })
    expect(bid.body).to.include({ status: 'accepted' })
    await says(page, 'The next bid is 101.01')
  })

  it('is read, bid and sold on with nothing but the keyboard', async () => {
    const title = 'A keyboard lot'
    await suite.openLot({ title })
    const page = await suite.open('/?q=keyboard')
    await page.locator('.tile').waitFor()
    await page.keyboard.press('Tab')
    await focused(page, 'Skip to the content')
    await page.keyboard.press('Enter')
    await tabTo(page, title)
    await page.keyboard.press('Enter')
    await says(page, 'The next bid is 75.00')
    await page.keyboard.press('w')
    await page.getByRole('button', { name: 'Watching', exact: true, pressed: true }).waitFor()
    await page.keyboard.press('b')
    await page.keyboard.type('80')
    await page.keyboard.press('Enter')
    await dialog(page).waitFor()
    await page.waitForTimeout(DEAF_MS)
    await page.keyboard.press('Enter')
    await says(page, 'You lead at 80.00')
    await page.keyboard.press('?')
    await dialog(page).locator('#keys-title').waitFor()
    await page.keyboard.press('Escape')
    await page.goto(`${suite.gateway.url}/sell`)
    await page.getByLabel('What is it?').waitFor()
    await tabTo(page, 'What is it?')
    await page.keyboard.type('A lamp')
    await tabTo(page, 'Starting price')
    await page.keyboard.type('20')
    await tabTo(page, 'Open the auction')
    await page.keyboard.press('Enter')
    await says(page, 'This is your own auction')
  })

  it('lets no script run that got into it all the same', async () => {
    const id = await suite.openLot()
    // The browser reports each refusal as an error: here they are what is wanted.
    const page = await suite.open(`/lot/${id}`, { expected: /Content Security Policy/ })
    await says(page, 'The next bid is')
    await page.evaluate(`(async () => {
      window.violations = []
      addEventListener('securitypolicyviolation', ({ effectiveDirective }) => violations.push(effectiveDirective))
      const script = document.createElement('script')
      script.textContent = 'window.pwned = true'
      document.body.append(script)
      const holder = document.createElement('div')
      holder.innerHTML = '<img src="x:" onerror="window.pwned = true"><p style="color: red">'
      document.body.append(holder)
      const frame = document.createElement('iframe')
      frame.src = 'javascript:parent.pwned = true'
      document.body.append(frame)
      try { await fetch('http://127.0.0.1:9/') } catch {}
    })()`)
    await eventually('each of them is refused', async () => {
      const refused = await page.evaluate<string[]>('violations')
      expect(refused).to.include.members(['script-src-elem', 'script-src-attr', 'style-src-attr', 'connect-src'])
      return true
    })
    expect(await page.evaluate('window.pwned ?? false')).to.equal(false)
  })
})

/** Nothing has to be scrolled sideways to be read. */
async function fits(page: Page): Promise<void> {
  const over = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
  expect(await page.evaluate<number>(over), page.url()).to.be.at.most(0)
}

const FOCUSED = `(() => {
  const at = document.activeElement
  return at?.labels?.[0]?.textContent || at?.getAttribute('aria-label') || at?.textContent || ''
})()`

async function focused(page: Page, text: string): Promise<void> {
  await eventually(`the focus is on ${text}`, async () => (await page.evaluate<string>(FOCUSED)).includes(text))
}

/** As often as it takes, and no mouse. */
async function tabTo(page: Page, text: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate<string>(FOCUSED)).includes(text)) return
  }
  throw new Error(`60 tabs did not reach ${text}`)
}
