import axe from 'axe-core'
import { expect } from 'chai'
import type { Browser, Page, Route } from 'playwright-core'
import { openAccounts } from '../../services/gateway/accounts.js'
import { launchBrowser, type Visit, visit } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { bid, dialog, reads, says, tap } from '../support/page-actions.js'
import { silentLogger } from '../support/silent-logger.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const PHONE = { width: 360, height: 740 }
const LAYOUTS = {
  'on a phone': { viewport: PHONE },
  'on a desk': { viewport: { width: 1280, height: 860 } },
  'on a phone in Arabic': { viewport: PHONE, locale: 'ar-EG' },
  'on a phone in German': { viewport: PHONE, locale: 'de-DE' },
} as const
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const run = `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(TAGS)} } })`
  const { violations } = await page.evaluate<axe.AxeResults>(run)
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
}

/** Wider than the window: something has to be scrolled sideways to be read. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

describe('the look of the web page, in Chromium', () => {
  let browser: Browser
  let mesh: TestMesh
  let gateway: TestGateway
  let lot: string
  const visits: Visit[] = []

  before(async function () {
    browser = await launchBrowser(this)
    mesh = await createTestMesh(2)
    gateway = await TestGateway.start(mesh.nodes[0]!)
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
  after(async () => {
    await browser?.close()
    await gateway?.stop()
    await mesh?.stop()
  })
  afterEach(async () => {
    const errors = visits.flatMap(({ errors }) => errors)
    await Promise.all(visits.splice(0).map(({ context }) => context.close()))
    expect(errors).to.deep.equal([])
  })
  const open = async (path: string, options: Parameters<typeof visit>[2] = {}) => {
    const made = await visit(browser, gateway.url + path, { name: 'mia', ...options })
    visits.push(made)
    await made.page.locator('main h1').waitFor()
    return made.page
  }
  const views = () => ['/', '/?show=closed', `/lot/${lot}`, '/sell', '/mine', '/account', '/mesh']

  for (const [layout, options] of Object.entries(LAYOUTS))
    it(`leaves axe nothing to find, and nothing to be scrolled sideways, in light and dark: ${layout}`, async () => {
      const found: string[] = []
      const page = await open('/', options)
      for (const path of views()) {
        await page.goto(gateway.url + path)
        await page.locator('main h1').waitFor()
        await page.waitForTimeout(300)
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          await page.locator(`html[data-theme=${colorScheme}]`).waitFor()
          found.push(...(await faultsOf(page)).map((fault) => `${path} in ${colorScheme}: ${fault}`))
        }
        if ((await overflow(page)) > 0) found.push(`${path} is ${await overflow(page)} px too wide`)
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
    expect(await faultsOf(page)).to.have.length(1)
  })

  it('leaves axe nothing to find in the sheet, and in the panel of every standing', async () => {
    const page = await open(`/lot/${lot}`)
    await says(page, 'Outbid at 25.00')
    await page.click('[data-bid]')
    await dialog(page).waitFor()
    expect(await faultsOf(page)).to.deep.equal([])
    await page.keyboard.press('Escape')
    await dialog(page).waitFor({ state: 'detached' })
    await page.keyboard.press('?')
    await dialog(page).locator('#keys-title').waitFor()
    expect(await faultsOf(page)).to.deep.equal([])
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
    const { body } = await gateway.get(`/api/v1/auctions/${lot}`)
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

describe('accounts in the web page, in Chromium', () => {
  let browser: Browser
  let mesh: TestMesh
  let gateway: TestGateway
  let accounts: Awaited<ReturnType<typeof openAccounts>>
  const dir = makeTempDir()

  before(async function () {
    browser = await launchBrowser(this)
    mesh = await createTestMesh(1)
    accounts = await openAccounts(dir.path, {}, { logger: silentLogger })
    gateway = await TestGateway.start(mesh.nodes[0]!, {}, accounts.parts)
  })
  after(async () => {
    await browser?.close()
    await gateway?.stop()
    await accounts?.close()
    await mesh?.stop()
    dir.remove()
  })

  it('registers, stays logged in over a reload, bids, changes the password, makes a key, and logs out', async () => {
    const { page, context, errors } = await visit(browser, `${gateway.url}/sell`)
    await page.getByText('Log in to sell').click()
    await page.getByText('Make an account').first().click()
    await page.getByLabel('Username').fill('mia')
    await page.getByLabel('Password').fill('a long enough password')
    await page.getByRole('button', { name: 'Make an account' }).click()
    await page.getByLabel('What is it?').fill('A lamp')
    await page.getByLabel('Starting price').fill('20')
    await page.getByRole('button', { name: 'Open the auction' }).click()
    await says(page, 'This is your own auction')
    const kept = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])',
    )
    expect(kept).to.not.match(/eyJ|refresh|vnd_|token/i)
    const [cookie] = await context.cookies(`${gateway.url}/api/v1/auth/refresh`)
    expect(cookie).to.include({
      name: 'vendue_login',
      httpOnly: true,
      sameSite: 'Strict',
      path: '/api/v1/auth',
    })
    await page.reload()
    await says(page, 'This is your own auction')
    await page.locator('.who').click()
    await page.getByText('Logged in as mia').waitFor()
    await page.getByLabel('Current password').fill('a long enough password')
    await page.getByLabel('New password').fill('another long password')
    await page.getByRole('button', { name: 'Change it' }).click()
    await page.getByText('Changed. All other logins have ended.').waitFor()
    await page.getByLabel('What it is for').fill('my robot')
    await page.getByRole('button', { name: 'Make a key' }).click()
    const key = await page.locator('.key').innerText()
    const me = await gateway.get('/api/v1/me', { 'x-api-key': key })
    expect(me.body.name).to.equal('mia')
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('revoked', { exact: true }).waitFor()
    expect((await gateway.get('/api/v1/me', { 'x-api-key': key })).status).to.equal(401)
    await page.reload()
    await page.getByText('Logged in as mia').waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Log in' }).waitFor()
    expect(errors).to.deep.equal([])
    await page.getByLabel('Username or e-mail').fill('mia')
    await page.getByLabel('Password').fill('a long enough password')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.locator('[role=alert] >> text=/password/i').waitFor()
    await page.getByLabel('Password').fill('another long password')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Logged in as mia').waitFor()
    await context.close()
  })

  it('keeps two tabs of one person logged in, however they renew their logins at the same time', async () => {
    const { page, context, errors } = await visit(browser, `${gateway.url}/account`)
    await page.getByText('Make an account').first().click()
    await page.getByLabel('Username').fill('two-tabs')
    await page.getByLabel('Password').fill('a long enough password')
    await page.getByRole('button', { name: 'Make an account' }).click()
    await page.getByText('Logged in as two-tabs').waitFor()
    const other = await context.newPage()
    await other.goto(`${gateway.url}/account`)
    for (let round = 0; round < 3; round++) {
      await Promise.all([page.reload(), other.reload()])
      for (const tab of [page, other]) await tab.getByText('Logged in as two-tabs').waitFor()
    }
    expect(errors).to.deep.equal([])
    await context.close()
  })

  it('keeps the login where the answer to its renewal is lost', async () => {
    const { page, context } = await visit(browser, `${gateway.url}/account`)
    await page.getByText('Make an account').first().click()
    await page.getByLabel('Username').fill('lost-renewal')
    await page.getByLabel('Password').fill('a long enough password')
    await page.getByRole('button', { name: 'Make an account' }).click()
    await page.getByText('Logged in as lost-renewal').waitFor()
    let lost = 0
    await page.route('**/auth/refresh', async (route) => {
      lost += 1
      await route.abort()
    })
    await page.reload()
    await eventually('a renewal is lost', () => lost > 0)
    await page.unroute('**/auth/refresh')
    await page.reload()
    await page.getByText('Logged in as lost-renewal').waitFor()
    await context.close()
  })

  it('shows admins the nodes, also when they come straight to that address, and others why it does not', async () => {
    await accounts.accounts.add({ name: 'boss', password: 'a long enough password' }, ['admin'])
    const { page, context, errors } = await visit(browser, `${gateway.url}/mesh`)
    await page.getByText('Only admins of this gateway see its nodes.').waitFor()
    await page.goto(`${gateway.url}/account`)
    await page.getByLabel('Username or e-mail').fill('boss')
    await page.getByLabel('Password').fill('a long enough password')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Logged in as boss').waitFor()
    await page.goto(`${gateway.url}/mesh`)
    await page.getByText('Only admins').waitFor({ state: 'detached' })
    await page.getByText('boss').waitFor()
    expect(errors).to.deep.equal([])
    await context.close()
  })

  it('lets nobody bid who has not logged in, and brings them back to the auction once they have', async () => {
    const seller = await gateway.post('/api/v1/auth/register', {
      username: 'sam',
      password: 'a long enough password',
    })
    const headers = { authorization: `Bearer ${seller.body.access_token}` }
    const { body } = await gateway.post(
      '/api/v1/auctions',
      { title: 'Lot', start_price: '5', currency: 'EUR' },
      headers,
    )
    const { page, context, errors } = await visit(browser, `${gateway.url}/lot/${body.id}`)
    await says(page, 'Log in to bid')
    await page.locator('.panel a.button').click()
    await page.getByText('Make an account').first().click()
    await page.getByLabel('Username').fill('kim')
    await page.getByLabel('Password').fill('a long enough password')
    await page.getByRole('button', { name: 'Make an account' }).click()
    await says(page, 'The next bid is 5.00')
    await bid(page)
    await says(page, 'You lead at 5.00')
    await page.reload()
    await says(page, 'You lead at 5.00')
    expect(errors).to.deep.equal([])
    await context.close()
  })
})
