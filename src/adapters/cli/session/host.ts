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

export type HostCommand = Command<Host>
