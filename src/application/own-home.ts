import type { Clock } from '../ports/clock.js'
import type { RemoteCommand, SubmitResult } from '../ports/peer-client.js'
import type { Signer } from '../ports/signer.js'
import type { AuctionHouse } from './auction-house.js'
import { gather } from './gather.js'
import { type OrderedCommand, orderedCommands, signOrders } from './order.js'

export interface OwnHomeDeps {
  readonly auctionHouse: Pick<AuctionHouse, 'enqueue'>
  readonly signer: Signer
  readonly clock: Clock
}

/** As many as one request to another home holds. */
const MAX_BATCH_COMMANDS = 500

interface Waiting {
  readonly command: RemoteCommand
  readonly requestId: string | undefined
  readonly settle: (result: SubmitResult) => void
}

/** Brings commands of this node's own users to its own house: what arrives together is signed together. */
export class OwnHome {
  readonly #deps: OwnHomeDeps
  #waiting: Waiting[] = []

  constructor(deps: OwnHomeDeps) {
    this.#deps = deps
  }

  submit(command: RemoteCommand, requestId?: string | undefined): Promise<SubmitResult> {
    return new Promise((settle) => this.enqueue(command, requestId, settle))
  }

  /** As `submit`, told by a callback. */
  enqueue(
    command: RemoteCommand,
    requestId: string | undefined,
    settle: (result: SubmitResult) => void,
  ): void {
    this.#waiting.push({ command, requestId, settle })
    if (this.#waiting.length === 1) void this.#sign()
  }

  async #sign(): Promise<void> {
    await gather()
    const waiting = this.#waiting
    this.#waiting = []
    for (let i = 0; i < waiting.length; i += MAX_BATCH_COMMANDS)
      this.#submit(waiting.slice(i, i + MAX_BATCH_COMMANDS))
  }

  #submit(batch: readonly Waiting[]): void {
    const { auctionHouse, clock, signer } = this.#deps
    const commands = batch.map(({ command }) => command)
    const ordered = orderedCommands(commands, signOrders(commands, signer, clock.now()))
    batch.forEach(({ command, requestId, settle }, i) => {
      auctionHouse.enqueue(command, ordered[i] as OrderedCommand, requestId, settle)
    })
  }
}
