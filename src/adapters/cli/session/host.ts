import type { Settings, SettingsInput } from '../../system/settings.js'
import type { Args } from '../parse/args.js'
import type { Command } from '../parse/command.js'
import type { Output } from '../render/output.js'
import type { CliDeps } from './cli-deps.js'
import type { CliIo } from './cli-io.js'

/** The context of commands of the command line. */
export interface Host {
  readonly deps: CliDeps
  readonly io: CliIo
  readonly out: Output
  readonly color: boolean
  /** How the user calls this program, in suggested commands: "vendue", or "npx vendue" where it is not installed. */
  readonly program: string
  /**
   * Reads the configuration; its warnings go to stderr, to whoever will listen also what others reach. `flags`
   * override. Throws `SettingsError`.
   */
  settings(args: Args, flags?: SettingsInput['flags']): Settings
}

/** What a command did on this machine without a node, for the record of a directory. */
export interface LocalAct {
  readonly act: string
  readonly about?: string | undefined
  readonly auction?: string | undefined
  readonly in: 'data' | 'accounts_dir'
}

/**
 * Where the audit record gets to hold what a command changes: at the node that it asks, in the process that it starts,
 * or, by what this returns, in the directory that it works on. Null: this time it changes nothing.
 */
export type Audited = 'by the node' | 'by itself' | 'changes nothing' | ((args: Args) => LocalAct | null)

export interface HostCommand extends Command<Host> {
  readonly audited: Audited
}
