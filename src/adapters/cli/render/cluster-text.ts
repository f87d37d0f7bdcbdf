import { timeText } from '../../../application/log/time-text.js'
import type { ClusterMember, ClusterStatus, Takeover } from '../../../ports/node/cluster-status.js'
import { type Look, showSpan } from './look.js'
import { table } from './table.js'
import { oneLine } from './terminal-text.js'

/** What `vendue status` says of the cluster: name and words of each. */
export function clusterFacts(cluster: ClusterStatus | null, paint: Look['paint']): [string, string][] {
  if (cluster === null) return []
  const { nodes, takenOver, disputed, healed } = cluster
  const alive = nodes.filter(({ state }) => state === 'alive').length
  const counts = [
    `${alive} of ${nodes.filter(({ state }) => state !== 'left').length} nodes alive`,
    ...(takenOver > 0 ? [`took over ${takenOver}`] : []),
    ...(disputed.length > 0 ? [paint.bad(`${disputed.length} disputed, which nobody takes over`)] : []),
    ...(healed > 0 ? [`put back ${healed} ${healed === 1 ? 'commit' : 'commits'}`] : []),
  ]
  return [
    ['cluster', counts.join(', ')],
    ['shared log', logWords(cluster, paint)],
  ]
}

function logWords({ log: { connectedTo, outage } }: ClusterStatus, paint: Look['paint']): string {
  if (outage === null) return connectedTo === null ? 'connecting' : oneLine(connectedTo)
  const since = timeText(outage.since)
  return paint.bad(`${outage.code} since ${since}: ${oneLine(outage.why)}. Nothing is acknowledged meanwhile`)
}

/** What `vendue cluster nodes` shows. */
export function clusterLines(cluster: ClusterStatus, { paint }: Look): string[] {
  const { nodes, takeovers, takenOver, disputed } = cluster
  return [
    ...clusterFacts(cluster, paint).map(([name, words]) => `${name}: ${words}`),
    ...table(nodes, [
      { title: 'NAME', cell: ({ name }) => oneLine(name) },
      { title: 'STATE', cell: ({ state }) => stateWord(state, paint) },
      { title: 'BEAT', cell: ({ beatAgeMs }) => (beatAgeMs === null ? '' : `${showSpan(beatAgeMs)} ago`) },
      { title: 'ADDRESS', cell: ({ address }) => oneLine(address) },
      { title: 'NODE', cell: ({ nodeId }) => nodeId },
    ]),
    ...takeovers.map(takeoverLine),
    ...(takenOver > takeovers.length ? [`and ${takenOver - takeovers.length} before`] : []),
    ...disputed.map((id) =>
      paint.bad(`${id} is disputed: its dead home has signed two histories; see vendue show ${id}`),
    ),
  ]
}

function takeoverLine({ auctionId, at, from, why }: Takeover): string {
  return `took over ${auctionId} from ${oneLine(from.name ?? from.nodeId)} at ${timeText(at)}: ${oneLine(why)}`
}

function stateWord(state: ClusterMember['state'], paint: Look['paint']): string {
  if (state === 'alive') return paint.good(state)
  return state === 'dead' ? paint.bad(state) : state
}
