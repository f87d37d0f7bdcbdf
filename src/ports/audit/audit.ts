/** Room `audit`: the record of who did what, and from where. */

/** What an act came in through; `node`: the node did it by itself. */
export type AuditSurface = 'cli' | 'http' | 'ws' | 'socketio' | 'grpc' | 'rpc' | 'library' | 'node'

/** Where an act comes from. */
export interface AuditOrigin {
  readonly via: AuditSurface
  /** The address that this process sees; null inside the process or the machine. */
  readonly from: string | null
}

/** Something that somebody did, or was refused. Never holds a secret: no amount, password, token or key. */
export interface Act extends AuditOrigin {
  /** Such as `bid`, `auction.close`, `account.log-in`. */
  readonly act: string
  /** Id of an account, a guest or a node; `operator`; or `os:NAME` for a user of this machine. Null: not known. */
  readonly who: string | null
  /** Id of the API key that they used. */
  readonly key?: string | undefined
  readonly auction?: string | undefined
  /** Id of the command. */
  readonly command?: string | undefined
  /** What it was done to: an account, a member, a key; or what the act says beyond the other fields. */
  readonly about?: string | undefined
  /** `ok`, or the code of the refusal. */
  readonly code: string
}

/** Where acts are recorded. */
export interface Audit {
  /**
   * Takes an act in, to be written within a moment.
   *
   * - Nobody waits for it, and it never throws: a record that cannot be written stops nobody.
   * - Acts of one kind, by one sender, within a moment become one line with a count and the ids of the commands.
   * - Of refusals that repeat, the first is written at once, and the others as a count with the next seal.
   */
  record(act: Act): void
}

export const NO_AUDIT: Audit = { record() {} }
