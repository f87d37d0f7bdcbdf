import { peerJson } from '../../../application/gateway/json-shapes.js'
import type { PeerView } from '../../../ports/node/node-info.js'
import type { Args } from '../parse/args.js'
import type { NodeCommand, Session } from '../parse/command.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { type Look, relative } from '../render/look.js'
import { table } from '../render/table.js'
import { oneLine, truncate } from '../render/terminal-text.js'
import { sleep, unlessAborted } from '../session/waiting.js'
import { isAway } from './watch.js'

const NAME_COLUMNS = 20
const REFRESH_MS = 1_000
/** How long the command waits for a lost node. */
const GIVE_UP_MS = 60_000

export const peersCommand: NodeCommand = {
  usage: 'peers',
  summary: 'List the other nodes of the mesh, and how they are.',
  options: { watch: { kind: 'flag', describe: 'Keep the list up to date, until Ctrl-C' } },
  examples: [
    ['peers', 'name, address and state of each'],
    ['peers --watch', 'the same, live'],
    ['peers --watch --json', 'a line for each peer, then one for each change'],
  ],
  notes:
    'alive: answers. suspect: did not answer, and is given a moment. dead: given up, until it shows itself again.\nleft: said goodbye.',
  run: peers,
}

async function peers(session: Session, args: Args): Promise<ExitCode> {
  const { api, out, prefix } = session
  if (args.flag('watch')) {
    if (prefix === '') {
      throw args.wrong('watch', 'is not for the prompt', 'run vendue peers --watch in another terminal')
    }
    return watchPeers(session)
  }
  const list = await (await api()).peers()
  out.document({ peers: list.map(peerJson) })
  out.lines(...peerLines(list, out.look))
  return EXIT.done
}

export function peerLines(list: readonly PeerView[], { now, paint }: Look): string[] {
  if (list.length === 0) {
    return ['No other node has been met yet: start one more, or see `status` whether the Grape answers.']
  }
  const states = { alive: paint.good, suspect: paint.warn, dead: paint.bad, left: paint.dim }
  return table(list, [
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
  ])
}

async function watchPeers(session: Session): Promise<ExitCode> {
  const { ended, out } = session
  const shown = new Map<string, string>()
  let lostAt: number | null = null
  // The first call fails as any command does: there is nothing to wait for yet.
  let list: readonly PeerView[] | null = await (await session.api()).peers()
  while (!ended.aborted) {
    if (list !== null) show(session, list, shown)
    await sleep(REFRESH_MS, ended)
    if (ended.aborted) break
    try {
      list = await unlessAborted((await session.api()).peers(), ended)
      if (lostAt !== null) out.note(out.look.paint.dim('the node is back'))
      lostAt = null
    } catch (error) {
      if (!isAway(error)) throw error
      list = null
      if (lostAt === null) out.note(out.look.paint.warn('the node does not answer; waiting for it'))
      lostAt ??= performance.now()
      if (performance.now() - lostAt > GIVE_UP_MS) throw error
      await session.reconnect()
    }
  }
  return EXIT.done
}

/** Programs and files get only changes; a terminal shows the passing times as well. */
function show({ out }: Session, list: readonly PeerView[], shown: Map<string, string>): void {
  const changed = list.filter((peer) => {
    const what = `${peer.state} ${peer.address} ${peer.incarnation}`
    if (shown.get(peer.nodeId) === what) return false
    shown.set(peer.nodeId, what)
    return true
  })
  for (const peer of changed) out.document(peerJson(peer))
  if (changed.length > 0 || out.isTerminal) out.live(peerLines(list, out.look))
}
