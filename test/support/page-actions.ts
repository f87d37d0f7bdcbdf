import type { Page } from 'playwright-core'
import { PATIENCE_MS } from './browser.js'

/** What the panel says of the visitor's place in the auction. */
export async function says(page: Page, text: string, timeoutMs = PATIENCE_MS): Promise<void> {
  await page.locator('.state strong', { hasText: text }).waitFor({ timeout: timeoutMs })
}

/** How long the sheet's button is deaf to taps. */
export const DEAF_MS = 450

/** Over the sheet, once its button takes taps. */
export async function confirm(page: Page): Promise<void> {
  const button = page.locator('dialog .button.primary')
  await button.waitFor()
  await page.waitForTimeout(DEAF_MS)
  await button.click()
  await page.locator('dialog').waitFor({ state: 'detached' })
}

export async function bid(page: Page, amount?: string): Promise<void> {
  if (amount !== undefined) await page.fill('#bid-amount', amount)
  await page.click('[data-bid]')
  await confirm(page)
}
