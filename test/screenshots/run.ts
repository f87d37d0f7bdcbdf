import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { openBrowser } from '../support/browser.js'
import { draw } from './drawings.js'
import { openHouse } from './house.js'
import { browse } from './views.js'

const USAGE = `Usage: npm run screenshots [-- DIRECTORY]
  Draws every view of the web page into docs/images, or into DIRECTORY: light, dark, and on a phone.`

/** Every time the same hour, for the nodes and gateways of this process: the page counts by their clock. */
const NOW = Date.UTC(2026, 10, 28, 17, 40)

async function main(): Promise<void> {
  const [directory = 'docs/images', ...more] = process.argv.slice(2)
  if (more.length > 0 || directory.startsWith('-')) {
    console.error(USAGE)
    process.exit(2)
  }
  mkdirSync(directory, { recursive: true })
  for (const old of readdirSync(directory)) if (old.endsWith('.webp')) rmSync(join(directory, old))
  let bytes = 0
  const browser = await openBrowser()
  const house = await openHouse(await draw(browser), NOW, setClock)
  try {
    await browse(browser, house, async (name, page) => {
      const image = await drawn(page)
      bytes += image.length
      writeFileSync(join(directory, `${name}.webp`), image)
      console.log(`${name.padEnd(24)} ${Math.round(image.length / 1024)} kB`)
    })
  } finally {
    await browser.close()
    await house.close()
  }
  console.log(`${Math.round(bytes / 1024)} kB in ${directory}`)
  process.exit(0)
}

const { now } = Date
const monotonicMs = performance.now.bind(performance)
let firstOffMs: number | null = null
/** Both clocks, in step: nodes count on by the monotonic one where the other is set. */
function setClock(ms: number): void {
  const offMs = Math.round(ms) - now()
  firstOffMs ??= offMs
  const aheadMs = offMs - firstOffMs
  Date.now = () => now() + offMs
  performance.now = () => monotonicMs() + aheadMs
}

/** WebP is a fifth of PNG; Playwright itself writes PNG and JPEG only. */
async function drawn(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 })
  await session.detach()
  return Buffer.from(data, 'base64')
}

await main()
