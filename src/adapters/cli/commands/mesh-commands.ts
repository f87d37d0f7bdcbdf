import { statusJson } from '../../../application/gateway/json-shapes.js'
import { timeText } from '../../../application/log/time-text.js'
import type { ClockDoubt, NodeStatus, PeerWait } from '../../../ports/node/node-status.js'
import type { NodeCommand } from '../parse/command.js'
import { EXIT } from '../parse/exit-codes.js'
import { budgetText } from '../render/budget-text.js'
import { clusterFacts } from '../render/cluster-text.js'
import { consumerFacts } from '../render/consumer-text.js'
import { type Look, showSpan } from '../render/look.js'
import { disagreements, syncText } from '../render/sync-text.js'
import { facts } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import { othersTakeOver } from './handover.js'

export const statusCommand: NodeCommand = {
  usage: 'status',
  summary: 'Show how the node is.',
  examples: [['status', 'addresses, peers, auctions']],
  async run({ api, out }) {
    const status = await (await api()).status()
    out.document(statusJson(status))
    out.lines(...statusLines(status, out.look))
    return EXIT.done
  },
}

function statusLines({ node, ...status }: NodeStatus, { paint }: Look): string[] {
  const { peers, auctions } = status
  const grape = status.grape === 'connected' ? paint.good('connected') : paint.bad('unreachable')
  const count = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([state, amount]) => `${amount} ${state}`)
      .join(', ')
  return [
    paint.bold(oneLine(node.name)),
    ...facts([
      ['node', node.nodeId],
      ['version', node.version],
      ['rpc', node.address],
      ['grape', `${status.grapeUrl} (${grape})`],
      ['dht', node.dhtAddress ?? 'of another Grape'],
      ['data', status.dataDir],
      ['peers', count({ ...peers })],
      ['auctions', count(auctions)],
      ['home of', ownWords({ node, ...status })],
      ['bids', String(status.bids)],
      ['sync', status.sync.state === 'incomplete' ? paint.bad(syncText(status.sync)) : syncText(status.sync)],
      ...disagreements(status.sync),
      ['mesh', `${status.mesh.meshId}, ${status.mesh.members} members`],
      ...conflictFacts(status.mesh, paint),
      ...clusterFacts(status.cluster, paint),
      ...consumerFacts(status.consumers, paint),
      ...status.held.map(
        ({ auctionId, why, next }) =>
          ['held', paint.bad(`${auctionId}: ${oneLine(why)}. Next: ${oneLine(next)}`)] as const,
      ),
      ...(status.peerWait ? [['waiting', paint.warn(waitWords(status.peerWait))] as const] : []),
      ...(status.clockDoubt ? [['clock', paint.warn(clockWords(status.clockDoubt))] as const] : []),
      ['tls', status.handshakes ? `handshakes: ${count({ ...status.handshakes })}` : paint.bad('switched off')],
      ['budgets', budgetText(status.budgets)],
      ['up', `${showSpan(status.uptimeMs)}, process ${status.pid}`],
    ]).map((line) => `  ${line}`),
  ]
}

function conflictFacts({ conflict }: NodeStatus['mesh'], paint: Look['paint']): [string, string][] {
  if (conflict === null) return []
  const words = `two histories from entry ${conflict.seq} on: the authority's key is used in two places`
  return [['member list', paint.bad(words)]]
}

function waitWords({ peers, until }: PeerWait): string {
  return `writes nothing before ${timeText(until)}, or until one of its peers answers, which may hold more of its auctions: ${peers.map(oneLine).join(', ')}`
}

function clockWords({ aheadMs, countsInMs, holds }: ClockDoubt): string {
  const off = `${showSpan(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} the time that has passed`
  const held =
    holds === 0 ? '' : `; holds ${holds} ${holds === 1 ? 'auction' : 'auctions'} that would start or end by it`
  return `${off}: set it right, or let it stand, and it counts in ${showSpan(countsInMs)}${held}`
}

function ownWords(status: NodeStatus): string {
  const { ownLive: live } = status
  if (live === 0) return 'none that is waiting or open'
  if (othersTakeOver(status)) return `${live} that others of the cluster take over if this node dies`
  return `${live} that ${live === 1 ? 'pauses' : 'pause'} without this node`
}
