import { readRunningNode } from '../../system/running-nodes.js'
import { EXIT } from '../exit-code.js'
import type { HostCommand } from '../host.js'
import { reachOptions } from '../node-options.js'
import { RpcSession } from '../node-session.js'
import { oneLine } from '../terminal-text.js'
import { sleep } from '../waiting.js'

const STOP_DEADLINE_MS = 20_000
const POLL_MS = 50

export const stopCommand: HostCommand = {
  usage: 'stop',
  summary: 'Stop a running node cleanly.',
  options: reachOptions,
  examples: [
    ['stop', 'the node "main", or the only one that runs'],
    ['stop --name alice', 'another one'],
  ],
  async run(host, args) {
    const { out, io } = host
    const session = new RpcSession(host, args)
    try {
      const { node } = session.find()
      await (await session.api()).stop()
      const stopped = node !== null && (await hasStopped(node.dataDir, node.pid, io.ended))
      out.document({ name: node?.name ?? null, stopped })
      if (stopped) out.lines(`Node ${oneLine(node.name)} has stopped.`)
      else out.lines('The node was asked to stop.')
      return EXIT.done
    } finally {
      await session.close()
    }
  },
}

async function hasStopped(dataDir: string, pid: number, ended: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + STOP_DEADLINE_MS
  while (!ended.aborted && performance.now() < deadline) {
    if (readRunningNode(dataDir)?.pid !== pid) return true
    await sleep(POLL_MS, ended)
  }
  return false
}
