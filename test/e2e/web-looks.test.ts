import { expect } from 'chai'
import type { Page, Route } from 'playwright-core'
import { axeFaults } from '../support/axe-faults.js'
import { dialog, dismiss, reads, says, tap } from '../support/page-actions.js'
import { WebSuite } from '../support/web-suite.js'

const PHONE = { width: 360, height: 740 }
const LAYOUTS = {
  'on a phone': { viewport: PHONE },
  'on a desk': { viewport: { width: 1280, height: 860 } },
  'on a phone in Arabic': { viewport: PHONE, locale: 'ar-EG' },
  'on a phone in German': { viewport: PHONE, locale: 'de-DE' },
} as const

/** Wider than the window, or than its own place: something has to be scrolled sideways to be read. */
function overflow(page: Page, selector = 'html'): Promise<number> {
  return page.evaluate(
    `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('${selector}'))`,
  )
}

describe('the look of the web page, in Chromium', () => {
  const suite = new WebSuite({ nodes: 2, visitor: 'mia' })
  let lot: string

  before(async () => {
    const { gateway } = suite
    const description = 'Two drawers.\n\nLight traces of use.'
    lot = await gateway.open({
      title: 'A writing desk',
      description,
      reserve: '90',
      closes_in_seconds: 3_000,
    })
    await gateway.bid(lot, 'mia', '20')
    await gateway.bid(lot, 'kim', '25')
    await gateway.open({ title: '🪑'.repeat(100), start_price: '999999999999' })
    await gateway.open({ title: 'W'.repeat(200) })
    await gateway.open({ title: 'مصباح نحاسي قديم' })
    const closed = await gateway.open({ title: 'Gone' })
    await gateway.bid(closed, 'mia', '20')
    await gateway.post(`/api/v1/auctions/${closed}/close`, { user_id: 'sam' })
  })
  const open = async (path: string, options: Parameters<WebSuite['visit']>[1] = {}) => {
    const page = await suite.open(path, options)
    await page.locator('main h1').waitFor()
    return page
  }
  /** With what is there once all is. */
  const views = () =>
    [
      ['/', '.tile'],
      ['/?show=closed', '.tile'],
      [`/lot/${lot}`, '.history li'],
      ['/sell', 'form'],
      ['/mine', '.group'],
      ['/account', '.button'],
      ['/mesh', '.mesh-picture [data-peer]'],
    ] as const

  for (const [layout, options] of Object.entries(LAYOUTS))
    it(`leaves axe nothing to find, and nothing to be scrolled sideways, in light and dark: ${layout}`, async () => {
      const found: string[] = []
      const page = await open('/', options)
      for (const [path, whole] of views()) {
        await page.goto(suite.gateway.url + path)
        await page.locator('main h1').waitFor()
        await page.locator(`main ${whole}`).first().waitFor()
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          await page.locator(`html[data-theme=${colorScheme}]`).waitFor()
          found.push(...(await axeFaults(page)).map((fault) => `${path} in ${colorScheme}: ${fault}`))
        }
        if ((await overflow(page)) > 0) found.push(`${path} is ${await overflow(page)} px too wide`)
        if ((await overflow(page, '.nav')) > 0) found.push(`the menu of ${path} is cut off`)
      }
      expect(found).to.deep.equal([])
    })

  for (const [locale, words] of [
    ['ar-EG', ['المزادات', 'rtl']],
    ['de-DE', ['Auktionen', 'ltr']],
  ] as const) {
    it(`speaks the language of the browser: ${locale}`, async () => {
      const page = await open('/', { locale })
      await reads(page.locator('h1'), words[0])
      expect(await page.locator('html').getAttribute('dir')).to.equal(words[1])
    })
  }

  it('is looked at by an axe that finds what is wrong', async () => {
    const page = await open('/mine')
    await page.evaluate(`document.querySelector('main').append(document.createElement('img'))`)
    expect(await axeFaults(page)).to.have.length(1)
  })

  it('leaves axe nothing to find in the sheet, and in the panel of every standing', async () => {
    const page = await open(`/lot/${lot}`)
    await says(page, 'Outbid at 25.00')
    await page.click('[data-bid]')
    await dialog(page).waitFor()
    expect(await axeFaults(page)).to.deep.equal([])
    await dismiss(page)
    await page.keyboard.press('?')
    await dialog(page).locator('#keys-title').waitFor()
    expect(await axeFaults(page)).to.deep.equal([])
  })

  it('has what a thumb needs on a phone, at least 44 px high, with the next bid under it', async () => {
    const page = await open(`/lot/${lot}`, { viewport: PHONE, hasTouch: true })
    await says(page, 'Outbid at 25.00')
    const button = page.locator('.dock .button')
    const box = await button.boundingBox()
    expect((box?.y ?? 0) + (box?.height ?? 0)).to.be.within(PHONE.height - 40, PHONE.height)
    const small = await page.evaluate<string[]>(`
      [...document.querySelectorAll('button, .button, .nav a, input:not([type=radio], [type=checkbox]), select')]
        .filter((element) => element.offsetParent !== null && !element.classList.contains('skip'))
        .filter((element) => element.getBoundingClientRect().height < 44)
        .map((element) => element.outerHTML.slice(0, 100))
    `)
    expect(small).to.deep.equal([])
    await button.tap()
    await tap(page)
    await says(page, 'You lead, but the reserve is not met')
  })

  it('draws a few dozen of ten thousand auctions, and reaches the last', async () => {
    const { body } = await suite.gateway.get(`/api/v1/auctions/${lot}`)
    const many = (route: Route) => {
      const at = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0)
      const auctions = Array.from({ length: 200 }, (_, index) => {
        const id = `auc_${String(at + index).padStart(6, '0')}`
        const closes_at = new Date(Date.now() + (at + index + 600) * 1_000).toISOString()
        return { ...body, id, auction_id: id, title: `Lot ${at + index}`, closes_at }
      })
      return route.fulfill({ json: { auctions, next: at + 200 < 10_000 ? String(at + 200) : null } })
    }
    const page = await open('/', { prepare: (page) => page.route('**/api/v1/auctions?*', many) })
    await page.getByText('10,000 auctions').waitFor({ timeout: 30_000 })
    expect(await page.locator('.tile').count()).to.be.within(4, 60)
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    await page.getByText('Lot 9999', { exact: true }).waitFor()
    expect(await page.locator('.tile').count()).to.be.within(1, 60)
    await page.getByRole('searchbox').fill('Lot 7777')
    await page.getByText('1 auction', { exact: true }).waitFor()
  })
})
