import type { AuctionView, NodeApi } from '../../../ports/node-api.js'
import { nameOf, type OptionSpec } from '../command.js'
import { positionalsOf } from '../parse-command-line.js'
import { oneLine } from '../terminal-text.js'

export interface CompletableCommand {
  readonly usage: string
  readonly options?: Readonly<Record<string, OptionSpec>>
}

export interface LineCompleterDeps {
  readonly commands: readonly CompletableCommand[]
  readonly api: Pick<NodeApi, 'list'>
}

const MAX_AUCTIONS = 200
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  status: ['open', 'scheduled', 'closed', 'cancelled', 'all'],
  currency: ['USDT', 'USD', 'EUR', 'USDC', 'BTC', 'ETH'],
}

/** What could stand where the cursor is: commands, options, ids of auctions; a title turns into its id. */
export class LineCompleter {
  readonly #deps: LineCompleterDeps

  constructor(deps: LineCompleterDeps) {
    this.#deps = deps
  }

  /** The candidates, and the part of the line that each would replace. */
  async complete(line: string): Promise<[candidates: string[], replaced: string]> {
    const replaced = /(?:"[^"]*|\S*)$/.exec(line)?.[0] ?? ''
    const before = line
      .slice(0, line.length - replaced.length)
      .split(/\s+/)
      .filter((word) => word !== '')
    const [name] = before
    const { commands } = this.#deps
    if (name === undefined) return [startingWith(commands.map(nameOf), replaced), replaced]
    if (name === 'help') return [startingWith(commands.map(nameOf), replaced), replaced]
    const command = commands.find((candidate) => nameOf(candidate) === name)
    if (!command) return [[], replaced]
    if (replaced.startsWith('-')) {
      const options = Object.keys(command.options ?? {}).map((option) => `--${option}`)
      return [startingWith(options, replaced), replaced]
    }
    const option = before.at(-1)?.startsWith('--') ? before.at(-1)?.slice(2) : undefined
    if (option !== undefined && command.options?.[option]?.kind === 'text') {
      return [startingWith(CHOICES[option] ?? [], replaced), replaced]
    }
    const positional = positionalsOf(command)[argumentsIn(before.slice(1), command)]
    if (positional?.name !== 'auction' && positional?.name !== 'auctions') return [[], replaced]
    return [await this.#auctions(replaced), replaced]
  }

  async #auctions(typed: string): Promise<string[]> {
    const { auctions } = await this.#deps.api.list({ limit: MAX_AUCTIONS })
    const ids = startingWith(
      auctions.map(({ auctionId }) => auctionId),
      typed,
    )
    if (ids.length > 0 || typed === '') return ids
    const start = typed.replace(/^"/, '').toLowerCase()
    const byTitle = auctions.filter((view) => titleOf(view).toLowerCase().startsWith(start))
    // One title can be put in place by its id; of several, the user sees which to go on typing.
    if (byTitle.length === 1) return byTitle.map(({ auctionId }) => auctionId)
    return byTitle.map((view) => `"${titleOf(view)}`)
  }
}

function titleOf({ state }: AuctionView): string {
  return oneLine(state.terms.title)
}

function startingWith(candidates: readonly string[], start: string): string[] {
  return candidates.filter((candidate) => candidate.startsWith(start))
}

/** How many arguments stand there that are neither options nor their values. */
function argumentsIn(words: readonly string[], { options }: CompletableCommand): number {
  let count = 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!word.startsWith('--')) count++
    else if (options?.[word.slice(2)]?.kind === 'text') i++
  }
  return count
}
