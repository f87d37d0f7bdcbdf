import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type { VendueNode } from '../../services/node/create-node.js'
import { axeFaults } from '../support/axe-faults.js'
import { PATIENCE_MS } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { counts, reads } from '../support/page-actions.js'
import { exifSegment, jpegWith, noise } from '../support/pictures.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { AWAY, WebSuite } from '../support/web-suite.js'

const PHOTO = { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: jpegWith(exifSegment(6)) }
const DRAWING = { name: 'drawing.png', mimeType: 'image/png', buffer: noise(1, 300, 200) }
/** As on a machine that is busy: a picture fails as soon as it is there, and long before the next frame. */
const FAIL_AT_ONCE = `
  new MutationObserver(() => {
    for (const image of document.querySelectorAll('.gallery img:not([data-failed])')) {
      image.setAttribute('data-failed', '')
      image.dispatchEvent(new Event('error'))
    }
  }).observe(document, { childList: true, subtree: true })`

describe('pictures on the web page, in Chromium', () => {
  const suite = new WebSuite({ nodes: 2, gateways: 2, visitor: 'sam' })

  /** Of 30 by 20 pixels. */
  async function added(...seeds: number[]): Promise<string[]> {
    const hashes: string[] = []
    for (const seed of seeds) {
      const answer = await fetch(`${suite.gateway.url}/api/v1/pictures?user_id=sam`, {
        method: 'POST',
        headers: { 'content-type': 'image/png' },
        body: new Uint8Array(noise(seed, 30, 20)),
      })
      hashes.push(((await answer.json()) as { hash: string }).hash)
    }
    return hashes
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
    const { page } = await suite.visit('/sell')
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
    expect(await axeFaults(page)).to.deep.equal([])
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
    await suite.untilKnown(id)
    const { page: buyer } = await suite.visit(`${suite.gateways[1]?.url}/`, { name: 'mia' })
    expect(await drawn(buyer, '.tile .shot img')).to.deep.equal([300, 200])
    await isWhole(buyer, '.tile .shot')
    await buyer.getByRole('link', { name: 'A chair with pictures' }).click()
    expect(await drawn(buyer, '.gallery .frame img')).to.deep.equal([300, 200])
    expect(await buyer.locator('.gallery .frame img').getAttribute('alt')).to.equal('The back of it')
    await reads(buyer.locator('.gallery figcaption'), /1 of 2[\s\S]*The back of it/)
    await isWhole(buyer, '.gallery .frame')
    await isWhole(buyer, '.thumbs button')
    expect(await axeFaults(buyer)).to.deep.equal([])
  })

  it('are looked through by keyboard, and are no wider than a phone', async () => {
    const hashes = await added(2, 3, 4)
    const id = await suite.gateway.open({
      title: 'Three',
      pictures: hashes.map((hash) => ({ hash })),
    })
    const { page } = await suite.visit(`/lot/${id}`)
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
    const narrow = await suite.visit(`/lot/${id}`, { viewport: { width: 360, height: 740 } })
    await narrow.page.locator('.gallery .frame img').waitFor()
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    expect(await narrow.page.evaluate(overflow)).to.equal(0)
  })

  it('are looked through with the arrows as they point, from right to left too', async () => {
    const hashes = await added(20, 21, 22)
    const id = await suite.gateway.open({ title: 'مصباح', pictures: hashes.map((hash) => ({ hash })) })
    const { page } = await suite.visit(`/lot/${id}`, { locale: 'ar-EG' })
    const shows = async (at: number) =>
      eventually(`picture ${at} is shown`, async () => {
        return (await page.locator('.gallery .frame').getAttribute('href'))?.endsWith(hashes[at] as string)
      })
    const buttons = page.locator('.thumbs button')
    const [first, second] = await Promise.all([0, 1].map((at) => buttons.nth(at).boundingBox()))
    expect(first?.x).to.be.greaterThan(second?.x as number)
    await buttons.first().focus()
    await page.keyboard.press('ArrowLeft')
    await shows(1)
    await page.keyboard.press('ArrowRight')
    await shows(0)
    await page.keyboard.press('End')
    await shows(2)
  })

  it('are dropped anywhere on the page, and pasted, whatever is focused', async () => {
    const { page, context } = await suite.visit('/sell')
    await page.getByLabel('What is it?').fill('A lamp')
    const dir = makeTempDir()
    try {
      const path = join(dir.path, 'dropped.png')
      writeFileSync(path, noise(30, 40, 30))
      const session = await context.newCDPSession(page)
      const data = { items: [], files: [path], dragOperationsMask: 1 }
      const title = await page.getByLabel('What is it?').boundingBox()
      const [x, y] = [(title?.x ?? 0) + 20, (title?.y ?? 0) + 10]
      for (const type of ['dragEnter', 'dragOver'] as const)
        await session.send('Input.dispatchDragEvent', { type, x, y, data })
      await page.locator('.picture-field.over').waitFor()
      await session.send('Input.dispatchDragEvent', { type: 'drop', x, y, data })
      expect(await drawn(page, '.draft:nth-child(1) img')).to.deep.equal([40, 30])
      await counts(page.locator('.picture-field.over'), 0)
    } finally {
      dir.remove()
    }
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.evaluate(`(async () => {
      const canvas = new OffscreenCanvas(24, 12)
      canvas.getContext('2d').fillRect(2, 2, 9, 9)
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': await canvas.convertToBlob() })])
    })()`)
    await page.getByLabel('Starting price').press('Control+v')
    expect(await drawn(page, '.draft:nth-child(2) img')).to.deep.equal([24, 12])
    await page.evaluate(`navigator.clipboard.writeText('20')`)
    await page.getByLabel('Starting price').press('Control+v')
    expect(await page.getByLabel('Starting price').inputValue()).to.equal('20')
    expect(await page.getByLabel('What is it?').inputValue()).to.equal('A lamp')
    await page.getByRole('button', { name: 'Open the auction' }).click()
    await page.waitForURL(/\/lot\/auc_/, { timeout: PATIENCE_MS })
    await counts(page.locator('.thumbs button'), 2)
  })

  it('come from the gateway that takes over, also those that its own left out', async () => {
    const [home, other] = suite.mesh.nodes as [VendueNode, VendueNode]
    const first = await TestGateway.start(home)
    const port = Number(new URL(first.url).port)
    await first.stop()
    const second = await TestGateway.start(other, { gateways: [first.url] })
    const own = await TestGateway.start(home, { port, gateways: [second.url] })
    try {
      const hashes = await added(40, 41)
      const id = await suite.gateway.open({ title: 'Taken over', pictures: hashes.map((hash) => ({ hash })) })
      await suite.untilKnown(id, [own, second])
      const left = (at: number) => new RegExp(`^${own.url}/api/v1/pictures/${hashes[at]}$`)
      const { page } = await suite.visit(`${own.url}/lot/${id}`, {
        expected: AWAY,
        prepare: (page) => page.route(left(1), (route) => route.abort()),
      })
      expect(await drawn(page, '.gallery .frame img')).to.deep.equal([30, 20])
      await reads(page.locator('.thumbs li:nth-child(2)'), /Picture not available now/)
      await own.stop()
      await page.locator('.thumbs li:nth-child(2) img').waitFor()
      expect(await drawn(page, '.thumbs li:nth-child(2) img')).to.deep.equal([30, 20])
      await page.locator('.thumbs li:nth-child(2) button').click()
      expect(await drawn(page, '.gallery .frame img')).to.deep.equal([30, 20])
      expect(await page.locator('.gallery .frame').getAttribute('href')).to.equal(
        `${second.url}/api/v1/pictures/${hashes[1]}`,
      )
    } finally {
      await own.stop()
      await second.stop()
    }
  })

  it('that the browser cannot read, and those beyond twelve, are named, and keep nothing from being opened once they are out', async () => {
    const { page } = await suite.visit('/sell')
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
    const [hash] = await added(9)
    const id = await suite.gateway.open({ title: 'Lost', pictures: [{ hash }] })
    const { page } = await suite.visit(`/lot/${id}`, {
      expected: /status of 503 /,
      prepare: (page) => page.route('**/api/v1/pictures/**', (route) => route.fulfill({ status: 503, body: '' })),
    })
    await reads(page.locator('.gallery .frame'), /Picture not available now/)
  })

  it('that fail before the page is drawn are said to be missing', async () => {
    const [hash] = await added(10)
    const id = await suite.gateway.open({ title: 'Lost at once', pictures: [{ hash }] })
    const { page } = await suite.visit('/', {
      prepare: async (page) => {
        await page.addInitScript({ content: FAIL_AT_ONCE })
        // The browser itself says nothing more of it.
        await page.route('**/api/v1/pictures/**', () => {})
      },
    })
    // What comes by its connection shows that there is one.
    const tile = page.locator('.tile', { hasText: 'Lost at once' })
    await suite.gateway.bid(id, 'mia', '12')
    await tile.getByText('12.00').waitFor()
    await tile.getByRole('link').first().click()
    await reads(page.locator('.gallery .frame'), /Picture not available now/)
  })
})
