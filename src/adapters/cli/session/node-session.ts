/** Room `cli/session`: the node that a command talks to: finding it, waiting for it, following it. */

import { newCommandId } from '../../../application/log/ids.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import { createPinoLogger } from '../../system/pino-logger.js'
import { systemRandom } from '../../system/system-random.js'
import type { Args } from '../parse/args.js'
import type { NodeCommand, Session } from '../parse/command.js'
import type { ExitCode } from '../parse/exit-codes.js'
import { reachOptions } from '../parse/node-options.js'
import { ShortIds } from '../render/short-ids.js'
import type { NodeConnection } from './cli-deps.js'
import { type FoundNode, findNode } from './find-node.js'
import type { Host, HostCommand } from './host.js'
import { shellWord } from './outcome-unknown.js'

/** Runs a command that talks to a node: finds the node, connects, and disconnects. */
export function overRpc(command: NodeCommand): HostCommand {
  return {
    ...command,
    audited: 'by the node',
    options: { ...command.options, ...reachOptions },
    async run(host: Host, args: Args): Promise<ExitCode> {
      const session = new RpcSession(host, args)
      try {
        return await command.run(session, args)
      } finally {
        await session.close()
      }
    },
  }
}

/** A node of another process, found when it is first needed. */
export class RpcSession implements Session {
  readonly out: Host['out']
  readonly ids: ShortIds
  readonly prefix: string
  readonly reach: string
  readonly ended: AbortSignal
  readonly #host: Host
  readonly #args: Args
  #connection: Promise<NodeConnection> | null = null
  #remarked = false

  constructor(host: Host, args: Args) {
    this.#host = host
    this.#args = args
    this.out = host.out
    this.ended = host.io.ended
    this.prefix = `${host.program} `
    this.ids = new ShortIds(() => this.api())
    this.reach = Object.keys(reachOptions)
      .flatMap((name) => (args.has(name) ? [` --${name} ${shellWord(args.need(name))}`] : []))
      .join('')
  }

  readonly api = async (): Promise<NodeApi> => {
    this.#connection ??= this.#connect()
    return (await this.#connection).api
  }

  /** Reads the files of the nodes again: a restarted node has another port. */
  find(): FoundNode {
    const { io } = this.#host
    return findNode({
      settings: this.#host.settings(this.#args),
      tokenFile: this.#args.text('token-file'),
      token: io.env.VENDUE_TOKEN,
      program: this.#host.program,
    })
  }

  async reconnect(): Promise<void> {
    await this.close()
  }

  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = null
    // One that could not be made has been reported where it was asked for.
    const made = await connection?.catch(() => null)
    await made?.close()
  }

  newCommandId(kind: 'bid' | 'cmd'): string {
    return newCommandId(kind, {
      clock: { now: () => this.#host.io.now(), monotonicMs: () => performance.now() },
      random: systemRandom,
    })
  }

  async #connect(): Promise<NodeConnection> {
    const { target, remark } = this.find()
    if (remark !== null && !this.#remarked) this.out.note(remark)
    this.#remarked = true
    this.#logger().debug({ address: target.address }, 'asking the node')
    return this.#host.deps.connect(target)
  }

  #logger() {
    const { values, sources } = this.#host.settings(this.#args)
    return createPinoLogger({
      level: sources.log_level.kind === 'default' ? 'warn' : values.log_level,
      format: this.out.json ? 'json' : 'pretty',
      write: (lines) => this.out.note(lines.trimEnd()),
    })
  }
}
