import type { MemberRole } from '../../../ports/members/member.js'

const PEERS: readonly MemberRole[] = ['node', 'replica', 'gateway']
const HOMES: readonly MemberRole[] = ['node', 'gateway']
const EVERYONE: readonly MemberRole[] = ['node', 'replica', 'gateway', 'operator']

/** Which roles of members may call what. `anybody` needs no certificate. */
const ACCESS: Readonly<Record<string, readonly MemberRole[] | 'anybody'>> = {
  'vendue.join': 'anybody',
  'vendue.renew-certificate': EVERYONE,
  'vendue.push-members': PEERS,
  'vendue.pull-members': EVERYONE,
  'vendue.hello': PEERS,
  'vendue.ping': PEERS,
  'vendue.ping-via': PEERS,
  'vendue.goodbye': PEERS,
  'vendue.heads': PEERS,
  'vendue.pull-commits': PEERS,
  'vendue.equivocation': PEERS,
  'vendue.digest': PEERS,
  'vendue.push-commits': HOMES,
  'vendue.pass-handover': HOMES,
  'vendue.submit': HOMES,
}
/** The node's user, with the token, and operators. */
const OPERATOR_PREFIX = 'vendue.node.'

export interface RpcAccess {
  readonly roles: readonly MemberRole[] | 'anybody'
  /** Whether the operator's token opens it too. */
  readonly byToken: boolean
}

/** Nobody may call what the table does not name. */
export function accessOf(rpc: string): RpcAccess {
  if (rpc.startsWith(OPERATOR_PREFIX)) return { roles: ['operator'], byToken: true }
  return { roles: ACCESS[rpc] ?? [], byToken: false }
}
