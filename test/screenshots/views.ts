import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { visit } from '../support/browser.js'
import { dialog } from '../support/page-actions.js'
import { CAMERA, type House, LAMP, OPERATOR, PASSWORD, VISITOR } from './house.js'

const DESKTOP = { viewport: { width: 1280, height: 860 } }
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true }

const LOOKS: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['light', { ...DESKTOP, colorScheme: 'light' }],
  ['dark', { ...DESKTOP, colorScheme: 'dark' }],
  ['phone', { ...PHONE, colorScheme: 'light' }],
]

interface View {
  readonly name: string
  readonly path: (house: House) => string
  /** Brings the page where it is to be seen. */
  readonly show: (page: Page) => Promise<void>
  readonly as?: string
}

const lotOf = (title: string) => (house: House) => `/lot/${house.ids.get(title)}`

const VIEWS: readonly View[] = [
  { name: 'catalogue', path: () => '/', show: (page) => page.getByText(CAMERA).waitFor() },
  {
    name: 'lot',
    path: lotOf(CAMERA),
    show: (page) => page.getByText('You lead at 480.00').first().waitFor(),
  },
  {
    name: 'outbid',
    path: lotOf(LAMP),
    show: (page) => page.getByText('Outbid at 125.00').first().waitFor(),
  },
  {
    name: 'confirm',
    path: lotOf(LAMP),
    show: async (page) => {
      await page.locator('[data-bid]').click()
      await dialog(page).waitFor()
    },
  },
  {
    name: 'verified',
    path: lotOf(CAMERA),
    show: async (page) => {
      await page.getByRole('button', { name: 'Check the auction' }).click()
      await page.locator('[data-verified=yes]').waitFor()
      await page.locator('[data-verified=yes]').scrollIntoViewIfNeeded()
    },
  },
  {
    name: 'sell',
    path: () => '/sell',
    show: async (page) => {
      await page.getByLabel('What is it?').fill('Brass ship’s telescope, three draws')
      await page.getByLabel('Starting price').fill('120')
      await page.getByLabel('Currency').fill('EUR')
    },
  },
  {
    name: 'mine',
    path: () => '/mine',
    show: (page) => page.getByText('Pair of brass candlesticks').waitFor(),
  },
  { name: 'account', path: () => '/account', show: (page) => page.getByText('Logged in as').waitFor() },
  {
    name: 'mesh',
    path: () => '/mesh',
    show: (page) => page.locator('table').getByText('quai', { exact: true }).waitFor(),
    as: OPERATOR,
  },
]

/** Goes through all views in all looks; `take` makes a picture of what there is to be seen. */
export async function browse(
  browser: Browser,
  house: House,
  take: (name: string, page: Page) => Promise<void>,
): Promise<void> {
  for (const [look, options] of LOOKS)
    for (const view of VIEWS)
      await shown(browser, house, { view, options }, (page) => take(`${view.name}-${look}`, page))
}

async function shown(
  browser: Browser,
  house: House,
  { view, options }: { view: View; options: BrowserContextOptions },
  take: (page: Page) => Promise<void>,
): Promise<void> {
  const { page, context } = await visit(browser, 'about:blank', options)
  const username = view.as ?? VISITOR
  await context.request.post(`${house.url}/api/v1/auth/login`, {
    data: { username, password: PASSWORD, refresh_token_in: 'cookie' },
  })
  await context.addInitScript((watched) => {
    localStorage.setItem('vendue.login', 'cookie')
    localStorage.setItem('vendue.watched', watched)
  }, JSON.stringify(house.watched))
  await page.goto(house.url + view.path(house))
  await page.getByText(username).first().waitFor()
  await view.show(page)
  await page.evaluate('document.fonts.ready')
  await page.waitForTimeout(500)
  await take(page)
  await context.close()
}
