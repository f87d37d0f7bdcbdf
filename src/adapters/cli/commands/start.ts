import { gatewaySettings } from '../../system/gateway-settings.js'
import { nodeSettings } from '../../system/settings.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { gatewayOptions, startOptions } from '../parse/node-options.js'
import { facts } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { GatewayHandle, NodeHandle } from '../session/cli-deps.js'
import type { Host, HostCommand } from '../session/host.js'
import { nodeLogger } from '../session/node-logger.js'
import { shellWord } from '../session/outcome-unknown.js'
import { SyncWatch } from '../session/sync-watch.js'
import { aborted, sleep } from '../session/waiting.js'
import { pausedLine } from './handover.js'

/** Without a terminal. */
const SYNC_LINE_INTERVAL_MS = 10_000

export const startCommand: HostCommand = {
  usage: 'start',
  audited: 'by itself',
  summary: 'Start a node, and keep it running until Ctrl-C.',
  options: {
    ...startOptions,
    ...gatewayOptions,
    'no-gateway': { kind: 'flag', describe: 'No HTTP and WebSocket gateway', group: 'Gateway:' },
  },
  examples: [
    ['start', 'the node "main", with a Grape of its own'],
    ['start --name alice', 'another one beside it'],
    ['start --grape http://127.0.0.1:30001', 'with a Grape that runs already'],
    ['start --open', 'and shows its web page in the browser'],
    ['start --http-port 9000', 'with its gateway, HTTP and WebSocket, on another port'],
    ['start --auth accounts', 'bidders log in at its gateway; see `vendue user --help`'],
    ['start --rpc 192.0.2.7:7000 --grape-host 192.0.2.7', 'for nodes on other machines'],
  ],
  notes:
    'Ports that are named must be free; the usual ones give way to others. Nothing listens beyond this machine unless an address is named.',
  run: start,
}

async function start(host: Host, args: Parameters<HostCommand['run']>[1]): Promise<ExitCode> {
  const { deps, io, out } = host
  const all = host.settings(args)
  const settings = nodeSettings(all)
  const ended = new AbortController()
  const syncWatch = new SyncWatch(out, {
    terminal: io.stderr,
    lineIntervalMs: SYNC_LINE_INTERVAL_MS,
    signal: ended.signal,
  })
  const before = () => syncWatch.makeWay()
  const logger = nodeLogger(settings.log, { stream: io.stderr, env: io.env, before })
  const node = await deps.createNode(settings, { logger })
  await node.start()
  let gateway: GatewayHandle | null = null
  try {
    if (all.values.gateway)
      gateway = await deps.startGateway(gatewaySettings(all), {
        api: node.api,
        feed: node.feed,
        audit: node.audit,
        ...(node.metrics && { metrics: node.metrics }),
        ...(node.stats && { stats: node.stats }),
        logger: logger.child({ part: 'gateway' }),
      })
    await announce(host, node, { dataDir: settings.dataDir, gateway })
    if (gateway && args.flag('open')) await showPage(host, gateway)
    void syncWatch.run(node)
    const grapeWatch = warnOfSilentGrape(host, node, settings.grape.mode)
    const end = await Promise.race([
      aborted(io.ended).then(() => 'ended' as const),
      node.stopRequested.then(() => 'stop' as const),
      node.failed,
    ])
    grapeWatch.abort()
    ended.abort()
    if (end instanceof Error) {
      out.note(`${out.look.paint.bad('the node has to stop:')} ${oneLine(end.message)}`)
      return EXIT.rejected
    }
    if (!out.json) out.note(end === 'stop' ? 'stopping, as an operator asked' : 'stopping')
    await printPaused(host, node)
    return EXIT.done
  } finally {
    ended.abort()
    // Requests under way are answered while there is still a node to answer them.
    await gateway?.stop()
    await node.stop()
  }
}

/** A stop does not wait longer than this. */
const STATUS_TIMEOUT_MS = 200

/** Says how many auctions pause from now on, and how they could have been handed over. */
export async function printPaused({ out }: Pick<Host, 'out'>, { api }: Pick<NodeHandle, 'api'>): Promise<void> {
  const inTime = new AbortController()
  const asked = api.status().then(
    (status) => status,
    // The node's own log has the cause; the stop goes on.
    () => null,
  )
  const status = await Promise.race([asked, sleep(STATUS_TIMEOUT_MS, inTime.signal).then(() => null)])
  inTime.abort()
  const line = status && pausedLine(status)
  if (line !== null && !out.json) out.note(line)
}

async function announce(
  { out, program }: Host,
  { api, info }: NodeHandle,
  { dataDir, gateway }: { dataDir: string; gateway: GatewayHandle | null },
): Promise<void> {
  const { grapeUrl } = await api.status()
  const { name, nodeId, address, dhtAddress, version } = info
  out.document({
    event: 'ready',
    node_id: nodeId,
    name,
    version,
    data_dir: dataDir,
    rpc: address,
    grape_url: grapeUrl,
    dht_address: dhtAddress,
    http: gateway?.url ?? null,
    auth: gateway && (gateway.open ? 'open' : 'accounts'),
    pid: process.pid,
  })
  const { paint } = out.look
  const reach = name === 'main' ? '' : ` --name ${shellWord(name)}`
  out.lines(
    ...facts([
      ['node', paint.bold(name)],
      ['id', nodeId],
      ['data', dataDir],
      ['rpc', address],
      ['grape', dhtAddress === null ? grapeUrl : `${grapeUrl} (embedded; DHT ${dhtAddress})`],
      ...(gateway ? [['http', gatewayText(gateway)] as const] : []),
    ]),
    `${paint.good('Ready')}: ${gateway ? `open ${paint.bold(gateway.url)} in a browser. ` : ''}Ctrl-C stops the node. Try in another terminal:`,
    `  ${program} open Pic#1 --start 75 --currency USDT${reach}`,
    `  ${program} list${reach}`,
    `  ${program} watch${reach}`,
  )
}

/** For `--open`. */
export async function showPage({ deps, out }: Pick<Host, 'deps' | 'out'>, { url }: GatewayHandle): Promise<void> {
  if (!(await deps.showInBrowser(url))) out.note(`no browser could be started here: open ${url} yourself`)
}

/** Where a gateway serves, and whom. */
export function gatewayText({ url, open, fellBack }: GatewayHandle): string {
  const trust = open ? ' (auth open: bidders’ names are taken on trust)' : ' (auth accounts)'
  return `${url}${fellBack ? ' (port 8080 is taken)' : ''}${trust}`
}

const GRAPE_PATIENCE_MS = 3_000
const GRAPE_POLL_MS = 250

/** Says so when a Grape elsewhere does not answer: the node goes on alone, which nobody would notice otherwise. */
export function warnOfSilentGrape(
  { out, io }: Pick<Host, 'out' | 'io'>,
  { api }: Pick<NodeHandle, 'api'>,
  mode: 'embedded' | 'url',
): AbortController {
  const done = new AbortController()
  if (mode === 'embedded') return done
  const wait = async () => {
    const deadline = performance.now() + GRAPE_PATIENCE_MS
    while (!done.signal.aborted && !io.ended.aborted) {
      const { grape, grapeUrl } = await api.status()
      if (grape === 'connected') return
      if (performance.now() > deadline) {
        const warning = `the Grape at ${oneLine(grapeUrl)} does not answer: the node goes on alone, and joins when it does`
        out.note(`${out.look.paint.warn('warning:')} ${warning}`)
        return
      }
      await sleep(GRAPE_POLL_MS, done.signal)
    }
  }
  wait().catch((error: Error) => {
    if (!done.signal.aborted && !io.ended.aborted) out.note(`warning: the Grape's state is unknown: ${error.message}`)
  })
  return done
}
