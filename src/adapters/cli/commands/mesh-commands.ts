import type { NodeStatus } from '../../../ports/node-api.js'
import type { NodeCommand } from '../command.js'
import { EXIT } from '../exit-code.js'
import { peerJson, statusJson } from '../json-shapes.js'
import { type Look, relative, showSpan } from '../look.js'
import { facts, table } from '../table.js'
import { oneLine, truncate } from '../terminal-text.js'

const NAME_COLUMNS = 20

export const peersCommand: NodeCommand = {
  usage: 'peers',
  summary: 'List the other nodes of the mesh, and how they are.',
  examples: [['peers', 'name, address and state of each']],
  async run({ api, out }) {
    const peers = await (await api()).peers()
    out.document({ peers: peers.map(peerJson) })
    if (peers.length === 0) {
      out.lines('No other node has been met yet: start one more, or see `status` whether the Grape answers.')
      return EXIT.done
    }
    const { now, paint } = out.look
    const states = { alive: paint.good, suspect: paint.warn, dead: paint.bad, left: paint.dim }
    out.lines(
      ...table(peers, [
        { title: 'NAME', cell: ({ name }) => truncate(oneLine(name), NAME_COLUMNS) },
        { title: 'STATE', cell: ({ state }) => states[state](state) },
        { title: 'ADDRESS', cell: ({ address }) => oneLine(address) },
        { title: 'LAST SEEN', cell: ({ lastSeenAt }) => relative(Math.min(0, lastSeenAt - now())) },
        {
          title: 'ROUND TRIP',
          cell: ({ roundTripMs }) => (roundTripMs === null ? '' : `${roundTripMs.toFixed(1)} ms`),
          align: 'right',
        },
        { title: 'VERSION', cell: ({ version }) => oneLine(version) },
        { title: 'NODE', cell: ({ nodeId }) => oneLine(nodeId) },
      ]),
    )
    return EXIT.done
  },
}

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
      ['bids', String(status.bids)],
      ['up', `${showSpan(status.uptimeMs)}, process ${status.pid}`],
    ]).map((line) => `  ${line}`),
  ]
}
