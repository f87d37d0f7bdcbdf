import type { AuctionView } from '../../../ports/node/node-answers.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import { type CompletableCommand, completeWords } from '../parse/complete-words.js'
import { oneLine } from '../render/terminal-text.js'

export interface LineCompleterDeps {
  readonly commands: readonly CompletableCommand[]
  readonly api: Pick<NodeApi, 'list'>
}

const MAX_AUCTIONS = 200

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
    const { candidates, auction } = completeWords(before, replaced, this.#deps)
    const found = auction ? await this.#auctions(replaced) : candidates
    // This word is complete: the next one can follow.
    return [found.length === 1 ? [`${found[0]} `] : [...found], replaced]
  }

  async #auctions(typed: string): Promise<string[]> {
    const { auctions } = await this.#deps.api.list({ limit: MAX_AUCTIONS })
    const ids = auctions.map(({ auctionId }) => auctionId).filter((id) => id.startsWith(typed))
    if (ids.length > 0 || typed === '') return ids
    const start = typed.replace(/^"/, '').toLowerCase()
    const byTitle = auctions.filter((view) => titleOf(view).toLowerCase().startsWith(start))
    // A single title is replaced by its id; if there are several, the user sees how to continue.
    if (byTitle.length === 1) return byTitle.map(({ auctionId }) => auctionId)
    return byTitle.map((view) => `"${titleOf(view)}`)
  }
}

function titleOf({ state }: AuctionView): string {
  return oneLine(state.terms.title)
}
