import { SettingsError } from './settings-error.js'

/** The gateway cannot be started. The message names what is wrong and says what to do. */
export class GatewayError extends Error {
  constructor(
    readonly code: 'PORT_IN_USE' | 'GATEWAY_LISTEN_FAILED',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'GatewayError'
  }

  static openAnywhere(host: string): SettingsError {
    return new SettingsError(
      'http_host',
      `the gateway would take names on trust on ${host}: everybody who reaches this machine could bid as anybody`,
      'have accounts with --auth accounts, listen on 127.0.0.1, or allow it with --auth-open-anywhere',
    )
  }

  /** Of an error of `listen`; others are passed on. */
  static listening(host: string, port: number, cause: unknown): unknown {
    const code = (cause as { code?: unknown; syscall?: unknown } | null)?.code
    if ((cause as { syscall?: unknown } | null)?.syscall !== 'listen') return cause
    const where = `cannot serve HTTP on ${host}:${port}`
    if (code === 'EADDRINUSE') {
      return new GatewayError(
        'PORT_IN_USE',
        `${where}: another program has this port; stop it, choose another with --http-port (0 takes any free one), or leave the gateway out with --no-gateway`,
        { cause },
      )
    }
    return new GatewayError('GATEWAY_LISTEN_FAILED', `${where}: ${(cause as Error).message}`, { cause })
  }
}
