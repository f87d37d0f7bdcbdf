import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, visit } from '../test/support/browser.js'
import { eventually } from '../test/support/eventually.js'
import { fillStore } from '../test/support/full-store.js'
import { NodeProcess } from '../test/support/node-process.js'
import type { BenchResult, BenchRun } from './bench-result.js'
import { percentile } from './latency.js'
import { Rivals } from './web-parts/rivals.js'

const COLD_LOADS = 20
const MOST_COLD_MS = 1_000
const PAINT_BIDS_PER_S = 20
const PAINT_S = 30
const MOST_PAINT_MS = 100
const BUSY_BIDS_PER_S = 200
const BUSY_S = 15
const LEAST_FRAMES_PER_S = 58
const EVENTS = 100_000
const WARM_EVENTS = 10_000
const MOST_GROWTH_MIB = 5
const AUCTIONS = 10_000
const SCROLL_S = 10
const MESH = 'test'
const PATIENCE_MS = 300_000

/** Counts, in the page, what its visitor would notice. */
const WATCH = `
  window.longTasks = []
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longTasks.push(duration)
  }).observe({ type: 'longtask', buffered: true })
  window.frames_ = []
  window.countFrames = () => {
    frames_.length = 0
    longTasks.length = 0
    window.isCounting = true
    let last = performance.now()
    const frame = (at) => {
      frames_.push(at - last)
      last = at
      if (isCounting) requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
  }`

/** The web page in a real Chromium, without a screen, beside the nodes on the same machine. */
export async function* run(): BenchRun {
  const browser = await openBrowser()
  try {
    yield* withGateways(1, async function* ([gateway]) {
      yield `${COLD_LOADS} cold loads of the catalogue`
      yield await coldLoad(browser, gateway as Gateway, '/')
      yield `${COLD_LOADS} cold loads of an auction`
      yield await coldLoad(browser, gateway as Gateway, `/lot/${await openLot(gateway as Gateway)}`)
    })
    yield* withGateways(2, async function* ([home, other]) {
      yield `${PAINT_BIDS_PER_S} bids/s for ${PAINT_S} s`
      yield await paint(browser, home as Gateway, other as Gateway)
      yield `${BUSY_BIDS_PER_S} bids/s for ${BUSY_S} s`
      yield await busy(browser, home as Gateway, other as Gateway)
    })
    yield* withGateways(1, async function* ([gateway]) {
      yield* memory(browser, gateway as Gateway)
    })
    yield* catalogue(browser)
  } finally {
    await browser.close()
  }
}

interface Gateway {
  readonly node: NodeProcess
  readonly url: string
}

const PORTS = ['--grape-port', '0', '--dht-port', '0', '--http-port', '0']

async function startGateway(home: string, name: string, bootstrap: readonly string[] = []): Promise<Gateway> {
  const node = await NodeProcess.start({
    home,
    name,
    logLevel: 'warn',
    args: [...PORTS, ...(bootstrap.length > 0 ? ['--bootstrap', bootstrap.join(',')] : [])],
    env: { VENDUE_GATEWAY: 'yes', VENDUE_MESH: MESH },
  })
  const url = await eventually('it says where', () => /http {3}(http:\S+)/.exec(node.output)?.[1])
  return { node, url }
}

/** So many nodes of one mesh, each with its gateway, each a process. */
async function* withGateways(count: number, measure: (gateways: readonly Gateway[]) => BenchRun): BenchRun {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const gateways: Gateway[] = []
  try {
    for (let i = 1; i <= count; i++) {
      const dht = gateways.map(({ node }) => /dht\s+(\S+:\d+)/.exec(node.output)?.[1] ?? '')
      gateways.push(await startGateway(home, `gateway-${i}`, dht))
    }
    for (const { node } of gateways)
      await eventually(
        'they see each other',
        async () => {
          return (await node.api.peers()).filter(({ state }) => state === 'alive').length === count - 1
        },
        30_000,
      )
    yield* measure(gateways)
  } finally {
    for (const { node } of gateways) await node.end()
    rmSync(home, { recursive: true, force: true })
  }
}

async function openLot({ node }: Gateway, title = 'Lot'): Promise<string> {
  const commandId = `cmd_bench-${process.pid}-${Math.round(performance.now() * 1_000)}`
  const terms = { title, currency: 'EUR', start: '0.01', increment: '0.01' }
  return (await node.api.open({ commandId, ...terms })).outcome.auctionId
}

/** From the navigation's start until what the visitor came for is painted and answers, with nothing cached. */
async function coldLoad(browser: Browser, gateway: Gateway, path: string): Promise<BenchResult> {
  const isLot = path !== '/'
  const samples: number[] = []
  if (!isLot) for (let i = 0; i < 100; i++) await openLot(gateway, `Lot ${i}`)
  for (let i = 0; i < COLD_LOADS; i++) {
    const { page, context } = await visit(browser, gateway.url + path, {
      name: 'mia',
      prepare: (page) => page.addInitScript(`${READY}('${isLot ? '[data-bid]:enabled' : '.tile'}')`),
    })
    samples.push(await eventually('it is ready', () => page.evaluate<number | null>('window.readyMs ?? null')))
    await context.close()
  }
  const worst = Math.max(...samples)
  return {
    name: `cold load until ${isLot ? 'one can bid' : 'the catalogue of 100 is there'}`,
    unit: 'ms (worst)',
    value: worst,
    figures: { p50_ms: percentile(samples, 0.5), loads: COLD_LOADS, load_average: loadavg()[0] ?? 0 },
    target: { atMost: MOST_COLD_MS },
  }
}

/** Notes when an element is there and painted, and the thread has nothing else to do. */
const READY = `((selector) => {
  const look = () => {
    if (!document.querySelector(selector)) return requestAnimationFrame(look)
    requestAnimationFrame(() => setTimeout(() => { window.readyMs = performance.now() }))
  }
  requestAnimationFrame(look)
})`

/** Times of the home and of the browser are of one machine's clock. */
async function paint(browser: Browser, home: Gateway, other: Gateway): Promise<BenchResult> {
  const { page, context, bids, id } = await watching(browser, home, other)
  await page.evaluate(`(() => {
    window.painted = []
    const price = document.querySelector('.panel-price .price')
    new MutationObserver(() => {
      const text = price.textContent
      // The task after the frame in which it is drawn.
      requestAnimationFrame(() => setTimeout(() => painted.push([text, Date.now()])))
    }).observe(price, { childList: true, characterData: true, subtree: true })
  })()`)
  await bids.paced(PAINT_BIDS_PER_S, PAINT_S)
  await page.waitForTimeout(1_000)
  const painted = await page.evaluate<[string, number][]>('painted')
  const committed = await bids.committed()
  const delays: number[] = []
  for (const [text, at] of painted) {
    const price = text.replace(/[^\d.]/g, '')
    const from = committed.get(price)
    if (from !== undefined) delays.push(at - from)
  }
  await context.close()
  bids.close()
  return {
    name: `commit at the home until another node’s browser has painted it, ${PAINT_BIDS_PER_S} bids/s`,
    unit: 'ms (p99)',
    value: delays.length < (PAINT_BIDS_PER_S * PAINT_S) / 2 ? Number.POSITIVE_INFINITY : percentile(delays, 0.99),
    figures: {
      p50_ms: percentile(delays, 0.5),
      worst_ms: Math.max(...delays),
      bids: PAINT_BIDS_PER_S * PAINT_S,
      painted: delays.length,
      auction: id,
      load_average: loadavg()[0] ?? 0,
    },
    target: { atMost: MOST_PAINT_MS },
  }
}

async function watching(browser: Browser, home: Gateway, other: Gateway, through = other) {
  const id = await openLot(home)
  await eventually('the other node knows it', async () => {
    return (await fetch(`${other.url}/api/v1/auctions/${id}`)).status === 200
  })
  const { page, context } = await visit(browser, `${through.url}/lot/${id}`, {
    name: 'mia',
    viewport: { width: 1280, height: 860 },
    prepare: (page) => page.addInitScript(WATCH),
  })
  await page.locator('[data-bid]').waitFor()
  return { id, page, context, bids: await Rivals.start(home.url, id) }
}

async function busy(browser: Browser, home: Gateway, other: Gateway): Promise<BenchResult> {
  const { page, context, bids } = await watching(browser, home, other)
  await page.evaluate('countFrames()')
  await bids.paced(BUSY_BIDS_PER_S, BUSY_S)
  const { frames, longTasks } = await counted(page)
  await context.close()
  bids.close()
  return smoothness(`while ${BUSY_BIDS_PER_S} bids/s arrive`, frames, longTasks)
}

async function counted(page: Page): Promise<{ frames: number[]; longTasks: number[] }> {
  await page.evaluate('isCounting = false')
  return {
    frames: (await page.evaluate<number[]>('frames_')).slice(1),
    longTasks: await page.evaluate<number[]>('longTasks'),
  }
}

function smoothness(name: string, frames: number[], longTasks: readonly number[]): BenchResult {
  const seconds = frames.reduce((sum, ms) => sum + ms, 0) / 1_000
  return {
    name: `frames ${name}`,
    unit: 'frames/s',
    value: frames.length / seconds,
    figures: {
      p99_frame_ms: percentile(frames, 0.99),
      long_tasks: longTasks.length,
      longest_task_ms: Math.max(0, ...longTasks),
      seconds,
      load_average: loadavg()[0] ?? 0,
    },
    target: { atLeast: LEAST_FRAMES_PER_S },
  }
}

/** What is alive after a collection, early and after a hundred thousand events of one auction. */
async function* memory(browser: Browser, gateway: Gateway): BenchRun {
  const { page, context, bids } = await watching(browser, gateway, gateway)
  const session = await page.context().newCDPSession(page)
  const alive = async () => {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    const { nodes } = await session.send('Memory.getDOMCounters')
    return { mib: usedSize / 1024 / 1024, nodes }
  }
  const shown = async (price: string) => {
    const text = (await page.locator('.panel-price .price').innerText()).replace(/[^\d.]/g, '')
    return text === price
  }
  yield `${WARM_EVENTS} events`
  await bids.asFastAsTaken(WARM_EVENTS)
  await eventually('it is shown', () => shown(bids.price), PATIENCE_MS)
  const before = await alive()
  yield `${EVENTS - WARM_EVENTS} events more`
  await bids.asFastAsTaken(EVENTS - WARM_EVENTS)
  await eventually('it is shown', () => shown(bids.price), PATIENCE_MS)
  const after = await alive()
  await context.close()
  bids.close()
  yield {
    name: `memory of a page from ${WARM_EVENTS} to ${EVENTS} events`,
    unit: 'MiB more',
    value: after.mib - before.mib,
    figures: { before_mib: before.mib, after_mib: after.mib, dom_nodes: after.nodes },
    target: { atMost: MOST_GROWTH_MIB },
  }
}

async function* catalogue(browser: Browser): BenchRun {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  yield `writing ${AUCTIONS} auctions`
  await fillStore(home, { auctions: AUCTIONS, bidsPerAuction: 2, bidsPerCommit: 2 }, MESH)
  const gateway = await startGateway(home, 'full')
  try {
    yield 'loading and scrolling them'
    const startedAt = performance.now()
    const { page, context } = await visit(browser, gateway.url, {
      name: 'mia',
      viewport: { width: 1280, height: 860 },
      prepare: (page) => page.addInitScript(WATCH),
    })
    await page.getByText(`${AUCTIONS.toLocaleString('en')} auctions`).waitFor({ timeout: PATIENCE_MS })
    const loadedMs = performance.now() - startedAt
    await page.waitForTimeout(1_000)
    const loading = await page.evaluate<number[]>('longTasks')
    await page.mouse.move(640, 500)
    await page.evaluate('countFrames()')
    const until = performance.now() + SCROLL_S * 1_000
    while (performance.now() < until) {
      await page.mouse.wheel(0, 400)
      await page.waitForTimeout(16)
    }
    const { frames, longTasks } = await counted(page)
    await context.close()
    const scrolling = smoothness(`while ${AUCTIONS} open auctions are scrolled`, frames, longTasks)
    yield { ...scrolling, figures: { ...scrolling.figures, all_loaded_ms: loadedMs } }
    yield {
      name: `long tasks while ${AUCTIONS} open auctions are scrolled`,
      unit: 'tasks above 50 ms',
      value: longTasks.length,
      figures: { while_loading: loading.length, longest_while_loading_ms: Math.max(0, ...loading) },
      target: { atMost: 0 },
    }
  } finally {
    await gateway.node.end()
    rmSync(home, { recursive: true, force: true })
  }
}
