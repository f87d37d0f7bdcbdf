import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { CuttingProxy } from '../support/cutting-proxy.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess } from '../support/node-process.js'
import { bid, counts, reads, says } from '../support/page-actions.js'
import { TestGateway } from '../support/test-gateway.js'
import { AWAY, CUT_OFF, WebSuite } from '../support/web-suite.js'

/** More than one page of the history. */
const MISSED = 45

describe('the web page where things fail, in Chromium', () => {
  const suite = new WebSuite({ nodes: 3, visitor: 'mia' })
  const proxies: (() => Promise<void>)[] = []

  afterEach(() => Promise.all(proxies.splice(0).map((stop) => stop())))

  /** The gateway by an address of its own, which can be cut off and come back. */
  const cuttable = async (to: TestGateway) => {
    const port = Number(new URL(to.url).port)
    let proxy = await CuttingProxy.start(port)
    const address = proxy.url
    proxies.push(() => proxy.stop())
    return {
      address,
      cut: () => proxy.stop(),
      async reconnect() {
        proxy = await CuttingProxy.start(port, Number(new URL(address).port))
      },
    }
  }

  it('goes on through another gateway when its own is killed, and bids there', async () => {
    const first = await TestGateway.start(suite.mesh.nodes[0]!)
    const port = Number(new URL(first.url).port)
    await first.stop()
    const second = await TestGateway.start(suite.mesh.nodes[1]!, { gateways: [first.url] })
    const own = await TestGateway.start(suite.mesh.nodes[0]!, { port, gateways: [second.url] })
    try {
      const id = await suite.openLot({}, own)
      await suite.untilKnown(id, [second])
      const page = await suite.open(`${own.url}/lot/${id}`, { expected: AWAY })
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

  it('goes on through another gateway when the process of its own is killed in the middle of bidding', async () => {
    // The address has to be known to the other one before it runs.
    const first = await TestGateway.start(suite.mesh.nodes[0]!)
    const port = new URL(first.url).port
    await first.stop()
    const second = await TestGateway.start(suite.mesh.nodes[1]!, { gateways: [first.url] })
    const bootstrap = suite.mesh.nodes[0]?.info.dhtAddress ?? ''
    const ports = ['--grape-port', '0', '--dht-port', '0', '--http-port', port]
    const process = new NodeProcess({
      home: suite.mesh.home,
      name: 'killed-gateway',
      args: [...ports, '--bootstrap', bootstrap, '--http-gateways', second.url],
      env: { VENDUE_GATEWAY: 'yes' },
    })
    try {
      await process.start()
      const id = await suite.openLot({}, second)
      await suite.untilKnown(id, [first])
      const page = await suite.open(`${first.url}/lot/${id}`, { expected: CUT_OFF })
      await says(page, 'The next bid is 75.00')
      await bid(page)
      await says(page, 'You lead at 75.00')
      await page.fill('#bid-amount', '85')
      await process.end('SIGKILL')
      await second.bid(id, 'kim', '80')
      await says(page, 'Outbid at 80.00', 30_000)
      expect(await page.inputValue('#bid-amount')).to.equal('85')
      await bid(page)
      await says(page, 'You lead at 85.00', 30_000)
      await counts(page.locator('.history li'), 3)
      const { body } = await second.get(`/api/v1/auctions/${id}`)
      expect(body).to.include({ price: '85.00', bid_count: 3 })
    } finally {
      await process.end('SIGKILL')
      await second.stop()
    }
  })

  for (const [what, away, minutes] of [
    ['was offline for ten minutes', 'disconnected', 10],
    ['slept for an hour', 'asleep', 60],
  ] as const)
    it(`has everything after a tab ${what}: price, standing, each bid, and the time that is left`, async () => {
      const { address, reconnect, cut } = await cuttable(suite.gateway)
      const id = await suite.openLot({ increment: '1', closes_in_seconds: 7_000 })
      const page = await suite.open(`${address}/lot/${id}`, {
        expected: CUT_OFF,
        prepare: (page) => page.clock.install(),
      })
      await says(page, 'The next bid is 75.00')
      await bid(page)
      await says(page, 'You lead at 75.00')
      await cut()
      if (away === 'disconnected') {
        await page.clock.runFor(5_000)
        await says(page, 'Reconnecting… price as of')
        await page.clock.runFor(minutes * 60_000)
      }
      for (let i = 0; i < MISSED; i++) await suite.gateway.bid(id, i % 2 === 0 ? 'kim' : 'ida', String(76 + i))
      await reconnect()
      if (away === 'asleep') await page.clock.fastForward(minutes * 60_000)
      const last = (75 + MISSED).toFixed(2)
      await says(page, `Outbid at ${last}`, 60_000)
      const earlier = page.getByRole('button', { name: 'Earlier bids' })
      // The button comes with what is read, and goes with the last of it.
      await eventually('all bids are shown', async () => {
        if (await earlier.isVisible()) await earlier.click({ timeout: 1_000 }).catch(() => {})
        return (await page.locator('.history li').count()) === MISSED + 1
      })
      const shown = await page.locator('.history .amount-cell').allInnerTexts()
      expect(shown).to.deep.equal(
        Array.from({ length: MISSED + 1 }, (_, i) => `${(75 + MISSED - i).toFixed(2)}\u00a0EUR`),
      )
      // By the gateway's clock nearly two hours are left still, whatever the tab's own says.
      await reads(page.locator('[role=timer]'), /^1 h 5[67] min$/)
      await bid(page, '200')
      await says(page, 'You lead at 200.00')
    })

  it('says that the home is away, takes no bids then, and goes on when it is back', async () => {
    const home = await TestGateway.start(suite.mesh.nodes[2]!)
    const id = await suite.openLot({}, home)
    await suite.untilKnown(id)
    const page = await suite.open(`/lot/${id}`, { expected: AWAY })
    await says(page, 'The next bid is 75.00')
    await bid(page)
    await says(page, 'You lead at 75.00')
    await home.stop()
    await suite.mesh.nodes[2]!.stop()
    await says(page, 'The auction’s node is away; nothing is lost.', 30_000)
    await page.locator('[data-bid]:disabled').waitFor()
    await suite.mesh.join('node-3')
    await says(page, 'You lead at 75.00', 30_000)
    await bid(page, '90')
    await says(page, 'You lead at 75.00')
  })

  it('bears that the home’s process is killed while others bid, and goes on where it was', async () => {
    const bootstrap = suite.mesh.nodes[0]?.info.dhtAddress ?? ''
    const process = new NodeProcess({
      home: suite.mesh.home,
      name: 'killed-home',
      args: ['--grape-port', '0', '--dht-port', '0', '--bootstrap', bootstrap],
    })
    try {
      await process.start()
      const terms = { title: 'A chair', currency: 'EUR', start: '75', increment: '0.50' }
      const opened = await process.api.open({ commandId: 'cmd_killed-home', ...terms })
      const id = opened.outcome.auctionId
      await suite.untilKnown(id)
      const page = await suite.open(`/lot/${id}`, { expected: AWAY })
      await says(page, 'The next bid is 75.00')
      await bid(page)
      await says(page, 'You lead at 75.00')
      await process.end('SIGKILL')
      await says(page, 'The auction’s node is away; nothing is lost.', 30_000)
      await page.locator('[data-bid]:disabled').waitFor()
      await process.start()
      await says(page, 'You lead at 75.00', 30_000)
      await eventually('it takes bids again', async () => (await suite.gateway.bid(id, 'kim', '80')).status < 300)
      await says(page, 'Outbid at 80.00')
      await bid(page, '90')
      await says(page, 'You lead at 90.00')
      await counts(page.locator('.history li'), 3)
    } finally {
      await process.end('SIGKILL')
    }
  })

  it('waits for the result where the home is away when the time is up', async () => {
    const node = await suite.mesh.join('late-home')
    const home = await TestGateway.start(node)
    const id = await suite.openLot({ closes_in_seconds: 8 }, home)
    await suite.untilKnown(id)
    await home.stop()
    await node.stop()
    const page = await suite.open(`/lot/${id}`, { expected: AWAY })
    await says(page, 'Closing… waiting for the result', 30_000)
    await page.locator('[data-bid]:disabled').waitFor()
  })

  it('dates its price while it is cut off, then says what was missed, with no wrong standing and no gap', async () => {
    const { address, reconnect, cut } = await cuttable(suite.gateway)
    const id = await suite.openLot()
    const page = await suite.open(`${address}/lot/${id}`, { expected: CUT_OFF })
    await says(page, 'The next bid is 75.00')
    await bid(page)
    await says(page, 'You lead at 75.00')
    await cut()
    await says(page, 'Reconnecting… price as of')
    await page.locator('.panel-price.stale').waitFor()
    await page.locator('[data-bid]:disabled').waitFor()
    await reads(page.locator('.panel-price'), /75\.00/)
    for (const amount of ['76', '77', '78']) await suite.gateway.bid(id, 'kim', amount, { user_id: `kim${amount}` })
    await reconnect()
    await says(page, 'Outbid at 78.00', 30_000)
    await page.getByText('3 bids while you were away: now 78.00').waitFor()
    await counts(page.locator('.history li'), 4)
  })

  it('says of a bid whose answer is lost that it is not known, asks by the same id, and settles it', async () => {
    const id = await suite.openLot()
    let isLosing = true
    const keys: (string | undefined)[] = []
    const losing = async (page: Page) => {
      await page.routeWebSocket('**/ws*', (near) => {
        const far = near.connectToServer()
        near.onMessage((message) => far.send(message))
        far.onMessage((message) => {
          if (!isLosing || !/"bid_accepted"|"bid_placed"/.test(String(message))) near.send(message)
        })
      })
      await page.route('**/bids?*', (route) => {
        const request = route.request()
        if (request.method() === 'POST') keys.push(request.headers()['idempotency-key'])
        return isLosing ? route.abort() : route.continue()
      })
    }
    const page = await suite.open(`/lot/${id}`, { expected: CUT_OFF, prepare: losing })
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
    const { body } = await suite.gateway.get(`/api/v1/auctions/${id}`)
    expect(body.bid_count).to.equal(1)
  })
})
