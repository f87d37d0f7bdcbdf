import { expect } from 'chai'
import type { BrowserContext, Page } from 'playwright-core'
import { eventually } from '../support/eventually.js'
import { bid, counts, says } from '../support/page-actions.js'
import { WebSuite } from '../support/web-suite.js'

/** Stands for what the desktop would show and play, and for whether anybody looks at the tab. */
const DESKTOP = `
  window.shown = []
  window.asked = 0
  window.tones = []
  window.isLookedAt = true
  const remembered = () => { try { return localStorage.getItem('test.permission') } catch { return null } }
  window.Notification = class {
    static get permission() { return remembered() ?? 'default' }
    static async requestPermission() {
      window.asked += 1
      localStorage.setItem('test.permission', 'granted')
      return 'granted'
    }
    constructor(title, { body }) { window.shown.push(title + ': ' + body) }
  }
  document.hasFocus = () => window.isLookedAt
  const node = () => ({ connect: (to) => to, gain: { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} } })
  window.AudioContext = class {
    currentTime = 0
    destination = {}
    async resume() {}
    createGain() { return node() }
    createOscillator() {
      const tone = { ...node(), frequency: { value: 0 }, start() { window.tones.push(tone.frequency.value) }, stop() {} }
      return tone
    }
  }
`

const COLOURS = `(() => {
  const canvas = document.querySelector('.chart canvas')
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const seen = new Set()
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > 200) seen.add(data[i] + ' ' + data[i + 1] + ' ' + data[i + 2])
  return [...seen]
})()`

describe('what the web page calls attention to, in Chromium', function () {
  this.timeout(60_000)
  const suite = new WebSuite()

  const visitor = async (name: string) => {
    const made = await suite.visit('about:blank', { name })
    await made.context.addInitScript({ content: DESKTOP })
    return made
  }
  const tab = async (context: BrowserContext, path: string) => {
    const page = await context.newPage()
    await page.goto(suite.gateway.url + path)
    return page
  }
  const shown = (page: Page) => page.evaluate<string[]>('window.shown')
  const tones = (page: Page) => page.evaluate<number[]>('window.tones.splice(0)')
  /** Whatever was heard before it. */
  const hears = (page: Page, cue: readonly number[] = []) =>
    eventually('it is heard', async () => `,${await page.evaluate('window.tones')}`.endsWith(`,${cue}`))
  const lookAway = (page: Page) => page.evaluate('window.isLookedAt = false')
  /** Leads in an auction of the name, with the tab at the catalogue. */
  const leading = async (page: Page, title: string) => {
    const id = await suite.gateway.open({ title })
    await page.goto(`${suite.gateway.url}/lot/${id}`)
    await says(page, 'The next bid is')
    await bid(page)
    await says(page, 'You lead at 10.00')
    return id
  }

  it('asks about notices after the first accepted bid and never before, and shows them while nobody looks', async () => {
    const { page } = await visitor('mia')
    await page.goto(suite.gateway.url)
    await page.locator('h1').waitFor()
    expect(await page.locator('[data-asking]').count()).to.equal(0)
    const id = await leading(page, 'A chair')
    await page.locator('[data-asking]').waitFor()
    expect(await page.evaluate('window.asked')).to.equal(0)
    await page.getByRole('button', { name: 'Yes, tell me' }).click()
    await page.locator('[data-asking]').waitFor({ state: 'detached' })
    expect(await page.evaluate('window.asked')).to.equal(1)
    await page.getByRole('link', { name: 'All auctions' }).first().click()
    await suite.gateway.bid(id, 'kim', '12')
    const notice = page.locator('[data-notice=outbid]')
    await notice.waitFor()
    expect(await notice.innerText()).to.match(/Outbid at 12\.00\u00a0EUR[\s\S]*A chair/)
    expect(await page.locator('[role=alert]').last().innerText()).to.include('A chair: Outbid at 12.00')
    // Whoever looks at the page is not called to it.
    expect(await shown(page)).to.deep.equal([])
    await suite.gateway.bid(id, 'mia', '20')
    await page.locator('.tile', { hasText: 'A chair' }).getByText('You lead').waitFor()
    await lookAway(page)
    await suite.gateway.bid(id, 'kim', '22')
    await eventually('the browser shows it', async () => (await shown(page)).length > 0)
    expect(await shown(page)).to.deep.equal(['A chair: Outbid at 22.00\u00a0EUR'])
    await notice.getByRole('link').click()
    await says(page, 'Outbid at 22.00')
    await counts(page.locator('[data-notice]'), 0)
  })

  it('asks nobody again who does not want to be asked', async () => {
    const { page } = await visitor('mia')
    await leading(page, 'A lamp')
    await page.getByRole('button', { name: 'Not now' }).click()
    await page.locator('[data-asking]').waitFor({ state: 'detached' })
    await page.reload()
    await leading(page, 'Another lamp')
    expect(await page.locator('[data-asking]').count()).to.equal(0)
    expect(await page.evaluate('window.asked')).to.equal(0)
  })

  it('calls once for each thing, however many tabs are open: outbid, ending soon while not leading, and won', async () => {
    const { page, context } = await visitor('mia')
    const first = await leading(page, 'A desk')
    await page.getByRole('button', { name: 'Yes, tell me' }).click()
    const other = await tab(context, '/')
    await page.goto(suite.gateway.url)
    for (const each of [page, other]) {
      await each.locator('.tile', { hasText: 'A desk' }).getByText('You lead').waitFor()
      await lookAway(each)
    }
    await suite.gateway.bid(first, 'kim', '12')
    for (const each of [page, other]) await each.locator('[data-notice=outbid]').waitFor()
    const both = async () => [...(await shown(page)), ...(await shown(other))]
    const outbid = 'A desk: Outbid at 12.00\u00a0EUR'
    await eventually('it is shown', async () => (await both()).includes(outbid))
    await suite.gateway.bid(first, 'mia', '30')
    const second = await suite.gateway.open({ title: 'A rug', closes_in_seconds: 120 })
    await suite.gateway.bid(second, 'mia', '10')
    await page.locator('.tile', { hasText: 'A rug' }).waitFor()
    await suite.gateway.post(`/api/v1/auctions/${first}/close`, { user_id: 'sam' })
    const won = 'A desk: Won at 30.00\u00a0EUR'
    await eventually('it is shown', async () => (await both()).includes(won))
    expect((await both()).sort()).to.deep.equal([outbid, won])
    await suite.gateway.bid(second, 'kim', '11')
    const ending = /^A rug: Ends at [\d:]+, and you do not lead/
    await eventually('the end is near', async () => (await both()).some((text) => ending.test(text)))
    const [rug, ...others] = (await both()).filter((text) => ![outbid, won].includes(text) && !ending.test(text))
    expect([rug, others]).to.deep.equal(['A rug: Outbid at 11.00\u00a0EUR', []])
    expect((await both()).length).to.equal(4)
  })

  it('calls in the tab that is left for what the one before it did not hear of', async () => {
    const { page, context } = await visitor('pia')
    const id = await leading(page, 'A stove')
    await page.getByRole('button', { name: 'Yes, tell me' }).click()
    await page.goto(suite.gateway.url)
    await page.locator('.tile', { hasText: 'A stove' }).getByText('You lead').waitFor()
    // The tab that is looked at last is deaf, as one whose connection is gone.
    const other = await context.newPage()
    let isDeaf = false
    await other.routeWebSocket('**/ws*', (near) => {
      const far = near.connectToServer()
      far.onMessage((message) => {
        if (!isDeaf) near.send(message)
      })
    })
    await other.goto(suite.gateway.url)
    await other.locator('.tile', { hasText: 'A stove' }).getByText('You lead').waitFor()
    isDeaf = true
    for (const each of [page, other]) await lookAway(each)
    await suite.gateway.bid(id, 'kim', '12')
    await page.locator('[data-notice=outbid]').waitFor()
    expect([await shown(page), await shown(other)]).to.deep.equal([[], []])
    await other.close()
    await eventually('it is shown', async () => (await shown(page)).length > 0)
    expect(await shown(page)).to.deep.equal(['A stove: Outbid at 12.00\u00a0EUR'])
  })

  it('is silent until sounds are turned on, and has a cue of its own for each of three things', async () => {
    const { page } = await visitor('mia')
    const first = await leading(page, 'A vase')
    await page.getByRole('button', { name: 'Not now' }).click()
    await suite.gateway.bid(first, 'kim', '12')
    await says(page, 'Outbid at 12.00')
    expect(await tones(page)).to.deep.equal([])
    await page.locator('.nav .who').click()
    await page.getByLabel('Sounds').check()
    const cues: number[][] = []
    for (const name of ['Outbid', 'Extended', 'Won']) {
      await page.getByRole('button', { name: `Play: ${name}` }).click()
      cues.push(await tones(page))
    }
    expect(new Set(cues.map(String)).size).to.equal(3)
    const soft_close = { window_ms: 3_600_000, extension_ms: 3_600_000 }
    const second = await suite.gateway.open({ title: 'A bowl', closes_in_seconds: 3_000, soft_close })
    await page.goto(`${suite.gateway.url}/lot/${second}`)
    await says(page, 'The next bid is')
    await suite.gateway.bid(second, 'kim', '10')
    await hears(page, cues[1])
    await suite.gateway.bid(second, 'mia', '20')
    await says(page, 'You lead at 20.00')
    await suite.gateway.post(`/api/v1/auctions/${second}/close`, { user_id: 'sam' })
    await hears(page, cues[2])
  })

  it('draws the price over time for eyes and in words, and shows who watches', async () => {
    const { page, context } = await visitor('mia')
    const id = await suite.gateway.open({ title: 'A mirror' })
    await page.goto(`${suite.gateway.url}/lot/${id}`)
    await says(page, 'The next bid is')
    expect(await page.locator('.chart').count()).to.equal(0)
    for (const amount of ['12', '15', '19']) await suite.gateway.bid(id, `kim${amount}`, amount)
    const plot = page.locator('.chart [role=img]')
    await plot.locator('canvas').waitFor()
    await eventually('it says so', async () =>
      /from 10\.00\u00a0EUR on .+ to 19\.00\u00a0EUR on .+, 3 bids/.test((await plot.getAttribute('aria-label')) ?? ''),
    )
    // Something is drawn: a line in the accent, and not a blank.
    await eventually('a line is drawn', async () => (await page.evaluate<string[]>(COLOURS)).includes('42 59 176'))
    const other = await visitor('nora')
    await other.page.goto(`${suite.gateway.url}/lot/${id}`)
    await page.locator('[data-watchers="2"]').click()
    await page.locator('.watchers li', { hasText: 'nora' }).waitFor()
    await other.page.close()
    await page.locator('[data-watchers="1"]').waitFor()
    await page.getByRole('button', { name: 'Why this price?' }).click()
    await page.locator('.why li', { hasText: 'kim19' }).waitFor({ timeout: 30_000 })
    expect(context.pages()).to.have.length(1)
  })
})
