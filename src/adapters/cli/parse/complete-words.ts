import { nameOf, type OptionSpec } from './command.js'
import { positionalsOf } from './positionals.js'

export interface CompletableCommand {
  readonly usage: string
  readonly options?: Readonly<Record<string, OptionSpec>>
}

export interface CompletableGrammar {
  readonly commands: readonly CompletableCommand[]
  /** Options of every command. */
  readonly options?: Readonly<Record<string, OptionSpec>>
}

export interface Completion {
  readonly candidates: readonly string[]
  /** An auction's id could stand here; a node knows which there are. */
  readonly auction: boolean
}

const NOTHING: Completion = { candidates: [], auction: false }

/** What could stand in place of `current`, after the words before it. */
export function completeWords(before: readonly string[], current: string, grammar: CompletableGrammar): Completion {
  const [name] = before
  const fixed = (words: readonly string[]): Completion => ({
    candidates: words.filter((word) => word.startsWith(current)),
    auction: false,
  })
  if (name === undefined || name === 'help') return fixed(grammar.commands.map(nameOf))
  const command = grammar.commands.find((candidate) => nameOf(candidate) === name)
  if (!command) return NOTHING
  const options = { ...command.options, ...grammar.options }
  if (current.startsWith('-')) return fixed([...Object.keys(options), 'help'].map((option) => `--${option}`))
  const last = before.at(-1) ?? ''
  const spec = last.startsWith('--') ? options[last.slice(2)] : undefined
  if (spec?.kind === 'text') return fixed(spec.suggest ?? [])
  const positional = positionalsOf(command)[argumentsIn(before.slice(1), options)]
  return { candidates: [], auction: positional?.name === 'auction' || positional?.name === 'auctions' }
}

/** How many words are neither options nor their values. */
function argumentsIn(words: readonly string[], options: Readonly<Record<string, OptionSpec>>): number {
  let count = 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!word.startsWith('--')) count++
    else if (options[word.slice(2)]?.kind === 'text') i++
  }
  return count
}
