import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { PATIENCE_MS } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { bid, says } from '../support/page-actions.js'
import { TestGateway } from '../support/test-gateway.js'
import { AWAY, WebSuite } from '../support/web-suite.js'

const IS_KEPT = `(async () => {
  const names = await caches.keys()
  return names.length > 0 && navigator.serviceWorker.controller !== null
})()`
const KEPT_PATHS = `(async () => {
  const all = []
  for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys()) all.push(new URL(url).pathname)
  return all
})()`
/** As when somebody comes back to the tab. */
const LOOK_AGAIN = `document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))`
const BLOCK_STORAGE = `
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
    Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError') } })`
const FILL_STORAGE = `
  Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }`

describe('the web page without its gateway, or without storage, in Chromium', () => {
  const suite = new WebSuite({ expected: AWAY })

  const open = async (url: string, options: Parameters<WebSuite['visit']>[1] = {}) => {
    const { page } = await suite.visit('about:blank', { name: 'mia', ...options })
    await page.goto(url)
    return page
  }
  const away = (page: Page) => page.locator('[data-away]')

  it('opens while the gateway is away, shows what it last knew with its date and no standing, and goes on by itself', async () => {
    const gateway = await TestGateway.start(suite.mesh.nodes[0]!)
    const port = Number(new URL(gateway.url).port)
    const id = await suite.openLot()
    const page = await open(`${gateway.url}/lot/${id}`, { serviceWorkers: 'allow' })
    await says(page, 'The next bid is 75.00')
    await bid(page)
    await says(page, 'You lead at 75.00')
    await eventually('the page can open by itself', () => page.evaluate<boolean>(IS_KEPT))
    // It is left, and keeps what it knows.
    await page.reload()
    await says(page, 'You lead at 75.00')
    await gateway.stop()
    await page.reload()
    await away(page).waitFor()
    expect(await away(page).innerText()).to.match(/^Offline\. This is what was known on \w+/)
    await says(page, 'Reconnecting… price as of')
    expect(await page.locator('.panel-price').innerText()).to.include('75.00')
    expect(await page.locator('[data-bid]').isDisabled()).to.equal(true)
    await page.getByRole('link', { name: 'All auctions' }).first().click()
    await page.locator('.tile', { hasText: 'A chair' }).waitFor()
    expect(await page.locator('main').innerText()).to.not.include('You lead')
    await page.goto(`${gateway.url}/sell`)
    await page.locator('main h1').waitFor()
    await page.goto(`${gateway.url}/lot/${id}`)
    const back = await TestGateway.start(suite.mesh.nodes[0]!, { port })
    try {
      await says(page, 'You lead at 75.00', 30_000)
      await away(page).waitFor({ state: 'detached' })
    } finally {
      await back.stop()
    }
  })

  it('keeps the page’s own files alone: no answer of the API, and nothing that lets anybody in', async () => {
    const id = await suite.gateway.open({ title: 'A lamp' })
    // An address that is not the page's has no icon of its own.
    const expected = /status of 404 /
    const page = await open(`${suite.gateway.url}/lot/${id}`, { serviceWorkers: 'allow', expected })
    await says(page, 'The next bid is')
    await page.evaluate('navigator.serviceWorker.ready.then(() => null)')
    await page.reload()
    await says(page, 'The next bid is')
    const paths = await page.evaluate<string[]>(KEPT_PATHS)
    expect(paths).to.include('/')
    expect(paths.filter((path) => !/^\/($|assets\/|icon\.svg$|app\.webmanifest$)/.test(path))).to.deep.equal([])
    // Other addresses of the gateway are not the page’s.
    const docs = await page.goto(`${suite.gateway.url}/api/v1/gateway`)
    expect(docs?.headers()['content-type']).to.include('json')
  })

  it('says that a newer version is there, and loads it once nothing is being typed, and once only', async () => {
    const id = await suite.gateway.open({ title: 'A desk' })
    const page = await open('about:blank')
    await page.clock.install()
    let isUpgraded = false
    const { body } = await suite.gateway.get('/api/v1/gateway')
    await page.route('**/api/v1/gateway*', (route) =>
      route.fulfill({ json: isUpgraded ? { ...body, page: 'another' } : body }),
    )
    let loads = 0
    page.on('load', () => {
      loads += 1
    })
    await page.goto(`${suite.gateway.url}/lot/${id}`)
    await says(page, 'The next bid is 10.00')
    await page.fill('#bid-amount', '12')
    const loadedBefore = loads
    isUpgraded = true
    await page.evaluate(LOOK_AGAIN)
    const banner = page.locator('[data-stale]')
    await banner.waitFor()
    expect(await banner.innerText()).to.include('There is a newer version of this page.')
    // Longer than it would take: what is typed stays.
    await page.clock.runFor(10_000)
    expect([loads, await page.inputValue('#bid-amount')]).to.deep.equal([loadedBefore, '12'])
    await bid(page)
    await says(page, 'You lead at 12.00')
    await eventually('it loads itself anew', () => loads === loadedBefore + 1)
    await banner.waitFor()
    await page.clock.runFor(10_000)
    expect(loads).to.equal(loadedBefore + 1)
    await banner.getByRole('button').click()
    await eventually('it does what it is asked to', () => loads === loadedBefore + 2)
  })

  it('says that a part of it could not be loaded, and loads it when it is asked again', async () => {
    const page = await open('about:blank')
    await page.route('**/assets/mine-*.js', (route) => route.abort())
    await page.routeWebSocket('**/ws*', (socket) => socket.close())
    await page.goto(`${suite.gateway.url}/mine`)
    await page.getByText('A part of the page could not be loaded.').waitFor()
    await page.unroute('**/assets/mine-*.js')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.locator('h1', { hasText: 'Mine' }).waitFor()
  })

  for (const [what, words, spoil] of [
    ['blocked, as where cookies of third parties are off', 'keeps nothing for this page', BLOCK_STORAGE],
    ['full', 'has no room left', FILL_STORAGE],
  ] as const) {
    it(`works where storage is ${what}, and says what is not kept`, async () => {
      const id = await suite.gateway.open({ title: 'A rug' })
      const page = await suite.open('about:blank')
      await page.addInitScript({ content: spoil })
      await page.goto(`${suite.gateway.url}/lot/${id}`)
      await page.locator('.panel a.button').click()
      await page.getByLabel('Your name').fill('Nora')
      await page.getByRole('button', { name: 'Use this name' }).click()
      await says(page, 'The next bid is 10.00')
      const note = page.locator('[data-keeping]')
      await note.waitFor({ timeout: PATIENCE_MS })
      expect(await note.innerText()).to.include(words)
      await bid(page)
      await says(page, 'You lead at 10.00')
      await page.getByRole('button', { name: 'Watch' }).click()
      await page.getByRole('button', { name: 'Watching' }).waitFor()
      await note.getByRole('button').click()
      await note.waitFor({ state: 'detached' })
    })
  }
})
