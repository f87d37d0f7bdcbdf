import type { NodeApi } from '../../../ports/node/node-api.js'
import type { Outcome } from '../../../ports/store/outcome-repository.js'
import type { Output } from '../render/output.js'
import type { ShortIds } from '../render/short-ids.js'
import type { Args } from './args.js'
import type { ExitCode } from './exit-codes.js'

/** One command of the command line, of the interactive client, or of both. `C` is what it needs around it. */
export interface Command<C> {
  /** "bid <auction> [amount]": name, then required and optional arguments. */
  readonly usage: string
  readonly summary: string
  /** Descriptions of the arguments. */
  readonly positionals?: Readonly<Record<string, string>>
  readonly options?: Readonly<Record<string, OptionSpec>>
  readonly examples: readonly (readonly [command: string, meaning: string])[]
  /** Further help, below the options. */
  readonly notes?: string
  run(context: C, args: Args): Promise<ExitCode>
}

export interface OptionSpec {
  readonly kind: 'text' | 'flag'
  readonly describe: string
  /** Values to complete with; others may be allowed. */
  readonly suggest?: readonly string[]
  readonly required?: boolean
  /** May be given several times. */
  readonly many?: boolean
  /** Heading in the help. */
  readonly group?: string
}

/** The context of a command that talks to a node: the same over RPC and in the client's own process. */
export interface Session {
  readonly out: Output
  readonly ids: ShortIds
  /** "vendue " before commands that are suggested; empty inside the client. */
  readonly prefix: string
  /** Options that led to this node, to be repeated in suggested commands: " --name alice". */
  readonly reach: string
  /** Aborted when the user wants the command to end. */
  readonly ended: AbortSignal
  /** Finds and connects to the node, once. */
  readonly api: () => Promise<NodeApi>
  /** Forgets the connection, so that the next `api()` looks for the node again. */
  reconnect(): Promise<void>
  newCommandId(kind: 'bid' | 'cmd'): string
  /** The user has seen this outcome, so its event is not printed. */
  reported?(outcome: Outcome): void
}

/** For commands that are acknowledged. */
export const ackOption: OptionSpec = {
  kind: 'text',
  describe: 'When it counts as done: local (on disk at the home), or replicated=N (on N other nodes as well)',
  suggest: ['local', 'replicated=1', 'replicated=2'],
}

export type NodeCommand = Command<Session>

export function nameOf(command: Pick<Command<never>, 'usage'>): string {
  return command.usage.split(' ')[0] as string
}
