import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type { VendueNode } from '../../services/node/create-node.js'
import { axeFaults } from '../support/axe-faults.js'
import { openBrowser, visit } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { bid, counts, says } from '../support/page-actions.js'
import { TestGateway } from '../support/test-gateway.js'
import { AWAY, CUT_OFF, WebSuite } from '../support/web-suite.js'

/** Of a new account. */
async function loggedIn(gateway: TestGateway, username: string): Promise<Record<string, string>> {
  const { body } = await gateway.post('/api/v1/auth/register', { username, password: 'a long enough password' })
  return { authorization: `Bearer ${body.access_token}` }
}

describe('accounts in the web page, in Chromium', () => {
  const suite = new WebSuite({ withAccounts: true })

  it('registers, stays logged in over a reload, bids, changes the password, makes a key, and logs out', async () => {
    const { page, context, errors } = await suite.visit('/sell', { expected: /status of 401 / })
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
    const [cookie] = await context.cookies(`${suite.gateway.url}/api/v1/auth/refresh`)
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
    const me = await suite.gateway.get('/api/v1/me', { 'x-api-key': key })
    expect(me.body.name).to.equal('mia')
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('revoked', { exact: true }).waitFor()
    expect((await suite.gateway.get('/api/v1/me', { 'x-api-key': key })).status).to.equal(401)
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
  })

  it('keeps two tabs of one person logged in, however they renew their logins at the same time', async () => {
    const { page, context } = await suite.visit('/account')
    await page.getByText('Make an account').first().click()
    await page.getByLabel('Username').fill('two-tabs')
    await page.getByLabel('Password').fill('a long enough password')
    await page.getByRole('button', { name: 'Make an account' }).click()
    await page.getByText('Logged in as two-tabs').waitFor()
    const other = await context.newPage()
    await other.goto(`${suite.gateway.url}/account`)
    for (let round = 0; round < 3; round++) {
      await Promise.all([page.reload(), other.reload()])
      for (const tab of [page, other]) await tab.getByText('Logged in as two-tabs').waitFor()
    }
  })

  it('keeps the login if the answer to its renewal is lost', async () => {
    const { page } = await suite.visit('/account', { expected: CUT_OFF })
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
  })

  it('shows admins the nodes, also when they come straight to that address, and others why it does not', async () => {
    await suite.accounts.accounts.add({ name: 'boss', password: 'a long enough password' }, ['admin'])
    const page = await suite.open('/mesh')
    await page.getByText('Only admins of this gateway see its nodes.').waitFor()
    await page.goto(`${suite.gateway.url}/account`)
    await page.getByLabel('Username or e-mail').fill('boss')
    await page.getByLabel('Password').fill('a long enough password')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Logged in as boss').waitFor()
    await page.goto(`${suite.gateway.url}/mesh`)
    await page.getByText('Only admins').waitFor({ state: 'detached' })
    await page.getByText('boss').waitFor()
  })

  it('says to accounts that may not bid, or not sell, that they may not, and takes nothing from them', async () => {
    const password = 'a long enough password'
    await suite.accounts.accounts.add({ name: 'only-bids', password }, ['bidder'])
    const terms = { title: 'Lot', start_price: '5', currency: 'EUR' }
    const { body } = await suite.gateway.post('/api/v1/auctions', terms, await loggedIn(suite.gateway, 'clara'))
    // Each role may bid; what a gateway says of an account is what counts.
    const readsOnly = (page: Page) =>
      page.route('**/api/v1/me', async (route) => {
        const response = await route.fetch()
        return route.fulfill({ response, json: { ...(await response.json()), scopes: ['read'] } })
      })
    const logIn = async (then: string, options = {}) => {
      const page = await suite.open(`/account?then=${then}`, options)
      await page.getByLabel('Username or e-mail').fill('only-bids')
      await page.getByLabel('Password').fill(password)
      await page.locator('form').getByRole('button', { name: 'Log in' }).click()
      await page.waitForURL(`**${then}`)
      return page
    }
    const reader = await logIn(`/lot/${body.id}`, { prepare: readsOnly })
    await says(reader, 'This account may look, but not bid')
    await counts(reader.locator('[data-bid]'), 0)
    await counts(reader.locator('.dock .button'), 0)
    expect(await axeFaults(reader)).to.deep.equal([])
    const bidder = await logIn('/sell')
    await bidder.getByText('This account may bid, but not sell. Ask whoever runs this gateway.').waitFor()
    await counts(bidder.locator('form'), 0)
    expect(await axeFaults(bidder)).to.deep.equal([])
  })

  it('keeps who is logged in, and bids on through a gateway of another site, where cookies of third parties are off', async () => {
    const [node] = suite.mesh.nodes as [VendueNode]
    const { parts } = suite.accounts
    // Other names for one machine are other sites to a browser.
    const elsewhere = (url: string) => url.replace('127.0.0.1', 'localhost')
    const first = await TestGateway.start(node, {}, parts)
    const port = Number(new URL(first.url).port)
    await first.stop()
    const second = await TestGateway.start(node, { gateways: [first.url] }, parts)
    const own = await TestGateway.start(node, { port, gateways: [elsewhere(second.url)] }, parts)
    const browser = await openBrowser('--test-third-party-cookie-phaseout')
    try {
      const { page, context, errors } = await visit(browser, `${own.url}/account`)
      const terms = { title: 'Lot', start_price: '5', currency: 'EUR' }
      const { body } = await own.post('/api/v1/auctions', terms, await loggedIn(own, 'paul'))
      await page.getByText('Make an account').first().click()
      await page.getByLabel('Username').fill('erna')
      await page.getByLabel('Password').fill('a long enough password')
      await page.getByRole('button', { name: 'Make an account' }).click()
      await page.getByText('Logged in as erna').waitFor()
      await page.goto(`${own.url}/lot/${body.id}`)
      await says(page, 'The next bid is 5.00')
      await bid(page)
      await says(page, 'You lead at 5.00')
      await own.stop()
      await second.post(`/api/v1/auctions/${body.id}/bids`, { amount: '6' }, await loggedIn(second, 'rival'))
      await says(page, 'Outbid at 6.00', 30_000)
      await bid(page, '7')
      await says(page, 'You lead at 7.00')
      expect(errors.filter((error) => !AWAY.test(error))).to.deep.equal([])
      // In no frame of another site, where nobody could tell what they click on.
      const framed = await context.newPage()
      const outside = `${elsewhere(second.url)}/outside`
      const frame = `<iframe src="${second.url}/lot/${body.id}"></iframe>`
      await framed.route(outside, (route) => route.fulfill({ contentType: 'text/html', body: frame }))
      await framed.goto(outside)
      await eventually('the frame is refused', () => framed.frames()[1]?.url() === 'chrome-error://chromewebdata/')
    } finally {
      await browser.close()
      await own.stop()
      await second.stop()
    }
  })

  it('lets nobody bid who has not logged in, and brings them back to the auction once they have', async () => {
    const terms = { title: 'Lot', start_price: '5', currency: 'EUR' }
    const { body } = await suite.gateway.post('/api/v1/auctions', terms, await loggedIn(suite.gateway, 'sam'))
    const page = await suite.open(`/lot/${body.id}`)
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
  })
})
