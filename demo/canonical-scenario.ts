import { describeResult } from '../src/adapters/cli/render/auction-text.js'
import type { Look } from '../src/adapters/cli/render/look.js'
import { table } from '../src/adapters/cli/render/table.js'
import { sleep } from '../src/adapters/cli/session/waiting.js'
import { formatMoney } from '../src/domain/money.js'
import type { AuctionView, CommandResult } from '../src/ports/node/node-answers.js'
import type { NodeApi } from '../src/ports/node/node-api.js'
import type { Accepted } from '../src/ports/store/outcome-repository.js'
import { DemoError, type DemoNode } from './demo-node.js'
import type { DemoStory } from './demo-story.js'

export type ScenarioNode = Pick<DemoNode, 'name' | 'api' | 'hears'>

export interface ScenarioDeps {
  readonly nodes: readonly [ScenarioNode, ScenarioNode, ScenarioNode]
  readonly story: DemoStory
  readonly look: Look
  readonly pauseMs?: number
  newCommandId(kind: 'bid' | 'cmd'): string
}

/** Between the steps, for people to follow. */
const PAUSE_MS = 400
const AGREE_DEADLINE_MS = 15_000
const POLL_MS = 25

/**
 * Node 1 opens Pic#1 and node 2 opens Pic#2; nodes 2 and 3 outbid each other on Pic#1 until node 1 closes it. Every
 * line is what a node answered or reported; `DemoError` where that is not what it should be.
 */
export class CanonicalScenario {
  readonly #deps: ScenarioDeps

  constructor(deps: ScenarioDeps) {
    this.#deps = deps
  }

  async play(): Promise<void> {
    const [first, second, third] = this.#deps.nodes
    const pic1 = await this.#open(first, 'Pic#1', '75')
    await this.#open(second, 'Pic#2', '60')
    await this.#bid(second, pic1, '75')
    await this.#bid(third, pic1, '75.5')
    await this.#bid(second, pic1, '80')
    await this.#close(first, pic1)
    await this.#compare(pic1, { winner: second.name, price: '80.00 USDT' })
  }

  async #open(node: ScenarioNode, title: string, start: string): Promise<string> {
    const commandId = this.#deps.newCommandId('cmd')
    const request = { commandId, title, currency: 'USDT', start, increment: '0.50' }
    const { outcome, auction } = accepted(node, await node.api.open(request))
    const price = money(auction, auction.state.terms.startPrice)
    await this.#notifyAll(outcome, `${node.name} opens ${auction.state.terms.title}, starting at ${price}`)
    return outcome.auctionId
  }

  async #bid(node: ScenarioNode, auctionId: string, amount: string): Promise<void> {
    const commandId = this.#deps.newCommandId('bid')
    const result = await node.api.bid({ auction: auctionId, commandId, kind: 'plain', amount })
    const { outcome, auction } = accepted(node, result)
    if (!outcome.bid?.leads) throw new DemoError(`the bid of ${amount} by ${node.name} does not lead`)
    const { title } = auction.state.terms
    await this.#notifyAll(outcome, `${node.name} bids on ${title} and leads at ${money(auction, outcome.bid.price)}`)
  }

  async #close(node: ScenarioNode, auctionId: string): Promise<void> {
    const commandId = this.#deps.newCommandId('cmd')
    const { outcome, auction } = accepted(node, await node.api.close({ auction: auctionId, commandId }))
    if (auction.state.status !== 'closed') throw new DemoError(`the auction is ${auction.state.status}, not closed`)
    const result = describeResult(auction.state.result, (minor) => money(auction, minor))
    await this.#notifyAll(outcome, `${node.name} closes ${auction.state.terms.title}: ${result}`)
  }

  /** Prints it once every node has reported it on its own feed, and how long that took. */
  async #notifyAll({ auctionId, seq, commandId }: Accepted, text: string): Promise<void> {
    const { nodes, story, look } = this.#deps
    const heard = await Promise.all(nodes.map((node) => node.hears(auctionId, seq)))
    const times = heard.map(({ atMs }) => atMs)
    const spreadMs = Math.max(...times) - Math.min(...times)
    const types = new Set(heard.map(({ event }) => JSON.stringify(event)))
    if (types.size !== 1) throw new DemoError(`the nodes tell different things of ${auctionId} #${seq}`)
    const event = heard[0]?.event.type ?? ''
    const told = `#${seq} told by all ${nodes.length} nodes within ${Math.ceil(spreadMs)} ms`
    story.tell(`${text}  ${look.paint.dim(told)}`, {
      step: event,
      text,
      auction_id: auctionId,
      seq,
      command_id: commandId,
      spread_ms: Number(spreadMs.toFixed(1)),
    })
    await sleep(this.#deps.pauseMs ?? PAUSE_MS, new AbortController().signal)
  }

  async #compare(auctionId: string, expected: { winner: string; price: string }): Promise<void> {
    const { nodes, story, look } = this.#deps
    const views = await this.#agreeing(auctionId)
    const rows = views.map((view, i) => {
      const { state } = view
      const sold = state.status === 'closed' && state.result.sold ? state.result : null
      return {
        node: nodes[i]?.name ?? '',
        winner: sold?.winner.name ?? 'nobody',
        price: sold ? money(view, sold.price) : '',
        seq: String(view.head.seq),
        head: view.head.hash,
      }
    })
    story.aside(
      ...table(rows, [
        { title: 'NODE', cell: ({ node }) => node },
        { title: 'WINNER', cell: ({ winner }) => winner },
        { title: 'PRICE', cell: ({ price }) => price, align: 'right' },
        { title: 'SEQ', cell: ({ seq }) => seq, align: 'right' },
        { title: 'HEAD OF THE LOG', cell: ({ head }) => head.slice(0, 32) },
      ]).map((line) => `  ${line}`),
    )
    for (const row of rows) {
      if (row.winner !== expected.winner || row.price !== expected.price) {
        throw new DemoError(
          `${row.node} shows ${row.winner} as the winner at ${row.price || 'no price'}, not ${expected.winner} at ${expected.price}`,
        )
      }
      if (row.head !== rows[0]?.head) throw new DemoError(`${row.node} holds another log than ${rows[0]?.node}`)
    }
    story.tell(look.paint.good(`all ${rows.length} nodes show the same winner and hold the same log`), {
      step: 'verified',
      winner: expected.winner,
      price: expected.price,
      head: rows[0]?.head ?? '',
    })
  }

  /** Each node's view, as soon as they stand at the same seq. */
  async #agreeing(auctionId: string): Promise<AuctionView[]> {
    const deadline = performance.now() + AGREE_DEADLINE_MS
    for (;;) {
      const views = await Promise.all(this.#deps.nodes.map(({ api }) => api.show({ auction: auctionId })))
      const seqs = new Set(views.map(({ head }) => head.seq))
      if ((seqs.size === 1 && views[0]?.state.status === 'closed') || performance.now() > deadline) return views
      await sleep(POLL_MS, new AbortController().signal)
    }
  }
}

/** The accepted outcome, or a `DemoError` that says why there is none. */
function accepted(node: { name: string; api: NodeApi }, { outcome, auction }: CommandResult) {
  if (outcome.status === 'rejected') {
    throw new DemoError(`${node.name} was refused: ${JSON.stringify(outcome.rejection)}`)
  }
  if (!auction) throw new DemoError(`${node.name} does not know the auction it acted on`)
  return { outcome, auction }
}

function money({ state }: AuctionView, minor: number): string {
  return formatMoney(minor, state.terms.currency)
}
