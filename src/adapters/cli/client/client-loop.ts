/** Room `cli/client`: the prompt of `vendue client`. */

import { newCommandId } from '../../../application/log/ids.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import { systemRandom } from '../../system/system-random.js'
import { VERSION } from '../../system/version.js'
import { nameOf } from '../parse/command.js'
import { type Grammar, parseCommandLine } from '../parse/parse-command-line.js'
import { UsageError } from '../parse/usage-error.js'
import type { Output } from '../render/output.js'
import { reportError } from '../render/report-error.js'
import { ShortIds } from '../render/short-ids.js'
import { unlessAborted } from '../session/waiting.js'
import { EventPrinter } from './event-printer.js'
import type { Prompt } from './prompt.js'
import { type ClientContext, PROMPT_COMMANDS } from './prompt-commands.js'
import { tokenize } from './tokenize.js'

export interface ClientLoopDeps {
  readonly api: NodeApi
  readonly out: Output
  readonly prompt: Prompt
}

export interface ClientLoopOptions {
  readonly selfId: string
  /** The client has to stop, for whatever reason. */
  readonly ended: AbortController
}

/** Takes lines from the prompt, one after the other, until the input ends or the user quits. No error ends it. */
export class ClientLoop {
  readonly #deps: ClientLoopDeps
  readonly #ended: AbortController
  readonly #context: ClientContext
  readonly #events: EventPrinter

  constructor(deps: ClientLoopDeps, { selfId, ended }: ClientLoopOptions) {
    this.#deps = deps
    this.#ended = ended
    const { api, out } = deps
    const session = {
      out,
      ids: new ShortIds(() => Promise.resolve(api)),
      prefix: '',
      reach: '',
      ended: ended.signal,
      api: () => Promise.resolve(api),
      reconnect: () => Promise.resolve(),
      newCommandId: (kind: 'bid' | 'cmd') => {
        const clock = { now: () => out.look.now(), monotonicMs: () => performance.now() }
        return newCommandId(kind, { clock, random: systemRandom })
      },
    }
    this.#events = new EventPrinter({ session, api }, { selfId })
    this.#context = {
      ...session,
      events: this.#events,
      reported: (outcome) => this.#events.reported(outcome),
      quit: () => ended.abort(),
    }
  }

  async run(): Promise<void> {
    const { prompt } = this.#deps
    const printing = this.#events.run(await this.#events.begin())
    try {
      while (!this.#ended.signal.aborted) {
        const line = await unlessAborted(prompt.next(), this.#ended.signal)
        if (line === null) break
        const work = this.#carryOut(line)
        this.#events.during(work)
        await unlessAborted(work, this.#ended.signal)
      }
    } finally {
      this.#ended.abort()
      prompt.close()
      await printing
    }
  }

  async #carryOut(line: string): Promise<void> {
    if (line.trim() === '' || line.trimStart().startsWith('#')) return
    const { out, prompt } = this.#deps
    let running = ''
    try {
      const tokens = tokenize(line)
      if (!tokens.ok) throw new UsageError(tokens.message, { next: 'close it, or put a backslash before it' })
      const parsed = await parseCommandLine(helpWords(tokens.words), grammar(out.look.columns))
      if (parsed.kind === 'text') prompt.print(`${parsed.text.trim()}\n`)
      else if (parsed.kind === 'nothing') prompt.print(`${parsed.help.trim()}\n`)
      else {
        running = nameOf(parsed.command)
        await parsed.command.run(this.#context, parsed.args)
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) reportError(error, { out, running })
    }
  }
}

/** "help bid" is "bid --help"; many people type "exit". */
function helpWords(words: readonly string[]): readonly string[] {
  const [first, second] = words
  if (first === 'help') return second === undefined ? ['--help'] : [second, '--help']
  return first === 'exit' && words.length === 1 ? ['quit'] : words
}

function grammar(columns: number): Grammar<ClientContext> {
  return {
    scriptName: '',
    commands: PROMPT_COMMANDS,
    options: {},
    version: VERSION,
    columns,
    epilogue: 'help COMMAND shows the options of a command.',
  }
}
