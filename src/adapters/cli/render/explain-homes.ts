import { type Json, jsonTime } from '../../../application/gateway/json-shapes.js'
import { timeText } from '../../../application/log/time-text.js'
import type { LoggedHome, LoggedTakeover, LogSummary } from '../../../application/proof/verify-log.js'
import { oneLine } from './terminal-text.js'

/** The home; if the auction moved, all homes in order. */
export function homeFacts({ homes, state }: LogSummary): [string, string][] {
  const words = homes.map(({ nodeId, since, takenOver }, i) => {
    const name = nodeId === state.seller.id ? `${oneLine(state.seller.name)}, ` : ''
    const last = homes[i + 1]?.since.seq
    if (homes.length === 1) return `${name}${nodeId}`
    const taken = takenOver === null ? '' : ', which took it over'
    return `${name}${nodeId}${taken}, ${last === undefined ? `since seq ${since.seq}` : `up to seq ${last}`}`
  })
  return words.map((text, i) => [i === 0 ? (words.length === 1 ? 'home' : 'homes') : '', text])
}

/** Where the home changes: who it is, and why. */
export function movedLine({ nodeId, since, takenOver }: LoggedHome): string {
  const start = `seq ${since.seq}:`
  if (takenOver === null) return `${start} its home hands it over to ${nodeId}, which decides from here on`
  const { why, silentSince, extended } = takenOver
  const moved =
    extended === null
      ? ''
      : `; the end moves from ${timeText(extended.from)} to ${timeText(extended.to)}, so that nobody loses it`
  return `${start} ${nodeId} takes it over, as its cluster signs, and decides from here on; it says that ${TAKEN_BECAUSE[why](timeText(silentSince))}${moved}`
}

const TAKEN_BECAUSE: Readonly<Record<LoggedTakeover['why'], (silentSince: string) => string>> = {
  'home-dead': (since) => `the home before was last heard of at ${since}`,
  'home-left': () => 'the home before has left the cluster',
}

export function homesJson({ homes }: LogSummary): Json {
  return homes.map(({ nodeId, publicKey, since, takenOver }) => ({
    node_id: nodeId,
    public_key: publicKey,
    since_seq: since.seq,
    since: jsonTime(since.at),
    taken_over: takenOver && {
      why: takenOver.why,
      silent_since: jsonTime(takenOver.silentSince),
      closes_at: jsonTime(takenOver.extended?.to ?? null),
    },
  }))
}
