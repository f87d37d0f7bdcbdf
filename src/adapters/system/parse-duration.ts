const UNITS_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }
const DURATION = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?$/

export const DURATION_RULE = 'must be a duration such as 30s, 10m, 2h, 1d or 1h30m'

/** "1h30m" in milliseconds; null for anything that is no duration longer than zero. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text.trim())
  if (!match) return null
  const [, days, hours, minutes, seconds] = match
  const parts = { d: days, h: hours, m: minutes, s: seconds }
  let ms = 0
  for (const [unit, amount] of Object.entries(parts)) ms += Number(amount ?? 0) * (UNITS_MS[unit] ?? 0)
  return ms > 0 ? ms : null
}

/** "30s/1m" is window and extension; "30s" alone means both. Null for anything else. */
export function parseSoftClose(text: string): { windowMs: number; extensionMs: number } | null {
  const parts = text.split('/')
  const windowMs = parseDuration(parts[0] ?? '')
  const extensionMs = parts.length === 1 ? windowMs : parseDuration(parts[1] ?? '')
  return parts.length <= 2 && windowMs !== null && extensionMs !== null ? { windowMs, extensionMs } : null
}
