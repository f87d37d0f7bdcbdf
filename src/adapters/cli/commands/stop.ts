import { readRunningNode } from '../../system/running-nodes.js'
import { EXIT } from '../parse/exit-codes.js'
import { reachOptions } from '../parse/node-options.js'
import { oneLine } from '../render/terminal-text.js'
import type { HostCommand } from '../session/host.js'
import { RpcSession } from '../session/node-session.js'
import { sleep } from '../session/waiting.js'
import { handOverAll, pausedLine } from './handover.js'

const STOP_DEADLINE_MS = 20_000
const POLL_MS = 50

export const stopCommand: HostCommand = {
  usage: 'stop',
  audited: 'by the node',
  summary: 'Stop a running node cleanly.',
  options: {
    handover: {
      kind: 'text',
      describe: 'Hand the auctions of the node over to this peer first; it does not stop if some do not move',
    },
    ...reachOptions,
  },
  examples: [
    ['stop', 'the node "main", or the only one that runs'],
    ['stop --name alice', 'another one'],
    ['stop --handover bob', 'bob takes over its auctions, then it stops'],
  ],
  async run(host, args) {
    const { out, io } = host
    const session = new RpcSession(host, args)
    try {
      const { node } = session.find()
      const peer = args.text('handover')
      if (peer !== undefined && (await handOverAll(session, peer)).failed > 0) {
        out.lines('The node has not been stopped.')
        return EXIT.unreachable
      }
      const api = await session.api()
      const status = await api.status()
      await api.stop()
      const stopped = node !== null && (await hasStopped(node.dataDir, node.pid, io.ended))
      out.document({ name: node?.name ?? null, stopped, paused_auctions: status.ownLive })
      if (stopped) out.lines(`Node ${oneLine(node.name)} has stopped.`)
      else out.lines('The node was asked to stop.')
      const paused = pausedLine(status)
      if (paused !== null) out.lines(paused)
      return EXIT.done
    } finally {
      await session.close()
    }
  },
}

/** Whether the node's process has let go of its data directory, within some time. */
export async function hasStopped(dataDir: string, pid: number, ended: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + STOP_DEADLINE_MS
  while (!ended.aborted && performance.now() < deadline) {
    if (readRunningNode(dataDir)?.pid !== pid) return true
    await sleep(POLL_MS, ended)
  }
  return false
}
