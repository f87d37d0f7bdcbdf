import type { Readable, Writable } from 'node:stream'

/** The process around the command line, so that tests can stand in for it. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** The user's home directory. */
  readonly userHome: string
  /** IANA name of the zone that times are shown in. */
  readonly timeZone: string
  /** UTC milliseconds. */
  now(): number
  /** Aborted when the user or the system wants the command to end: Ctrl-C, a closed pipe, a gone parent. */
  readonly ended: AbortSignal
}

export type OutputStream = Writable & {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}
