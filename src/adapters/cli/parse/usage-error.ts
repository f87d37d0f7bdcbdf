/** The user asked for something that cannot be done as written. The message names the option or argument. */
export class UsageError extends Error {
  readonly code = 'USAGE'
  readonly field: string | undefined
  readonly next: string | undefined
  constructor(message: string, info: { field?: string; next?: string; cause?: unknown } = {}) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'UsageError'
    this.field = info.field
    this.next = info.next
  }
}
