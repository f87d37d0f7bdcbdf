import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT, type ExitCode } from '../src/adapters/cli/parse/exit-codes.js'
import { describeEvent, paintEvent } from '../src/adapters/cli/render/describe-event.js'
import type { Output } from '../src/adapters/cli/render/output.js'
import { ShortIds } from '../src/adapters/cli/render/short-ids.js'
import type { CliIo } from '../src/adapters/cli/session/cli-io.js'
import { aborted, sleep, unlessAborted } from '../src/adapters/cli/session/waiting.js'
import { systemRandom } from '../src/adapters/system/system-random.js'
import type { EventMessage } from '../src/application/gateway/public-events.js'
import { newCommandId } from '../src/application/log/ids.js'
import { CanonicalScenario } from './canonical-scenario.js'
import { type DemoDeps, DemoError, DemoNode } from './demo-node.js'
import { DemoStory } from './demo-story.js'
import { Robot } from './robots.js'

export interface DemoOptions {
  /** Goes on with robots until the user ends it. */
  readonly live: boolean
}

type Nodes = readonly [DemoNode, DemoNode, DemoNode]

const MEET_DEADLINE_MS = 30_000
const AGREE_DEADLINE_MS = 20_000
const POLL_MS = 50

/** Three nodes in three processes hold an auction. 0 where everything went as it should. */
export async function runDemo(
  deps: DemoDeps,
  { io, out }: { readonly io: CliIo; readonly out: Output },
  { live }: DemoOptions,
): Promise<ExitCode> {
  const home = mkdtempSync(join(tmpdir(), 'vendue-demo-'))
  const demo = new Demo(deps, { io, out, home })
  const playing = demo.play()
  try {
    const nodes = await unlessAborted(playing, io.ended)
    if (nodes === null) out.note('stopping')
    else if (live) await demo.keepGoing(nodes)
    return EXIT.done
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    out.document({ step: 'failed', message })
    if (!out.json) out.note(`${out.look.paint.bad('the demonstration failed:')} ${message}`)
    return EXIT.rejected
  } finally {
    await demo.stop()
    // Where it was ended half-way, it has lost its nodes now; one that was just coming up is stopped as well.
    await playing.catch(() => {})
    await demo.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

interface DemoContext {
  readonly io: CliIo
  readonly out: Output
  readonly home: string
}

class Demo {
  readonly #deps: DemoDeps
  readonly #context: DemoContext
  readonly #story: DemoStory
  readonly #started: DemoNode[] = []

  constructor(deps: DemoDeps, context: DemoContext) {
    this.#deps = deps
    this.#context = context
    this.#story = new DemoStory(context.out)
  }

  /** Starts the nodes, plays the scenario, and leaves them running. */
  async play(): Promise<Nodes> {
    const { out, io } = this.#context
    this.#story.aside(out.look.paint.bold('Three nodes hold an auction'), `times are in ${io.timeZone}`, '')
    const nodes = await this.#startNodes()
    await this.#meet(nodes)
    await new CanonicalScenario({
      nodes,
      story: this.#story,
      look: out.look,
      newCommandId: (kind) => this.#newCommandId(kind),
    }).play()
    return nodes
  }

  /** Robots at every node, until the user ends it; then the nodes have to agree once more. */
  async keepGoing(nodes: Nodes): Promise<void> {
    const { io, out } = this.#context
    this.#story.aside('', 'Robots go on at all three nodes; Ctrl-C ends it.')
    nodes[0].onEvent = this.#describer(nodes[0])
    const robots = nodes.map(
      (node) => new Robot({ node, random: Math.random, newCommandId: (kind) => this.#newCommandId(kind) }),
    )
    await Promise.all([aborted(io.ended), ...robots.map((robot) => robot.run(io.ended))])
    nodes[0].onEvent = () => {}
    const sum = (key: 'actions' | 'rejected' | 'failed') => robots.reduce((total, { counts }) => total + counts[key], 0)
    const { auctions, bids } = await this.#agree(nodes)
    const text = `${sum('actions')} commands of robots, ${sum('rejected')} of them rejected by a rule; ${auctions} auctions and ${bids} bids, the same on all nodes`
    this.#story.tell(out.look.paint.good(text), {
      step: 'stopped',
      commands: sum('actions'),
      rejected: sum('rejected'),
      failed: sum('failed'),
      auctions,
      bids,
    })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.map((node) => node.stop()))
  }

  async #startNodes(): Promise<Nodes> {
    const { home } = this.#context
    // A mesh of its own: a real node of this machine neither sees it nor is seen.
    const mesh = `demo-${this.#newCommandId('cmd').slice(-12)}`
    const start = async (name: string, bootstrap: readonly string[]) => {
      const node = await DemoNode.start(this.#deps, { name, home, mesh, bootstrap })
      this.#started.push(node)
      const text = `${name} is up at ${node.address}, its Grape at ${node.dhtAddress}`
      this.#story.tell(text, {
        step: 'started',
        node: name,
        node_id: node.nodeId,
        rpc: node.address,
        dht_address: node.dhtAddress,
      })
      return node
    }
    const first = await start('node-1', [])
    const second = await start('node-2', [first.dhtAddress])
    return [first, second, await start('node-3', [first.dhtAddress, second.dhtAddress])]
  }

  async #meet(nodes: Nodes): Promise<void> {
    await this.#until(MEET_DEADLINE_MS, 'the nodes did not find each other', async () => {
      const met = await Promise.all(nodes.map(async ({ api }) => (await api.status()).peers.alive))
      return met.every((alive) => alive === nodes.length - 1)
    })
    this.#story.tell('the three nodes have found each other', { step: 'met' })
  }

  /** How much they hold, once all hold the same. */
  async #agree(nodes: Nodes): Promise<{ auctions: number; bids: number }> {
    let held = { auctions: 0, bids: 0 }
    await this.#until(AGREE_DEADLINE_MS, 'the nodes do not come to hold the same logs', async () => {
      const lists = await Promise.all(nodes.map((node) => headsOf(node)))
      held = {
        auctions: lists[0]?.size ?? 0,
        bids: (await nodes[0].api.status()).bids,
      }
      const texts = lists.map((heads) => JSON.stringify([...heads].sort()))
      return texts.every((text) => text === texts[0])
    })
    return held
  }

  async #until(deadlineMs: number, failure: string, check: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + deadlineMs
    while (!(await check())) {
      if (performance.now() > deadline) throw new DemoError(`${failure} within ${deadlineMs / 1_000} s`)
      await sleep(POLL_MS, new AbortController().signal)
    }
  }

  /** Tells what one node hears, as it hears it. */
  #describer(node: DemoNode): (event: EventMessage) => void {
    const { look } = this.#context.out
    const ids = new ShortIds(() => Promise.resolve(node.api))
    let telling = Promise.resolve()
    return (event) => {
      telling = telling.then(async () => {
        const shortId = await ids.of(event.auction_id)
        const text = describeEvent(event, { look, shortId, selfId: null, ledBy: null })
        this.#story.tell(paintEvent(text, look), {
          step: event.type,
          text: text.text,
          auction_id: event.auction_id,
          seq: event.seq,
          event_at: event.timestamp,
        })
      })
    }
  }

  #newCommandId(kind: 'bid' | 'cmd'): string {
    const clock = { now: () => this.#context.io.now(), monotonicMs: () => performance.now() }
    return newCommandId(kind, { clock, random: systemRandom })
  }
}

const PAGE = 1_000

/** Auction to head of its log, as the node shows them. */
async function headsOf({ api }: DemoNode): Promise<Map<string, string>> {
  const heads = new Map<string, string>()
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof api.list>> = await api.list({
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    })
    for (const { auctionId, head } of page.auctions) heads.set(auctionId, `${head.seq} ${head.hash}`)
    cursor = page.next
  } while (cursor !== null)
  return heads
}
