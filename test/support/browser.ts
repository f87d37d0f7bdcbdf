import { existsSync } from 'node:fs'
import type { Context } from 'mocha'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { skipUnless } from './requires.js'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Enough for a machine that is busy with other tests. */
export const PATIENCE_MS = 40_000

/** A tab of a visitor of their own, and what went wrong in it. */
export interface Visit {
  readonly page: Page
  readonly context: BrowserContext
  /** Uncaught errors and whatever the console called an error, refused resources and policies too. */
  readonly errors: string[]
}

/** Longer than from one suite to the next. */
const IDLE_MS = 1_000
let shared: Promise<Browser> | null = null
let borrowers = 0

/** A real Chromium, the same for all suites. Where there is none the suite is skipped, and says so. */
export async function borrowBrowser(context: Context): Promise<Browser> {
  skipUnless(context, findChromium() !== undefined, 'Chromium is not installed')
  borrowers += 1
  shared ??= openBrowser()
  return shared
}

/** The next suite goes on with it; after the last one it is closed. */
export function returnBrowser(): void {
  borrowers -= 1
  setTimeout(async () => {
    if (borrowers > 0) return
    const browser = await shared
    shared = null
    await browser?.close()
  }, IDLE_MS)
}

/** A real Chromium, for what is no test. Rejects where there is none. */
export async function openBrowser(...flags: string[]): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('Chromium is not installed: install it, or name it in CHROMIUM')
  return chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags] })
}

function findChromium(): string | undefined {
  return process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path))
}

/**
 * `name`: who they are, on a gateway that takes names on trust. `clockOffMs`: how wrong the machine's clock is.
 * `prepare`: what happens before the page is loaded.
 */
export async function visit(
  browser: Browser,
  url: string,
  {
    name = null,
    clockOffMs = 0,
    prepare = async () => {},
    ...options
  }: BrowserContextOptions & {
    readonly name?: string | null
    readonly clockOffMs?: number
    readonly prepare?: (page: Page) => Promise<unknown>
  } = {},
): Promise<Visit> {
  const context = await browser.newContext({
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    // What a test puts in a request's way must not be passed by.
    serviceWorkers: 'block',
    ...options,
  })
  if (name !== null)
    await context.addInitScript((wanted) => {
      try {
        if (localStorage.getItem('vendue.name') === null) localStorage.setItem('vendue.name', wanted)
      } catch {
        // An empty tab has no storage.
      }
    }, name)
  if (clockOffMs !== 0)
    await context.addInitScript((offMs) => {
      const { now } = Date
      Date.now = () => now() + offMs
    }, clockOffMs)
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error.stack ?? error)))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  await prepare(page)
  await page.goto(url)
  return { page, context, errors }
}
