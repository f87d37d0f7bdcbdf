/** The code of a `PeerCallError` where the machine answers that nobody listens at that address. */
export const CONNECTION_REFUSED = 'CONNECTION_REFUSED'

export class PeerCallError extends Error {
  readonly address: string
  /** False: the request did not leave this node, so nothing happened. */
  readonly sent: boolean
  /** True: the peer answered, with an error of this `code`. */
  readonly answered: boolean
  constructor(
    readonly code: string,
    message: string,
    info: { address: string; sent: boolean; answered: boolean; cause?: unknown },
  ) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'PeerCallError'
    this.address = info.address
    this.sent = info.sent
    this.answered = info.answered
  }
}
