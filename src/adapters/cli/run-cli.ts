/** Room `cli`: the command line: what a user types, and what they read. */

import { userInfo } from 'node:os'
import { codeOf } from '../../application/node/node-acts.js'
import { loadSettings } from '../system/settings.js'
import { VERSION } from '../system/version.js'
import { analyticsCommand } from './commands/analytics.js'
import { apiKeyCommand } from './commands/api-key.js'
import { auditCommand } from './commands/audit.js'
import { clientCommand } from './commands/client.js'
import { clusterCommand } from './commands/cluster.js'
import { configCommand } from './commands/config.js'
import { exportCommand } from './commands/export.js'
import { gatewayCommand } from './commands/gateway.js'
import { grapeCommand } from './commands/grape.js'
import { meshCommand } from './commands/mesh.js'
import { nodeCommands } from './commands/node-commands.js'
import { pictureCommand } from './commands/picture.js'
import { repairCommand } from './commands/repair.js'
import { startCommand } from './commands/start.js'
import { statsCommand } from './commands/stats.js'
import { stopCommand } from './commands/stop.js'
import { userCommand } from './commands/user.js'
import { verifyCommand } from './commands/verify.js'
import type { Args } from './parse/args.js'
import { nameOf } from './parse/command.js'
import { EXIT, EXIT_CODES_HELP, type ExitCode } from './parse/exit-codes.js'
import { commonOptions, settingFlags } from './parse/node-options.js'
import { type Grammar, parseCommandLine } from './parse/parse-command-line.js'
import { Output } from './render/output.js'
import { reportError } from './render/report-error.js'
import { oneLine } from './render/terminal-text.js'
import type { CliDeps } from './session/cli-deps.js'
import type { CliIo } from './session/cli-io.js'
import { exitCodeOf } from './session/exit-code.js'
import type { Host, HostCommand } from './session/host.js'
import { nodeLogger } from './session/node-logger.js'
import { overRpc } from './session/node-session.js'

export const PROGRAM = 'vendue'
const DEFAULT_COLUMNS = 100

/** Carries out one command line. Never throws for a user's mistake; the exit code reports it. */
export async function runCli(words: readonly string[], deps: CliDeps, io: CliIo): Promise<ExitCode> {
  const json = words.includes('--json')
  const color = wantsColor(words, io)
  const out = new Output(io, { json, color, timeZone: io.timeZone, now: io.now })
  let running: string = PROGRAM
  try {
    const parsed = await parseCommandLine(words, grammar(io.stdout.columns ?? DEFAULT_COLUMNS))
    switch (parsed.kind) {
      case 'text':
        io.stdout.write(`${parsed.text}\n`)
        return EXIT.done
      case 'nothing':
        io.stderr.write(`${parsed.help}\n`)
        return EXIT.usage
      case 'command': {
        // The grammar has these alone.
        const command = parsed.command as HostCommand
        running = `${PROGRAM} ${nameOf(command)}`
        return await runRecorded(
          command,
          makeHost(deps, io, { out, color, listens: LISTENING.has(command) }),
          parsed.args,
        )
      }
      default: {
        const unknown: never = parsed
        throw new Error(`unknown parse ${JSON.stringify(unknown)}`)
      }
    }
  } catch (error) {
    // A user who ended the command does not need to know what that interrupted.
    if (io.ended.aborted) return EXIT.done
    reportError(error, { out, running })
    return exitCodeOf(error)
  }
}

/** What a command changes without a node is recorded where it works. */
async function runRecorded(command: HostCommand, host: Host, args: Args): Promise<ExitCode> {
  const { audited } = command
  const local = typeof audited === 'function' ? audited(args) : null
  if (local === null) return command.run(host, args)
  const { in: where, ...act } = local
  const record = async (code: string) => {
    const dataDir = host.settings(args).values[where]
    const logger = nodeLogger({ level: 'warn', format: 'auto' }, { stream: host.io.stderr, env: host.io.env })
    const who = `os:${userInfo().username}`
    await host.deps.recordAct(dataDir, { ...act, via: 'cli', from: null, who, code }, logger)
  }
  try {
    const exit = await command.run(host, args)
    await record(exit === EXIT.done ? 'ok' : `EXIT_${exit}`)
    return exit
  } catch (error) {
    // The command's own failure is what its user has to hear of.
    await record(codeOf(error)).catch(() => undefined)
    throw error
  }
}

export const HOST_COMMANDS: readonly HostCommand[] = [
  startCommand,
  clientCommand,
  gatewayCommand,
  analyticsCommand,
  ...nodeCommands.map(overRpc),
  exportCommand,
  statsCommand,
  pictureCommand,
  verifyCommand,
  stopCommand,
  repairCommand,
  userCommand,
  apiKeyCommand,
  auditCommand,
  configCommand,
  meshCommand,
  clusterCommand,
  grapeCommand,
]

/** Commands that also print what their settings let others reach. */
const LISTENING: ReadonlySet<HostCommand> = new Set([
  ...[startCommand, clientCommand, gatewayCommand, grapeCommand, configCommand],
])

function grammar(columns: number): Grammar<Host> {
  return {
    scriptName: PROGRAM,
    commands: HOST_COMMANDS,
    options: commonOptions,
    version: VERSION,
    columns,
    completion: 'completion',
    epilogue: `A peer-to-peer auction house: start a node, then open auctions and bid.\n\n${EXIT_CODES_HELP}`,
  }
}

function makeHost(
  deps: CliDeps,
  io: CliIo,
  { out, color, listens }: { out: Output; color: boolean; listens: boolean },
): Host {
  const said = new Set<string>()
  return {
    deps,
    io,
    out,
    color,
    program: programName(io.env),
    settings(args: Args, flags = {}) {
      const settings = loadSettings({
        flags: { ...settingFlags(args), ...flags },
        configFile: args.text('config'),
        env: io.env,
        userHome: io.userHome,
      })
      for (const warning of [...settings.warnings, ...(listens ? settings.exposures : [])]) {
        if (!said.has(warning)) out.note(`warning: ${oneLine(warning)}`)
        said.add(warning)
      }
      return settings
    },
  }
}

/** If npm runs this program, the user may have no command of that name. */
function programName({ npm_command, npm_lifecycle_event }: CliIo['env']): string {
  return npm_command || npm_lifecycle_event ? `npx ${PROGRAM}` : PROGRAM
}

function wantsColor(words: readonly string[], { env, stdout }: CliIo): boolean {
  if (words.includes('--no-color') || words.includes('--json') || env.NO_COLOR) return false
  return stdout.isTTY === true && env.TERM !== 'dumb'
}
