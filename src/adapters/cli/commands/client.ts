import { auditedNodeApi } from '../../../application/node/node-acts.js'
import { NO_AUDIT } from '../../../ports/audit/audit.js'
import type { Logger } from '../../../ports/system/logger.js'
import { createPinoLogger } from '../../system/pino-logger.js'
import { readRunningNode } from '../../system/running-nodes.js'
import { type NodeSettings, nodeSettings } from '../../system/settings.js'
import { ClientLoop } from '../client/client-loop.js'
import { HistoryFile } from '../client/history-file.js'
import { LineCompleter } from '../client/line-completer.js'
import { PipedPrompt, type Prompt, TerminalPrompt } from '../client/prompt.js'
import { PROMPT_COMMANDS } from '../client/prompt-commands.js'
import type { Args } from '../parse/args.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { startOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { Output } from '../render/output.js'
import { oneLine } from '../render/terminal-text.js'
import type { NodeHandle } from '../session/cli-deps.js'
import type { Host, HostCommand } from '../session/host.js'
import { SyncWatch } from '../session/sync-watch.js'
import { printPaused, warnOfSilentGrape } from './start.js'

const MAX_CLIENTS = 100
/** Above the prompt a bar cannot stay in place, so a line with a bar is printed now and then. */
const SYNC_LINE_INTERVAL_MS = 2_000

export const clientCommand: HostCommand = {
  usage: 'client',
  audited: 'by itself',
  summary: 'A node and a prompt in one: open, bid, and hear what happens.',
  options: {
    ...startOptions,
    name: {
      ...startOptions.name,
      describe: 'What the node is called; the first free of client-1, client-2, ...',
    },
    debug: { kind: 'flag', describe: 'Show each discovery, RPC and log step' },
  } as HostCommand['options'] & object,
  examples: [
    ['client', 'one more participant; start as many as you like'],
    ['client --name alice --grape http://127.0.0.1:30001', 'with a Grape that runs already'],
    ['client < commands.txt', 'carry out the lines of a file, then leave'],
  ],
  run: runClient,
}

async function runClient(host: Host, args: Args): Promise<ExitCode> {
  const screen = new Screen(host)
  const { node, settings } = await startFirstFree(host, args, screen)
  const ended = new AbortController()
  const end = () => ended.abort()
  host.io.ended.addEventListener('abort', end)
  if (host.io.ended.aborted) end()
  let code: ExitCode = EXIT.done
  node.failed.then((error) => {
    screen.print(`${host.out.look.paint.bad('the node has to stop:')} ${oneLine(error.message)}\n`)
    code = EXIT.rejected
    end()
  })
  node.stopRequested.then(end)
  const out = new Output(
    { stdout: screen.sink('stdout'), stderr: screen.sink('stderr') },
    { json: host.out.json, color: host.color, timeZone: host.io.timeZone, now: host.io.now },
  )
  const grapeWatch = warnOfSilentGrape({ out, io: host.io }, node, settings.grape.mode)
  try {
    welcome(out, node, settings)
    const prompt = screen.ask(node, settings.dataDir)
    const watch = new SyncWatch(out, {
      lineIntervalMs: SYNC_LINE_INTERVAL_MS,
      barInLines: screen.onTerminal,
      signal: ended.signal,
    })
    void watch.run(node)
    const { audit = NO_AUDIT } = node
    const api = auditedNodeApi(node.api, audit, { via: 'cli', from: null, who: 'operator' })
    await new ClientLoop({ api, out, prompt }, { selfId: node.info.nodeId, ended }).run()
  } finally {
    grapeWatch.abort()
    end()
    host.io.ended.removeEventListener('abort', end)
    screen.close()
    if (code === EXIT.done) await printPaused({ out }, node)
    await node.stop()
  }
  return code
}

/** Several clients that start at the same moment may want the same name: the data directory's lock decides. */
async function startFirstFree(
  host: Host,
  args: Args,
  screen: Screen,
): Promise<{ node: NodeHandle; settings: NodeSettings }> {
  const asGiven = host.settings(args)
  const isNamed = asGiven.sources.name.kind !== 'default' || asGiven.sources.data.kind !== 'default'
  for (let n = 1; n <= MAX_CLIENTS; n++) {
    const chosen = isNamed ? asGiven : host.settings(args, { name: `client-${n}` })
    const settings = nodeSettings(chosen)
    if (!isNamed && readRunningNode(settings.dataDir)) continue
    const isQuiet = chosen.sources.log_level.kind === 'default'
    const logger = screen.logger(isQuiet ? { ...settings.log, level: 'warn' } : settings.log, args.flag('debug'))
    const node = await host.deps.createNode(settings, { logger })
    try {
      await node.start()
      return { node, settings }
    } catch (error) {
      if (isNamed || (error as { code?: unknown }).code !== 'DATA_DIR_IN_USE') throw error
    }
  }
  throw new UsageError(`${MAX_CLIENTS} clients run already`, {
    field: 'name',
    next: 'name one more with --name',
  })
}

function welcome(out: Output, { info }: NodeHandle, { dataDir, grape }: NodeSettings): void {
  const { name, nodeId, address, dhtAddress } = info
  out.document({
    event: 'ready',
    node_id: nodeId,
    name,
    data_dir: dataDir,
    rpc: address,
    dht_address: dhtAddress,
  })
  const { paint } = out.look
  out.lines(
    `${paint.bold(name)}, a node of the mesh: ${paint.dim(nodeId)}`,
    paint.dim(
      `data ${dataDir}, rpc ${address}, grape ${grape.mode === 'url' ? grape.url : `embedded (DHT ${dhtAddress})`}`,
    ),
    'help lists what you can do here; quit leaves.',
  )
}

/** Keeps answers, events and log lines from tearing the line that the user is typing. */
class Screen {
  readonly #host: Host
  readonly onTerminal: boolean
  #prompt: Prompt | null = null

  constructor(host: Host) {
    this.#host = host
    const { stdin, stdout } = host.io
    this.onTerminal = stdin.isTTY === true && stdout.isTTY === true
  }

  ask({ api, info }: NodeHandle, dataDir: string): Prompt {
    const completer = new LineCompleter({ commands: PROMPT_COMMANDS, api })
    this.#prompt = this.onTerminal
      ? new TerminalPrompt(this.#host.io, {
          prompt: `${info.name}> `,
          history: new HistoryFile(dataDir),
          complete: (line) => completer.complete(line),
        })
      : new PipedPrompt(this.#host.io)
    return this.#prompt
  }

  print(text: string): void {
    if (this.#prompt) this.#prompt.print(text)
    else this.#host.io.stdout.write(text)
  }

  /** On a terminal everything goes above the prompt; through pipes, errors stay on their own stream. */
  sink(stream: 'stdout' | 'stderr'): { columns?: number; write(text: string): void } {
    const { columns } = this.#host.io.stdout
    const write = (text: string) => {
      if (this.onTerminal || stream === 'stdout') this.print(text)
      else this.#host.io.stderr.write(text)
    }
    return columns === undefined ? { write } : { columns, write }
  }

  logger({ level, format }: NodeSettings['log'], debug: boolean): Logger {
    const pretty = format === 'pretty' || (format === 'auto' && (this.onTerminal || debug))
    const { dim } = this.#host.out.look.paint
    const toStderr = this.sink('stderr')
    return createPinoLogger({
      level: debug ? 'trace' : level,
      format: pretty ? 'pretty' : 'json',
      write: (lines) => toStderr.write(pretty ? `${dim(lines.trimEnd())}\n` : lines),
    })
  }

  close(): void {
    this.#prompt?.close()
    this.#prompt = null
  }
}
