import { rendezvous } from '../../../application/cluster/rendezvous.js'
import { clusterJson, jsonTime } from '../../../application/gateway/json-shapes.js'
import { timeText } from '../../../application/log/time-text.js'
import { nobodyTakesOver } from '../../../application/members/cluster-errors.js'
import type {
  ClusterAdmin,
  ClusterInvitation,
  ClusterSummary,
  InviteOptions,
} from '../../../ports/members/cluster-admin.js'
import type { ClusterStatus } from '../../../ports/node/cluster-status.js'
import { NodeError } from '../../../ports/node/node-error.js'
import type { NodeStatus } from '../../../ports/node/node-status.js'
import { type RunningNode, readRunningNode } from '../../system/running-nodes.js'
import { nodeSettings } from '../../system/settings.js'
import { SettingsError } from '../../system/settings-error.js'
import type { Args } from '../parse/args.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { sharedLogOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { clusterLines } from '../render/cluster-text.js'
import { facts } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { Host, HostCommand } from '../session/host.js'
import { RpcSession } from '../session/node-session.js'
import { carryOut, type Move, ownAuctions } from './handover.js'
import { namedAction } from './named-action.js'
import { hasStopped } from './stop.js'

const ACTIONS = {
  init,
  invite,
  join,
  nodes,
  rebalance,
  leave,
  'rotate-key': rotateKey,
} satisfies Record<string, Action>

type Action = (context: Context) => Promise<ExitCode>

interface Context {
  readonly host: Host
  readonly args: Args
}

const HOUR_MS = 3_600_000
const MAX_USES = 1_000
const MAX_LIFE_MS = 30 * 24 * HOUR_MS

export const clusterCommand: HostCommand = {
  usage: 'cluster <action> [token]',
  audited: (args) => {
    const action = args.need('action')
    return action === 'nodes' ? null : { act: `cluster.${action}`, in: 'data' }
  },
  summary: 'Nodes that share a log: init, invite, join TOKEN, nodes, rebalance, leave, rotate-key.',
  positionals: { action: Object.keys(ACTIONS).join(', '), token: 'join: what `cluster invite` printed' },
  options: {
    ...sharedLogOptions,
    uses: { kind: 'text', describe: 'invite, rotate-key: how many nodes may join with the token; 1 otherwise' },
    expires: {
      kind: 'text',
      describe: 'invite, rotate-key: how long the token is good for, such as 10m; 1h otherwise',
    },
    name: { kind: 'text', describe: 'The node of this name; main otherwise' },
    data: { kind: 'text', describe: 'The node on this data directory; nodes/NAME in VENDUE_HOME otherwise' },
  },
  examples: [
    ['cluster init --shared-log postgres://vendue@db1,db2/vendue', 'on the first node'],
    ['cluster invite --uses 2', 'prints a token that brings the key to two nodes, for an hour'],
    ['cluster join vendue-cluster1.eyJjI...', 'on each of them; then start it with --shared-log'],
    ['cluster nodes', 'who is alive, and what was taken over'],
    ['cluster rebalance', 'gives auctions to the nodes that they would be on if all had started today'],
    ['cluster leave', 'stops the node, which takes no part any more'],
    ['cluster rotate-key --uses 2', 'another key for the cluster, and a token that brings it to the others'],
  ],
  notes:
    'The nodes of a cluster keep their log in one PostgreSQL. When a node dies, another one takes its auctions over within seconds. All of them are members of one mesh, and each has the key of the cluster in its data directory (cluster.key). VENDUE_SHARED_LOG and "shared_log" in the config file name the log as well as --shared-log does.',
  async run(host, args) {
    const action = namedAction<Action>(ACTIONS, args)
    if (args.has('token') && action !== join)
      throw new UsageError(`cluster ${args.need('action')} takes nothing more`, {
        field: 'token',
        next: 'leave it out',
      })
    return action({ host, args })
  },
}

async function init({ host, args }: Context): Promise<ExitCode> {
  const { out, program } = host
  const made = await (await adminOf({ host, args })).init()
  out.document({ ...summaryJson(made), is_new: made.isNew })
  const { bold } = out.look.paint
  out.lines(
    `${bold(made.isNew ? 'Made a cluster' : 'This node belongs to its cluster already')}`,
    ...summaryLines(made),
  )
  out.note(`next: \`${program} cluster invite\` for other nodes; start this one with --shared-log`)
  return EXIT.done
}

async function invite({ host, args }: Context): Promise<ExitCode> {
  const made = await (await adminOf({ host, args })).invite(inviteOptions(args))
  host.out.document(invitationJson(made))
  sayInvitation(host, made)
  return EXIT.done
}

async function join({ host, args }: Context): Promise<ExitCode> {
  const { out, program } = host
  const joined = await (await adminOf({ host, args })).join(args.need('token'))
  out.document({ ...summaryJson(joined), was: joined.was })
  const words = {
    none: 'Joined the cluster',
    older: 'This node has the cluster’s new key; it goes by it at once, where it runs',
    same: 'This node had that key already',
  }
  out.lines(out.look.paint.good(words[joined.was]), ...summaryLines(joined))
  if (joined.was === 'none') out.note(`next: \`${program} start --shared-log ${joined.log}\``)
  return EXIT.done
}

async function nodes({ host, args }: Context): Promise<ExitCode> {
  const { out } = host
  return withSession({ host, args }, async ({ api }) => {
    const { cluster } = memberOf(await (await api()).status())
    out.document(clusterJson(cluster))
    out.lines(...clusterLines(cluster, out.look))
    return EXIT.done
  })
}

/** Of this node's auctions, those that another one would have if the cluster's nodes had all started today. */
async function rebalance({ host, args }: Context): Promise<ExitCode> {
  const { out } = host
  return withSession({ host, args }, async (session) => {
    const api = await session.api()
    const { cluster, node } = memberOf(await api.status())
    const alive = new Map(cluster.nodes.filter(({ state }) => state === 'alive').map((one) => [one.nodeId, one.name]))
    const moves = (await ownAuctions(api)).flatMap((view): Move[] => {
      const [peer = node.nodeId] = rendezvous(view.auctionId, [...alive.keys()])
      if (view.state.cluster === null || peer === node.nodeId) return []
      return [{ view, peer, peerName: alive.get(peer) ?? peer }]
    })
    if (moves.length === 0) out.lines('The auctions of this node are where they belong.')
    const { failed } = await carryOut(session, moves)
    return failed > 0 ? EXIT.unreachable : EXIT.done
  })
}

async function leave({ host, args }: Context): Promise<ExitCode> {
  const { out, program } = host
  const admin = await adminOf({ host, args })
  const running = readRunningNode(host.settings(args).values.data)
  if (running !== null) await stopSafely({ host, args }, running)
  const left = await admin.leave()
  out.document(summaryJson(left))
  out.lines('This node has left its cluster; others have its auctions.')
  out.note('It starts without --shared-log from now on.')
  out.note(`It had the key: should others have seen that, run \`${program} cluster rotate-key\` on a node that stays.`)
  return EXIT.done
}

/** Not where its auctions would stand still. */
async function stopSafely(context: Context, { dataDir, pid }: RunningNode): Promise<void> {
  const { host } = context
  await withSession(context, async ({ api }) => {
    const status = await (await api()).status()
    const others = memberOf(status).cluster.nodes.filter(({ state }) => state === 'alive').length > 1
    if (status.ownLive > 0 && !others) throw nobodyTakesOver()
    await (await api()).stop()
  })
  if (await hasStopped(dataDir, pid, host.io.ended)) return
  throw new NodeError('NODE_UNREACHABLE', 'the node has been asked to stop, and still runs', {
    next: 'ask again once it has stopped',
  })
}

async function rotateKey({ host, args }: Context): Promise<ExitCode> {
  const { out } = host
  const made = await (await adminOf({ host, args })).rotateKey(inviteOptions(args))
  out.document({ ...summaryJson(made), ...invitationJson(made) })
  out.lines('The cluster has another key.', ...summaryLines(made))
  sayInvitation(host, made)
  out.note(
    'Run it on every other node, running or not: a node with the old key takes nothing over that knows the new one.',
  )
  return EXIT.done
}

/** The node and its log, as the settings have them. */
function adminOf({ host, args }: Context): Promise<ClusterAdmin> {
  const { dataDir, sharedLog } = nodeSettings(host.settings(args))
  if (sharedLog !== undefined) return host.deps.clusterAdmin({ dataDir, sharedLog })
  throw new SettingsError(
    'shared_log',
    'no shared log is named',
    'give --shared-log postgres://USER@HOST/DATABASE, or set VENDUE_SHARED_LOG',
  )
}

async function withSession<T>({ host, args }: Context, work: (session: RpcSession) => Promise<T>): Promise<T> {
  const session = new RpcSession(host, args)
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

function memberOf(status: NodeStatus): NodeStatus & { readonly cluster: ClusterStatus } {
  const { cluster, node } = status
  if (cluster !== null) return { ...status, cluster }
  throw new NodeError('NO_CLUSTER', `the node ${oneLine(node.name)} belongs to no cluster`, {
    next: 'name another one with --name, or start this one with --shared-log',
  })
}

function inviteOptions(args: Args): InviteOptions {
  const lifeMs = args.durationMs('expires') ?? HOUR_MS
  if (lifeMs === 0 || lifeMs > MAX_LIFE_MS) throw args.wrong('expires', 'must be from 1s to 30 days')
  return { uses: args.int('uses', 1, MAX_USES) ?? 1, lifeMs }
}

function sayInvitation({ out, program }: Host, { token, uses, expiresAt }: ClusterInvitation): void {
  out.lines(token)
  const whom = uses === 1 ? 'one node' : `up to ${uses} nodes`
  out.note(`It brings the key to ${whom} until ${timeText(expiresAt)}: ${program} cluster join TOKEN --shared-log URL`)
}

function invitationJson({ token, uses, expiresAt }: ClusterInvitation) {
  return { token, uses, expires_at: jsonTime(expiresAt) }
}

function summaryJson({ cluster, key, log, nodeId }: ClusterSummary) {
  return { cluster, key, shared_log: log, node_id: nodeId }
}

function summaryLines({ cluster, key, log, nodeId }: ClusterSummary): string[] {
  return facts([
    ['cluster', cluster],
    ...(key === cluster ? [] : [['key', key] as const]),
    ['shared log', oneLine(log)],
    ['node', nodeId],
  ]).map((line) => `  ${line}`)
}
