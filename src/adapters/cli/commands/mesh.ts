import { jsonTime } from '../../../application/gateway/json-shapes.js'
import { timeText } from '../../../application/log/time-text.js'
import { MEMBER_ROLES, type MemberRole } from '../../../ports/members/member.js'
import type { MeshAdmin, MeshSummary } from '../../../ports/members/mesh-admin.js'
import { isLoopbackName } from '../../system/ip-address.js'
import { parseListenAddress } from '../../system/settings-schema.js'
import type { Args } from '../parse/args.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { startOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { facts, table } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { Host, HostCommand } from '../session/host.js'
import { namedAction } from './named-action.js'

const ACTIONS = {
  init,
  invite,
  join,
  members,
  revoke,
  'rotate-ca': rotateCa,
} satisfies Record<string, Action>

type Action = (context: Context) => Promise<ExitCode>

interface Context {
  readonly host: Host
  readonly args: Args
  readonly admin: MeshAdmin
  readonly meshName: string
}

const DAY_MS = 86_400_000
const MAX_USES = 1_000
const MAX_LIFE_MS = 365 * DAY_MS

export const meshCommand: HostCommand = {
  usage: 'mesh <action> [what]',
  audited: (args) => {
    const action = args.need('action')
    if (action === 'members') return null
    // What follows join is a token.
    return { act: `mesh.${action}`, in: 'data', about: action === 'revoke' ? args.text('what') : args.text('role') }
  },
  summary: 'Who belongs to a mesh: init, invite, join TOKEN, members, revoke MEMBER, rotate-ca.',
  positionals: {
    action: Object.keys(ACTIONS).join(', '),
    what: 'join: the token; revoke: a name, or a node id or its beginning',
  },
  options: {
    mesh: startOptions.mesh as NonNullable<(typeof startOptions)['mesh']>,
    role: {
      kind: 'text',
      describe: `invite: what the new member may be: ${MEMBER_ROLES.join(', ')}; node otherwise`,
      suggest: MEMBER_ROLES,
    },
    uses: { kind: 'text', describe: 'invite: how many may join with the token; 1 otherwise' },
    expires: { kind: 'text', describe: 'invite: how long the token is good for, such as 2h; 24h otherwise' },
    address: {
      kind: 'text',
      describe: 'invite: HOST:PORT,... at which members are reached from outside; join: where this node will be',
    },
    name: { kind: 'text', describe: 'join: what the node is called; main otherwise' },
    data: { kind: 'text', describe: 'join, members: data directory; nodes/NAME in VENDUE_HOME otherwise' },
  },
  examples: [
    ['mesh init --mesh fair', 'on the first machine'],
    ['mesh invite --mesh fair', 'prints a token that lets one node in, for a day'],
    ['mesh invite --mesh fair --role replica --uses 5 --expires 2h', 'for five that only read and verify'],
    ['mesh join vendue1.eyJtI...', 'on another machine; then start its node'],
    ['mesh members', 'who belongs to it'],
    ['mesh revoke alice', 'puts a member out, for good'],
    ['mesh rotate-ca', 'a new key for the authority'],
  ],
  notes:
    'A node on one machine needs none of this: it makes the mesh and becomes a member by itself. The authority lies in meshes/NAME in VENDUE_HOME; invite, revoke and rotate-ca work where it is. Roles: node (homes auctions), replica (reads and verifies), gateway (acts for its accounts), operator (a command line that gives orders to nodes of other machines).',
  async run(host, args) {
    const action = namedAction<Action>(ACTIONS, args)
    const takesMore = action === join || action === revoke
    if (args.has('what') && !takesMore) {
      throw new UsageError(`mesh ${args.need('action')} takes nothing more`, { field: 'what', next: 'leave it out' })
    }
    const settings = host.settings(args)
    return action({
      host,
      args,
      admin: await host.deps.meshAdmin(settings.home),
      meshName: settings.values.mesh,
    })
  },
}

async function init({ host: { out }, admin, meshName }: Context): Promise<ExitCode> {
  const mesh = await admin.init(meshName)
  out.document({ ...summaryJson(mesh), is_new: mesh.isNew })
  out.lines(
    `${mesh.isNew ? 'Made the mesh' : 'There is the mesh'} ${out.look.paint.bold(mesh.meshName)}`,
    ...summaryLines(mesh),
  )
  return EXIT.done
}

async function invite({ host, args, admin, meshName }: Context): Promise<ExitCode> {
  const { out, program } = host
  const uses = args.int('uses', 1, MAX_USES) ?? 1
  const lifeMs = args.durationMs('expires') ?? DAY_MS
  if (lifeMs > MAX_LIFE_MS) throw args.wrong('expires', 'must be at most a year')
  const options = { role: roleOf(args), uses, lifeMs, addresses: addressesOf(args) }
  const made = await admin.invite(meshName, options)
  const { token, role, expiresAt, addresses } = made
  out.document({
    token,
    mesh: meshName,
    role,
    uses,
    expires_at: jsonTime(expiresAt),
    addresses,
  })
  out.lines(token)
  const whom = uses === 1 ? 'one' : `up to ${uses}`
  out.note(`It lets ${whom} in as ${role} until ${timeText(expiresAt)}: ${program} mesh join TOKEN`)
  if (addresses.every(isLoopbackName)) {
    out.note(
      'The nodes here listen on this machine only; for others start one with --rpc ADDRESS:PORT, then invite again.',
    )
  }
  return EXIT.done
}

async function join({ host, args, admin }: Context): Promise<ExitCode> {
  const { out, program } = host
  const { name, data: dataDir } = host.settings(args).values
  const joined = await admin.join(args.need('what'), { dataDir, name, addresses: addressesOf(args) })
  const { nodeId, role, notAfter, members: count, meshName } = joined
  out.document({
    ...summaryJson(joined),
    node_id: nodeId,
    name,
    role,
    members: count,
    data_dir: dataDir,
    certificate_expires_at: jsonTime(notAfter),
  })
  out.lines(
    `${out.look.paint.good('Joined')} the mesh ${out.look.paint.bold(oneLine(meshName))} as ${role}`,
    ...summaryLines(joined),
    ...facts([
      ['node', nodeId],
      ['members', String(count)],
    ]).map((line) => `  ${line}`),
  )
  const start = name === 'main' ? 'start' : `start --name ${name}`
  if (role !== 'operator') out.note(`next: \`${program} ${start}\``)
  return EXIT.done
}

async function members({ host, args, admin, meshName }: Context): Promise<ExitCode> {
  const { out } = host
  const mesh = await admin.members(meshName, host.settings(args).values.data)
  out.document({
    ...summaryJson(mesh),
    members: mesh.members.map(({ nodeId, name, role, addresses, publicKey }) => ({
      node_id: nodeId,
      name,
      role,
      addresses: [...addresses],
      public_key: publicKey,
    })),
    revoked: [...mesh.revoked],
  })
  out.lines(
    out.look.paint.bold(oneLine(mesh.meshName)),
    ...summaryLines(mesh),
    ...table(mesh.members, [
      { title: 'NAME', cell: ({ name }) => oneLine(name) },
      { title: 'ROLE', cell: ({ role }) => role },
      { title: 'ADDRESSES', cell: ({ addresses }) => oneLine(addresses.join(' ')) },
      { title: 'NODE', cell: ({ nodeId }) => nodeId },
    ]),
    ...mesh.revoked.map((nodeId) => `revoked: ${nodeId}`),
  )
  return EXIT.done
}

async function revoke({ host: { out }, args, admin, meshName }: Context): Promise<ExitCode> {
  const { nodeId, name, isHeard } = await admin.revoke(meshName, args.need('what'))
  out.document({ revoked: nodeId, name, mesh: meshName, heard: isHeard })
  out.lines(`${oneLine(name)} (${nodeId}) is out of the mesh ${oneLine(meshName)}, for good.`)
  out.note(
    isHeard
      ? 'A node of this machine has heard of it; the others do within seconds.'
      : 'No node of this mesh runs on this machine: the others let it in until you start one here.',
  )
  return EXIT.done
}

async function rotateCa({ host: { out }, admin, meshName }: Context): Promise<ExitCode> {
  const mesh = await admin.rotateCa(meshName)
  out.document(summaryJson(mesh))
  out.lines(
    'The mesh has a new authority; the old one is trusted until every member has a new certificate.',
    ...summaryLines(mesh),
  )
  return EXIT.done
}

function summaryJson({ meshId, meshName, caFingerprint, hasAuthority }: MeshSummary) {
  return { mesh_id: meshId, mesh: meshName, ca_fingerprint: caFingerprint, has_authority: hasAuthority }
}

function summaryLines({ meshId, caFingerprint, hasAuthority }: MeshSummary): string[] {
  return facts([
    ['mesh', meshId],
    ['authority', `${caFingerprint}${hasAuthority ? ' (on this machine)' : ''}`],
  ]).map((line) => `  ${line}`)
}

function roleOf(args: Args): MemberRole {
  const role = args.text('role') ?? 'node'
  if ((MEMBER_ROLES as readonly string[]).includes(role)) return role as MemberRole
  throw args.wrong('role', `must be one of ${MEMBER_ROLES.join(', ')}`)
}

function addressesOf(args: Args): string[] {
  const addresses = (args.text('address') ?? '').split(',').filter((address) => address !== '')
  if (addresses.length <= 8 && addresses.every((address) => (parseListenAddress(address)?.port ?? 0) > 0)) {
    return addresses
  }
  throw args.wrong('address', 'must be up to 8 addresses HOST:PORT, separated by commas')
}
