import { expect } from 'chai'
import { axeFaults } from '../support/axe-faults.js'
import { bid, dismiss, reads, says } from '../support/page-actions.js'
import { WebSuite } from '../support/web-suite.js'

/** Of the picture's texts, in pixels of the screen. */
const DRAWN_SIZES = `[...document.querySelectorAll('.mesh-picture text')]
  .map((text) => Number.parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)`
/** Texts of the picture that reach out of it. */
const CUT_TEXTS = `(() => {
  const frame = document.querySelector('.mesh-picture').getBoundingClientRect()
  return [...document.querySelectorAll('.mesh-picture text')]
    .map((text) => text.getBoundingClientRect())
    .filter(({ left, right, top }) => left < frame.left || right > frame.right || top < frame.top).length
})()`

describe('the mesh, selling and one’s own auctions in the web page, in Chromium', function () {
  this.timeout(90_000)
  const suite = new WebSuite({ nodes: 3 })

  it('shows somebody unknown what selling and their own page are for, and the way there', async () => {
    for (const [path, words] of [
      ['/sell', 'Say what it is, at what price bidding starts, and when it ends.'],
      ['/mine', 'Come back here: what needs you stands first.'],
    ] as const) {
      const page = await suite.open(path)
      await page.getByText(words).waitFor()
      await page.getByRole('link', { name: 'Who are you?' }).click()
      await page.getByLabel('Your name').fill('Nora')
      await page.getByRole('button', { name: 'Use this name' }).click()
      await page.waitForURL(`**${path}`)
      await page.locator('main h1').waitFor()
      expect(await page.locator('.invitation').count()).to.equal(0)
    }
  })

  it('goes from auction to auction by single keys, says which there are on every page, and lets them be turned off', async () => {
    await suite.gateway.open({ title: 'Early', closes_in_seconds: 100 })
    await suite.gateway.open({ title: 'Later', closes_in_seconds: 200 })
    const page = await suite.open('/', { name: 'mia' })
    await page.locator('.tile', { hasText: 'Later' }).waitFor()
    const focused = () => page.evaluate<string>('document.activeElement.textContent')
    await page.keyboard.press('j')
    expect(await focused()).to.equal('Early')
    await page.keyboard.press('j')
    expect(await focused()).to.equal('Later')
    await page.keyboard.press('k')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/lot/*')
    await page.goto(`${suite.gateway.url}/mesh`)
    await page.locator('h1').waitFor()
    await page.keyboard.press('?')
    await page.locator('dialog', { hasText: 'Single-key shortcuts' }).waitFor()
    await page.getByLabel('Single-key shortcuts').uncheck()
    await dismiss(page)
    await page.keyboard.press('?')
    expect(await page.locator('dialog').count()).to.equal(0)
    await page.getByRole('link', { name: 'mia' }).click()
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
    await page.locator('dialog').waitFor()
  })

  it('sums up what somebody has committed, now and at worst, in each unit apart, over a reload', async () => {
    const euros = await suite.gateway.open({ title: 'A chair', start_price: '10' })
    const page = await suite.open(`/lot/${euros}`, { name: 'olga' })
    await says(page, 'The next bid is')
    await page.getByText('Maximum', { exact: true }).click()
    await bid(page, '150.10')
    await says(page, 'You lead at 10.00')
    const dollars = await suite.gateway.open({ title: 'A lamp', start_price: '3.30', currency: 'USD' })
    await page.goto(`${suite.gateway.url}/lot/${dollars}`)
    await says(page, 'The next bid is')
    await bid(page)
    await says(page, 'You lead at 3.30')
    const sums = async () =>
      (await page.locator('[data-committed], [data-at-worst]').allInnerTexts()).map((text) =>
        text.replace('\u00a0', ' '),
      )
    await page.goto(`${suite.gateway.url}/mine`)
    await page.locator('[data-at-worst=USD]').waitFor()
    expect(await sums()).to.deep.equal(['10.00 EUR', '3.30 USD', '150.10 EUR', '3.30 USD'])
    await suite.gateway.bid(euros, 'kim', '200')
    await page.locator('[data-at-worst=EUR]').waitFor({ state: 'detached' })
    expect(await sums()).to.deep.equal(['3.30 USD', '3.30 USD'])
    expect((await page.locator('.group > h2').allInnerTexts()).map((text) => text.split(' ')[0])).to.deep.equal([
      'Outbid',
      'Leading',
    ])
  })

  it('shows operators the mesh as a picture and as a table, and what was taken out of use and why, as it happens', async () => {
    const page = await suite.open('/mesh', { name: 'mia' })
    const rows = page.locator('tbody tr')
    await page.locator('[data-peer=node-2][data-state=alive]').waitFor()
    expect(await page.getByRole('img').getAttribute('aria-label')).to.match(
      /^Picture of the mesh around .+: 2 nodes alive, 0 suspect, 0 dead, 0 left\./,
    )
    expect(await rows.filter({ hasText: 'node-2' }).innerText()).to.match(/alive[\s\S]*ms[\s\S]*no commits/)
    await reads(page.locator('dt:text-is("Disk") + dd'), /^[\d.,]+ [kM]?B, and [\d.,]+ [kM]?B not yet merged$/)
    await reads(page.locator('dt:text-is("Disk syncs (99 of 100) within") + dd'), /^[\d.,]+ (ms|s)$/)
    await suite.mesh.nodes[2]!.stop()
    await page.locator('[data-peer=node-3][data-state=left]').waitFor({ timeout: 30_000 })
    expect(await rows.filter({ hasText: 'node-3' }).innerText()).to.include('left')
    const changes = page.locator('[data-changes] li')
    expect(await changes.first().innerText()).to.match(/node-3[\s\S]*said goodbye: taken out of use/)
    expect(await axeFaults(page)).to.deep.equal([])
    await suite.mesh.join('node-3')
    await page.locator('[data-peer=node-3][data-state=alive]').waitFor({ timeout: 30_000 })
  })

  it('shows operators of a cluster its nodes, what was taken over, and that the shared log does not answer', async () => {
    const page = await suite.open('about:blank', { name: 'mia' })
    const auction = `auc_${'0'.repeat(26)}`
    const cluster = {
      cluster: 'x',
      log: { connected_to: 'db1.example:5432', outage: null as null | object },
      nodes: [
        { node_id: 'node_1', name: 'ann', address: '', state: 'alive', beat_age_ms: 400 },
        { node_id: 'node_2', name: 'ben', address: '', state: 'dead', beat_age_ms: 12_000 },
      ],
      taken_over: 1,
      takeovers: [
        { auction_id: auction, at: '2030-01-01T12:00:00Z', from: { node_id: 'node_2', name: 'ben' }, why: '' },
      ],
      disputed: [],
      healed_commits: 3,
    }
    await page.route('**/api/v1/node*', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: { ...(await response.json()), cluster } })
    })
    await page.goto(`${suite.gateway.url}/mesh`)
    const card = page.locator('[data-cluster]')
    await card.waitFor()
    const text = await card.innerText()
    expect(text).to.match(/db1\.example:5432[\s\S]*ann[\s\S]*alive[\s\S]*ben[\s\S]*dead[\s\S]*last heartbeat 12 s ago/)
    expect(await card.locator('[data-takeovers]').innerText()).to.match(/auc_0+[\s\S]*taken over from ben/)
    expect(text).not.to.contain('has not answered')
    cluster.log = {
      connected_to: null as never,
      outage: { since: '2030-01-01T12:00:00Z', code: 'LOG_UNREACHABLE', why: 'db1.example is away' },
    }
    await card.getByText('The shared log has not answered since').waitFor()
    await card.getByText('db1.example is away').waitFor()
    expect(await axeFaults(page)).to.deep.equal([])
  })

  for (const [where, width] of [
    ['a phone', 360],
    ['a desk', 1280],
  ] as const)
    it(`writes names and times in the picture of the mesh large enough to read on ${where}`, async () => {
      const page = await suite.open('/mesh', { name: 'mia', viewport: { width, height: 860 } })
      await page.locator('.mesh-picture [data-peer=node-2] text').first().waitFor()
      const sizes = await page.evaluate<number[]>(DRAWN_SIZES)
      expect(sizes.length).to.be.greaterThan(4)
      expect(Math.min(...sizes)).to.be.at.least(12)
      const cut = await page.evaluate<number>(CUT_TEXTS)
      expect(cut).to.equal(0)
    })

  it('says so where only admins see the mesh, and does not ask again', async () => {
    const page = await suite.open('about:blank', { name: 'mia', expected: /status of 403 / })
    let asked = 0
    await page.clock.install()
    await page.route('**/api/v1/peers*', (route) => {
      asked += 1
      return route.fulfill({ status: 403, json: { code: 'FORBIDDEN', detail: 'admins only', status: 403 } })
    })
    await page.goto(`${suite.gateway.url}/mesh`)
    await page.getByText('Only admins of this gateway see its nodes.').waitFor()
    await page.clock.runFor(10_000)
    expect(asked).to.equal(1)
  })
})

describe('the gateway’s own node in the web page, in Chromium', function () {
  this.timeout(60_000)
  const suite = new WebSuite({ withAccounts: true })

  before(() => suite.accounts.accounts.add({ name: 'boss', password: 'a long enough password' }, ['admin']))

  it('bids up to a limit that its operator sets, shows and stops in the page, and nobody else is shown it', async () => {
    const registered = await suite.gateway.post('/api/v1/auth/register', {
      username: 'sam',
      password: 'a long enough password',
    })
    const headers = { authorization: `Bearer ${registered.body.access_token}` }
    const terms = { title: 'A clock', start_price: '5', currency: 'EUR' }
    const { body } = await suite.gateway.post('/api/v1/auctions', terms, headers)
    const page = await suite.open(`/account?then=/lot/${body.id}`)
    await page.getByLabel('Username or e-mail').fill('boss')
    await page.getByLabel('Password').fill('a long enough password')
    await page.locator('form').getByRole('button', { name: 'Log in' }).click()
    await page.getByLabel('Bid up to').fill('40')
    await page.getByText('= 40.00').waitFor()
    await page.getByRole('button', { name: 'Set the limit' }).click()
    await page.locator('[data-auto-bid=active]', { hasText: '40.00' }).waitFor()
    await page.locator('.panel-price', { hasText: '1 bid' }).waitFor()
    await page.getByRole('button', { name: 'Bid no further' }).click()
    await page.locator('[data-auto-bid=stopped]').waitFor()
    await page.getByRole('link', { name: 'Mine' }).click()
    await page.getByText('Limits that this node keeps').waitFor()
    const stranger = await suite.open(`/lot/${body.id}`)
    await says(stranger, 'Log in to bid')
    expect(await stranger.locator('main').innerText()).to.not.include('40.00')
    expect(await stranger.getByLabel('Bid up to').count()).to.equal(0)
  })
})
