export type ListenErrorCode = 'PORT_IN_USE' | 'PORT_FORBIDDEN' | 'ADDRESS_NOT_AVAILABLE' | 'LISTEN_FAILED'

/** A port could not be opened. The message names it and says what to do. */
export class ListenError extends Error {
  constructor(
    readonly code: ListenErrorCode,
    message: string,
    readonly host: string,
    readonly port: number,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'ListenError'
  }
}

const CAUSES: Readonly<Record<string, readonly [ListenErrorCode, string]>> = {
  EADDRINUSE: ['PORT_IN_USE', 'another program has this port; stop it, or choose another port (0 takes any free one)'],
  EACCES: ['PORT_FORBIDDEN', 'the system does not allow this port; choose one above 1023'],
  EADDRNOTAVAIL: [
    'ADDRESS_NOT_AVAILABLE',
    'this machine does not have that address; choose one of its own, such as 127.0.0.1',
  ],
  ENOTFOUND: ['ADDRESS_NOT_AVAILABLE', 'that host name is not known; give an address, such as 127.0.0.1'],
}

/** `what` completes "cannot ...": "serve RPC". */
export function listenError(what: string, host: string, port: number, cause: unknown): ListenError {
  const systemCode = (cause as { code?: unknown } | null)?.code
  const [code, advice] = CAUSES[String(systemCode)] ?? [
    'LISTEN_FAILED' as const,
    cause instanceof Error ? cause.message : 'unknown cause',
  ]
  return new ListenError(code, `cannot ${what} on ${host}:${port}: ${advice}`, host, port, { cause })
}
