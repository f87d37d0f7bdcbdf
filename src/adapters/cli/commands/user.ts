import { AccountError } from '../../../application/accounts/account-error.js'
import { isPseudonym } from '../../../application/accounts/pseudonym.js'
import { type Json, jsonTime } from '../../../application/gateway/json-shapes.js'
import { timeText } from '../../../application/log/time-text.js'
import type { Account } from '../../../ports/accounts/account-repository.js'
import { ROLES } from '../../../ports/accounts/caller.js'
import type { Args } from '../parse/args.js'
import { EXIT } from '../parse/exit-codes.js'
import { gatewayOptions, startOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { showTime } from '../render/look.js'
import { table } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { AccountsHandle } from '../session/cli-deps.js'
import type { Host, HostCommand, LocalAct } from '../session/host.js'
import { readNewPassword } from '../session/read-password.js'

/** Accounts that are read at a time. */
const PAGE = 500

type Act = (host: Host, args: Args, handle: AccountsHandle) => Promise<void>

const ACTIONS: Readonly<Record<string, Act>> = {
  async add({ out, io }, args, { accounts }) {
    const name = args.need('user')
    const roles = args.has('roles') ? rolesOf(args) : ['bidder', 'seller']
    const email = args.text('email')
    const password = await readNewPassword(io)
    const account = await accounts.add({ name, password, ...(email !== undefined && { email }) }, roles)
    out.document(accountJson(account))
    out.lines(`${account.name} can log in now, as ${account.roles.join(', ')}.`)
  },
  async list({ out }, args, { accounts }) {
    if (args.has('user')) throw new UsageError('"user list" takes no name')
    const all: Account[] = []
    for (let page: readonly Account[] = []; ; ) {
      page = await accounts.list(page.at(-1)?.name ?? null, PAGE)
      all.push(...page)
      if (page.length < PAGE) break
    }
    out.document({ users: all.map(accountJson) })
    if (all.length === 0) out.lines('There are no accounts yet; `vendue user add NAME` makes one.')
    else out.lines(...accountTable(all))
  },
  async role({ out }, args, { accounts }) {
    const account = await accounts.setRoles(args.need('user'), rolesOf(args))
    out.document(accountJson(account))
    out.lines(`${account.name} is ${account.roles.join(', ')} from now on.`)
  },
  async disable({ out }, args, { accounts }) {
    const account = await accounts.disable(args.need('user'))
    out.document(accountJson(account))
    out.lines(`${account.name} is disabled; all logins have ended, and API keys are refused.`)
  },
  async enable({ out }, args, { accounts }) {
    const account = await accounts.enable(args.need('user'))
    out.document(accountJson(account))
    out.lines(`${account.name} can log in again.`)
  },
  async password({ out, io }, args, { accounts }) {
    const { name } = await accounts.get(args.need('user'))
    const account = await accounts.setPassword(name, await readNewPassword(io))
    out.document(accountJson(account))
    out.lines(`${account.name} has a new password; all logins have ended.`)
  },
  async who({ out }, args, { pseudonyms }) {
    const pseudonym = args.need('user')
    if (!isPseudonym(pseudonym)) {
      throw new UsageError('USER must be the id of a pseudonym, such as anon_7k2m9x4c0h3t5v8w', {
        field: 'user',
        next: '`vendue show AUCTION --json` has the id of its winner',
      })
    }
    const found = await pseudonyms.behind(pseudonym, null)
    if (!found) {
      throw new AccountError('ACCOUNT_NOT_FOUND', `no account of this gateway has bid as ${pseudonym}`, {
        next: 'ask who runs the other gateways of the mesh: each knows its own',
      })
    }
    const { account, auctionId } = found
    out.document({ pseudonym, auction_id: auctionId, user: accountJson(account) })
    out.lines(`${pseudonym} is ${account.name} (${account.id}), in ${auctionId}.`)
  },
  async 'rotate-key'({ out }, args, handle) {
    for (const name of ['user', 'roles'])
      if (args.has(name)) throw new UsageError('"user rotate-key" takes no name: the key is the gateway\'s')
    const { keyId, retired, dropped } = handle.rotateTokenKey({ dropOld: args.flag('now') })
    out.document({
      key_id: keyId,
      retired: retired.map(({ keyId: id, goodUntil }) => ({ key_id: id, good_until: jsonTime(goodUntil) })),
      dropped: [...dropped],
    })
    const last = Math.max(...retired.map(({ goodUntil }) => goodUntil))
    out.lines(
      `Key ${keyId} signs access tokens from now on.`,
      retired.length === 0
        ? 'Those that were out are refused; clients get others with their refresh tokens.'
        : `Those that are out stay good until they expire, at ${showTime(last, out.look)} the last.`,
      'Nobody has to log in again. API keys, refresh tokens and pseudonyms are as they were.',
    )
  },
}

export const userCommand: HostCommand = {
  usage: 'user <action> [user] [roles]',
  audited: (args) => accountAct(args, 'account', 'user', ['list', 'who']),
  summary: "Make and change a gateway's accounts.",
  positionals: {
    action: Object.keys(ACTIONS).join(', '),
    user: 'Name, e-mail address or id; for who: the id of a pseudonym',
    roles: `For add and role: of ${ROLES.join(', ')}, separated by commas; bidder,seller otherwise`,
  },
  options: {
    name: startOptions.name as NonNullable<typeof startOptions.name>,
    data: startOptions.data as NonNullable<typeof startOptions.data>,
    'accounts-dir': gatewayOptions['accounts-dir'] as NonNullable<(typeof gatewayOptions)[string]>,
    email: { kind: 'text', describe: 'With add: an address to log in with' },
    now: {
      kind: 'flag',
      describe: 'With rotate-key: refuse what older keys have signed at once, as after a theft',
    },
  },
  examples: [
    ['user add alice', 'asks for the password'],
    ['user add boss admin', 'an admin; only operators make those'],
    ['user role alice bidder', 'takes the right to sell away'],
    ['user disable mallory', 'at once, wherever they are logged in'],
    ['user list --json', 'for programs'],
    ['user who anon_7k2m9x4c0h3t5v8w2d6f0g1j3k', 'whose pseudonym it is; sellers ask /winner'],
    ['user rotate-key', 'another key signs access tokens; those that are out live to their end'],
    ['user rotate-key --now', 'gateway.keys may have been seen: those that are out are refused'],
  ],
  notes:
    'Works on gateway.db in the data directory, or in --accounts-dir, whether the gateway runs or not; a running one goes by it at once. The password is asked for, or read from stdin; never give it on the command line.',
  run: (host, args) => {
    if (args.flag('now') && args.text('action') !== 'rotate-key')
      throw new UsageError('--now goes with rotate-key alone', { field: 'now' })
    return withAccounts(host, args, ACTIONS)
  },
}

/** In the audit record; `looks` are the actions that change nothing. */
export function accountAct(args: Args, noun: string, whose: string, looks: readonly string[]): LocalAct | null {
  const action = args.need('action')
  if (looks.includes(action)) return null
  const roles = args.text('roles')
  const about = [args.text(whose) ?? '', ...(roles === undefined ? [] : [`roles ${roles}`])].join(', ')
  return { act: `${noun}.${action}`, in: 'accounts_dir', about }
}

/** Opens the accounts for the duration of one action. */
export async function withAccounts(
  host: Host,
  args: Args,
  actions: Readonly<Record<string, Act>>,
): Promise<typeof EXIT.done> {
  const name = args.need('action')
  const act = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!act) throw args.wrong('action', `must be one of ${Object.keys(actions).join(', ')}`)
  const handle = await host.deps.openAccounts(host.settings(args).values.accounts_dir)
  try {
    await act(host, args, handle)
  } finally {
    await handle.close()
  }
  return EXIT.done
}

function rolesOf(args: Args): string[] {
  return args
    .need('roles')
    .split(',')
    .map((role) => role.trim())
}

function accountTable(accounts: readonly Account[]): string[] {
  return table(accounts, [
    { title: 'NAME', cell: ({ name }) => oneLine(name) },
    { title: 'EMAIL', cell: ({ email }) => oneLine(email ?? '') },
    { title: 'ROLES', cell: ({ roles }) => roles.join(', ') },
    { title: 'SINCE', cell: ({ createdAt }) => timeText(createdAt).slice(0, 10) },
    { title: 'STATE', cell: ({ disabledAt }) => (disabledAt === null ? '' : 'disabled') },
    { title: 'ID', cell: ({ id }) => id },
  ])
}

function accountJson({ id, name, email, roles, createdAt, disabledAt }: Account): Record<string, Json> {
  return {
    id,
    name,
    email,
    roles: [...roles],
    created_at: jsonTime(createdAt),
    disabled_at: disabledAt === null ? null : jsonTime(disabledAt),
  }
}
