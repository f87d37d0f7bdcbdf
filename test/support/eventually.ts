/**
 * Waits until the check holds (returns something other than false, null or undefined), or fails after the deadline with
 * `what`.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const value = await check()
      if (value !== false && value !== null && value !== undefined) return value
      last = value
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) {
      throw new Error(
        `not within ${timeoutMs} ms: ${what} (last: ${last instanceof Error ? last.message : String(last)})`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
