import { expect } from 'chai'
import type { Locator, Page } from 'playwright-core'
import { PATIENCE_MS } from './browser.js'
import { eventually } from './eventually.js'

/** Waits until the panel says so of the visitor's place in the auction. */
export async function says(page: Page, text: string, timeoutMs = PATIENCE_MS): Promise<void> {
  await page.locator('.state strong', { hasText: text }).waitFor({ timeout: timeoutMs })
}

/** Waits until there are as many: a page shows what it hears step by step. */
export async function counts(locator: Locator, expected: number): Promise<void> {
  const is = async () => ((await locator.count()) === expected ? true : null)
  await eventually(`${expected} of ${locator}`, is, PATIENCE_MS).catch(async () => {
    expect(await locator.count(), String(locator)).to.equal(expected)
  })
}

/** Waits until it reads so: the text itself, or what is in it. */
export async function reads(locator: Locator, expected: string | RegExp): Promise<void> {
  let last = ''
  const is = async () => {
    last = await locator.innerText()
    return typeof expected === 'string' ? last === expected : expected.test(last)
  }
  await eventually(`${locator} reads ${expected}`, is, PATIENCE_MS).catch(() => {
    if (typeof expected === 'string') expect(last).to.equal(expected)
    else expect(last).to.match(expected)
  })
}

/** The dialog that is open. One that was closed a moment ago may still be in the document. */
export function dialog(page: Page): Locator {
  return page.locator('dialog[open]')
}

/** Closes what is open, and waits until the page has heard of it too: until then it opens nothing anew. */
export async function dismiss(page: Page): Promise<void> {
  await page.keyboard.press('Escape')
  await counts(page.locator('dialog'), 0)
}

/** How long the sheet's button is deaf to taps, and a little. */
export const DEAF_MS = 450

/** A tap on the sheet's button, once it takes taps. */
export async function tap(page: Page): Promise<void> {
  const button = dialog(page).locator('.button.primary')
  await button.waitFor()
  await page.waitForTimeout(DEAF_MS)
  await button.click()
}

/** Over the sheet, once its button takes taps. */
export async function confirm(page: Page): Promise<void> {
  await tap(page)
  await dialog(page).waitFor({ state: 'detached' })
}

export async function bid(page: Page, amount?: string): Promise<void> {
  if (amount !== undefined) await page.fill('#bid-amount', amount)
  await page.click('[data-bid]')
  await confirm(page)
}
