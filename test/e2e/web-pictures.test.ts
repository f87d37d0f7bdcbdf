import axe from 'axe-core'
import { expect } from 'chai'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser, PATIENCE_MS, type Visit, visit } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { counts, reads } from '../support/page-actions.js'
import { exifSegment, jpegWith, noise } from '../support/pictures.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const PHOTO = { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: jpegWith(exifSegment(6)) }
const DRAWING = { name: 'drawing.png', mimeType: 'image/png', buffer: noise(1, 300, 200) }

describe('pictures on the web page, in Chromium', () => {
  let browser: Browser
  let mesh: TestMesh
  let gateways: TestGateway[]
  const visits: Visit[] = []

  before(async function () {
    browser = await launchBrowser(this)
    mesh = await createTestMesh(2)
    gateways = await Promise.all(mesh.nodes.map((node) => TestGateway.start(node)))
  })
  after(async () => {
    await browser?.close()
    await Promise.all(gateways?.map((gateway) => gateway.stop()) ?? [])
    await mesh?.stop()
  })
  afterEach(async () => {
    const errors = visits.flatMap(({ errors }) => errors)
    await Promise.all(visits.splice(0).map(({ context }) => context.close()))
    expect(errors).to.deep.equal([])
  })

  const open = async (path: string, through = 0, options: Parameters<typeof visit>[2] = {}) => {
    const made = await visit(browser, `${gateways[through]?.url}${path}`, { name: 'sam', ...options })
    visits.push(made)
    return made
  }

  async function faultsOf(page: Page): Promise<string[]> {
    await page.evaluate(axe.source)
    const run = `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(TAGS)} } })`
    const { violations } = await page.evaluate<axe.AxeResults>(run)
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
  }

  /** Waits until it is drawn, and gives its own size. */
  async function drawn(page: Page, selector: string): Promise<number[]> {
    const size = () =>
      page.locator(selector).evaluate((image) => {
        const { naturalWidth, naturalHeight } = image as unknown as {
          naturalWidth: number
          naturalHeight: number
        }
        return [naturalWidth, naturalHeight]
      })
    return eventually(`${selector} is drawn`, async () => {
      const found = await size()
      return (found[0] ?? 0) > 0 ? found : null
    })
  }

  /** That nothing of it is cut off. */
  async function isWhole(page: Page, frame: string): Promise<void> {
    const [outer, inner] = await Promise.all([
      page.locator(frame).first().boundingBox(),
      page.locator(`${frame} img`).first().boundingBox(),
    ])
    expect(outer && inner, frame).not.to.equal(null)
    expect(inner?.height).to.be.at.most((outer?.height ?? 0) + 1)
    expect(inner?.width).to.be.at.most((outer?.width ?? 0) + 1)
  }

  it('are added, put in order and described by the seller, and seen by others on other nodes', async () => {
    const { page } = await open('/sell')
    const sent: Buffer[] = []
    page.on('request', (request) => {
      const body = request.method() === 'POST' && request.url().includes('/pictures') && request.postDataBuffer()
      if (body) sent.push(body)
    })
    await page.locator('.picture-field input[type=file]').setInputFiles([PHOTO, DRAWING])
    await counts(page.locator('.draft img'), 2)
    // Upright already, as a phone that was turned has taken it.
    expect(await drawn(page, '.draft:nth-child(1) img')).to.deep.equal([8, 16])
    await isWhole(page, '.draft .shot')
    await page.getByRole('button', { name: 'Move picture 2 forward' }).click()
    await page.getByRole('textbox', { name: 'What picture 1 shows' }).fill('The back of it')
    expect(await faultsOf(page)).to.deep.equal([])
    await page.getByLabel('What is it?').fill('A chair with pictures')
    await page.getByLabel('Starting price').fill('20')
    await page.getByRole('button', { name: 'Open the auction' }).click()
    await page.waitForURL(/\/lot\/auc_/, { timeout: PATIENCE_MS })
    expect(sent).to.have.length(2)
    for (const bytes of sent) {
      expect(bytes.includes('GPS')).to.equal(false)
      expect(bytes.includes('Exif')).to.equal(false)
    }
    expect(await drawn(page, '.gallery .frame img')).to.deep.equal([300, 200])
    const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    await eventually('the other node has it', async () => {
      const { status } = await (gateways[1] as TestGateway).get(`/api/v1/auctions/${id}`)
      return status === 200
    })
    const { page: buyer } = await open('/', 1, { name: 'mia' })
    expect(await drawn(buyer, '.tile .shot img')).to.deep.equal([300, 200])
    await isWhole(buyer, '.tile .shot')
    await buyer.getByRole('link', { name: 'A chair with pictures' }).click()
    expect(await drawn(buyer, '.gallery .frame img')).to.deep.equal([300, 200])
    expect(await buyer.locator('.gallery .frame img').getAttribute('alt')).to.equal('The back of it')
    await reads(buyer.locator('.gallery figcaption'), /1 of 2[\s\S]*The back of it/)
    await isWhole(buyer, '.gallery .frame')
    await isWhole(buyer, '.thumbs button')
    expect(await faultsOf(buyer)).to.deep.equal([])
  })

  it('are looked through by keyboard, in both directions of writing', async () => {
    const hashes: string[] = []
    for (const seed of [2, 3, 4]) {
      const answer = await fetch(`${gateways[0]?.url}/api/v1/pictures?user_id=sam`, {
        method: 'POST',
        headers: { 'content-type': 'image/png' },
        body: new Uint8Array(noise(seed, 30, 20)),
      })
      hashes.push(((await answer.json()) as { hash: string }).hash)
    }
    const id = await (gateways[0] as TestGateway).open({
      title: 'Three',
      pictures: hashes.map((hash) => ({ hash })),
    })
    const { page } = await open(`/lot/${id}`)
    const shown = async () => (await page.locator('.gallery .frame').getAttribute('href'))?.split('/').at(-1)
    await page.getByRole('button', { name: 'Show picture 1 of 3' }).focus()
    await page.keyboard.press('ArrowRight')
    await eventually('the second one', async () => (await shown()) === hashes[1])
    await page.keyboard.press('End')
    await eventually('the last one', async () => (await shown()) === hashes[2])
    await page.keyboard.press('ArrowRight')
    expect(await shown()).to.equal(hashes[2])
    await page.keyboard.press('Home')
    await eventually('the first one', async () => (await shown()) === hashes[0])
    expect(await page.locator('.gallery .frame img').getAttribute('alt')).to.equal('Picture 1 of 3 of Three')
    const narrow = await open(`/lot/${id}`, 0, { viewport: { width: 360, height: 740 } })
    await narrow.page.locator('.gallery .frame img').waitFor()
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    expect(await narrow.page.evaluate(overflow)).to.equal(0)
  })

  it('that the browser cannot read, and those beyond twelve, are named, and keep nothing from being opened once they are out', async () => {
    const { page } = await open('/sell')
    const broken = {
      name: 'broken.jpg',
      mimeType: 'image/jpeg',
      buffer: Buffer.from('<svg onload="alert(1)"/>'),
    }
    await page.locator('.picture-field input[type=file]').setInputFiles([broken])
    await reads(page.locator('.draft .wrong'), /This browser cannot read broken\.jpg/)
    await page.getByLabel('What is it?').fill('A lamp')
    await page.getByLabel('Starting price').fill('20')
    await page.getByRole('button', { name: 'Open the auction' }).click()
    expect(new URL(page.url()).pathname).to.equal('/sell')
    await page.getByRole('button', { name: 'Remove picture 1' }).click()
    const many = Array.from({ length: 13 }, (_, i) => ({
      ...DRAWING,
      name: `${i}.png`,
      buffer: noise(i, 20, 20),
    }))
    await page.locator('.picture-field input[type=file]').setInputFiles(many)
    await counts(page.locator('.draft img'), 12)
    await reads(page.locator('.picture-field > .wrong'), /1 picture does not fit: 12 are allowed/)
    await page.getByRole('button', { name: 'Open the auction' }).click()
    await page.waitForURL(/\/lot\/auc_/, { timeout: PATIENCE_MS })
    await counts(page.locator('.thumbs button'), 12)
  })

  it('that nobody has now are said to be missing', async () => {
    const answer = await fetch(`${gateways[0]?.url}/api/v1/pictures?user_id=sam`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: new Uint8Array(noise(9, 30, 20)),
    })
    const { hash } = (await answer.json()) as { hash: string }
    const id = await (gateways[0] as TestGateway).open({ title: 'Lost', pictures: [{ hash }] })
    const made = await open(`/lot/${id}`, 0, {
      prepare: (page) => page.route('**/api/v1/pictures/**', (route) => route.fulfill({ status: 503, body: '' })),
    })
    await reads(made.page.locator('.gallery .frame'), /Picture not available now/)
    // The browser says so of each picture itself.
    made.errors.splice(0)
  })
})
