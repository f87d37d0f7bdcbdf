/** A setting that cannot be used. The message names its source, its key and the rule. */
export class SettingsError extends Error {
  readonly code = 'SETTINGS_INVALID'
  constructor(
    readonly key: string | null,
    message: string,
    readonly next: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'SettingsError'
  }
}
