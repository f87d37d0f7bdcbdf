import { expect } from 'chai'
import type { Browser } from 'playwright-core'
import { launchBrowser, type Visit, visit } from '../support/browser.js'
import { CuttingProxy } from '../support/cutting-proxy.js'
import { eventually } from '../support/eventually.js'
import { bid, counts, reads, says } from '../support/page-actions.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

/** What the browser itself reports of servers that are away; anything else is the page's own. */
const AWAY = /net::ERR_|WebSocket connection to/

describe('the web page where things fail, in Chromium', () => {
  let browser: Browser
  let mesh: TestMesh
  let gateway: TestGateway
  const visits: Visit[] = []

  before(async function () {
    browser = await launchBrowser(this)
    mesh = await createTestMesh(3)
    gateway = await TestGateway.start(mesh.nodes[0]!)
  })
  after(async () => {
    await browser?.close()
    await gateway?.stop()
    await mesh?.stop()
  })
  afterEach(async () => {
    const errors = visits.flatMap(({ errors }) => errors).filter((error) => !AWAY.test(error))
    await Promise.all(visits.splice(0).map(({ context }) => context.close()))
    expect(errors).to.deep.equal([])
  })

  const visited = async (url: string) => {
    const made = await visit(browser, url, { name: 'mia' })
    visits.push(made)
    return made.page
  }
  const opened = (through: TestGateway, terms: Record<string, unknown> = {}) =>
    through.open({ title: 'A chair', start_price: '75', increment: '0.50', ...terms })

  it('goes on through another gateway when its own is killed, and bids there', async () => {
    const first = await TestGateway.start(mesh.nodes[0]!)
    const port = Number(new URL(first.url).port)
    await first.stop()
    const second = await TestGateway.start(mesh.nodes[1]!, { gateways: [first.url] })
    const own = await TestGateway.start(mesh.nodes[0]!, { port, gateways: [second.url] })
    try {
      const id = await opened(own)
      await eventually('the other node knows it', async () => {
        return (await second.get(`/api/v1/auctions/${id}`)).status === 200
      })
      const page = await visited(`${own.url}/lot/${id}`)
      await says(page, 'The next bid is 75.00')
      await bid(page)
      await says(page, 'You lead at 75.00')
      await own.stop()
      await second.bid(id, 'kim', '80')
      await says(page, 'Outbid at 80.00', 20_000)
      await bid(page, '85')
      await says(page, 'You lead at 85.00')
      await counts(page.locator('.history li'), 3)
      const { body } = await second.get(`/api/v1/auctions/${id}`)
      expect(body).to.include({ price: '85.00', bid_count: 3 })
    } finally {
      await own.stop()
      await second.stop()
    }
  })

  it('says that the home is away, takes no bids then, and goes on when it is back', async () => {
    const home = await TestGateway.start(mesh.nodes[2]!)
    const id = await opened(home)
    await eventually('the first node knows it', async () => {
      return (await gateway.get(`/api/v1/auctions/${id}`)).status === 200
    })
    const page = await visited(`${gateway.url}/lot/${id}`)
    await says(page, 'The next bid is 75.00')
    await bid(page)
    await says(page, 'You lead at 75.00')
    await home.stop()
    await mesh.nodes[2]!.stop()
    await says(page, 'The auction’s node is away; nothing is lost.', 30_000)
    await page.locator('[data-bid]:disabled').waitFor()
    await mesh.join('node-3')
    await says(page, 'You lead at 75.00', 30_000)
    await bid(page, '90')
    await says(page, 'You lead at 75.00')
  })

  it('dates its price while it is cut off, then says what was missed, with no wrong standing and no gap', async () => {
    const port = Number(new URL(gateway.url).port)
    let proxy = await CuttingProxy.start(port)
    const address = proxy.url
    const id = await opened(gateway)
    const page = await visited(`${address}/lot/${id}`)
    await says(page, 'The next bid is 75.00')
    await bid(page)
    await says(page, 'You lead at 75.00')
    await proxy.stop()
    await says(page, 'Reconnecting… price as of')
    await page.locator('.panel-price.stale').waitFor()
    await page.locator('[data-bid]:disabled').waitFor()
    await reads(page.locator('.panel-price'), /75\.00/)
    for (const amount of ['76', '77', '78']) await gateway.bid(id, 'kim', amount, { user_id: `kim${amount}` })
    proxy = await CuttingProxy.start(port, Number(new URL(address).port))
    await says(page, 'Outbid at 78.00', 30_000)
    await page.getByText('3 bids while you were away: now 78.00').waitFor()
    await counts(page.locator('.history li'), 4)
    await proxy.stop()
  })

  it('says of a bid whose answer is lost that it is not known, asks by the same id, and settles it', async () => {
    const id = await opened(gateway)
    const made = await visit(browser, 'about:blank')
    visits.push(made)
    const { page } = made
    let isLosing = true
    const keys: (string | undefined)[] = []
    await page.routeWebSocket('**/ws*', (near) => {
      const far = near.connectToServer()
      near.onMessage((message) => far.send(message))
      far.onMessage((message) => {
        if (!isLosing || !/"bid_accepted"|"bid_update"/.test(String(message))) near.send(message)
      })
    })
    await page.route('**/bids?*', (route) => {
      const request = route.request()
      if (request.method() === 'POST') keys.push(request.headers()['idempotency-key'])
      return isLosing ? route.abort() : route.continue()
    })
    await page.goto(gateway.url)
    await page.evaluate(() => localStorage.setItem('vendue.name', 'mia'))
    await page.goto(`${gateway.url}/lot/${id}`)
    await says(page, 'The next bid is 75.00')
    await bid(page)
    await says(page, 'Placing 75.00')
    await page.locator('[data-bid]:disabled').waitFor()
    await says(page, 'Still not confirmed: 75.00')
    await says(page, 'We don’t know yet whether 75.00', 30_000)
    // Neither a reload nor a second tap bids again.
    await page.reload()
    await says(page, 'We don’t know yet whether 75.00', 30_000)
    isLosing = false
    await says(page, 'You lead at 75.00', 30_000)
    expect(new Set(keys).size).to.equal(1)
    const { body } = await gateway.get(`/api/v1/auctions/${id}`)
    expect(body.bid_count).to.equal(1)
  })
})
