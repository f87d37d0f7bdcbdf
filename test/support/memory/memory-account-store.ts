import { type Account, type AccountChange, loginKey } from '../../../src/ports/accounts/account-repository.js'
import type { AccountStore } from '../../../src/ports/accounts/account-store.js'
import type { ApiKey } from '../../../src/ports/accounts/api-key-repository.js'
import type { Session } from '../../../src/ports/accounts/session-repository.js'

/** For tests, and for gateways whose accounts need not last. */
export class MemoryAccountStore implements AccountStore {
  readonly #accounts = new Map<string, Account>()
  readonly #sessions = new Map<string, Session>()
  readonly #keys = new Map<string, ApiKey>()
  readonly #bids: { accountId: string; auctionId: string; position: number }[] = []

  readonly accounts: AccountStore['accounts'] = {
    create: async (account) => {
      const all = [...this.#accounts.values()]
      if (all.some(({ name }) => loginKey(name) === loginKey(account.name))) return 'name-taken'
      if (account.email !== null && all.some(({ email }) => sameLogin(email, account.email as string)))
        return 'email-taken'
      this.#accounts.set(account.id, account)
      return 'created'
    },
    find: async (id) => this.#accounts.get(id) ?? null,
    findByLogin: async (login) =>
      [...this.#accounts.values()].find(({ name, email }) => sameLogin(name, login) || sameLogin(email, login)) ?? null,
    change: async (id, change) => {
      const account = this.#accounts.get(id)
      if (!account) return null
      const changed = { ...account, ...given(change) }
      this.#accounts.set(id, changed)
      return changed
    },
    list: async (after, limit) =>
      [...this.#accounts.values()]
        .map((account) => ({ account, key: loginKey(account.name) }))
        .filter(({ key }) => after === null || key > loginKey(after))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, limit)
        .map(({ account }) => account),
  }

  readonly sessions: AccountStore['sessions'] = {
    create: async (session, keep) => {
      this.#sessions.set(session.id, session)
      const others = [...this.#sessions.values()]
        .filter(({ id, accountId }) => accountId === session.accountId && id !== session.id)
        .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
      for (const { id } of others.slice(keep - 1)) this.#sessions.delete(id)
    },
    find: async (id) => this.#sessions.get(id) ?? null,
    rotate: async (id, { from, to, now, expiresAt }) => {
      const session = this.#sessions.get(id)
      if (session?.tokenHash !== from) return false
      this.#sessions.set(id, { ...session, previousHash: from, tokenHash: to, rotatedAt: now, expiresAt })
      return true
    },
    remove: async (id) => {
      this.#sessions.delete(id)
    },
    removeOf: async (account) => {
      for (const { id, accountId } of [...this.#sessions.values()]) if (accountId === account) this.#sessions.delete(id)
    },
    removeExpired: async (now, limit) => {
      const expired = [...this.#sessions.values()].filter(({ expiresAt }) => expiresAt <= now)
      for (const { id } of expired.slice(0, limit)) this.#sessions.delete(id)
    },
  }

  readonly apiKeys: AccountStore['apiKeys'] = {
    create: async (key, maxUsable) => {
      const usable = [...this.#keys.values()].filter(
        ({ accountId, revokedAt, expiresAt }) =>
          accountId === key.accountId && revokedAt === null && (expiresAt === null || expiresAt > key.createdAt),
      )
      if (usable.length >= maxUsable) return 'too-many'
      this.#keys.set(key.id, key)
      return 'created'
    },
    find: async (id) => this.#keys.get(id) ?? null,
    list: async (account, limit) =>
      [...this.#keys.values()]
        .filter(({ accountId }) => accountId === account)
        .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
        .slice(0, limit),
    revoke: async (id, now) => {
      const key = this.#keys.get(id)
      if (!key) return false
      this.#keys.set(id, { ...key, revokedAt: key.revokedAt ?? now })
      return true
    },
    used: async (id, now) => {
      const key = this.#keys.get(id)
      if (key) this.#keys.set(id, { ...key, lastUsedAt: now })
    },
  }

  readonly pseudonymousBids: AccountStore['pseudonymousBids'] = {
    note: async (accountId, auctionId) => {
      const noted = this.#bids.some((bid) => bid.accountId === accountId && bid.auctionId === auctionId)
      if (!noted) this.#bids.push({ accountId, auctionId, position: this.#bids.length + 1 })
    },
    among: async (account, auctionIds) => {
      const own = this.#bids.filter(({ accountId }) => accountId === account)
      return new Set(own.map(({ auctionId }) => auctionId).filter((id) => auctionIds.includes(id)))
    },
    list: async (account, { before, limit }) =>
      this.#bids
        .filter(({ accountId, position }) => accountId === account && (before === null || position < before))
        .reverse()
        .slice(0, limit)
        .map(({ auctionId, position }) => ({ auctionId, position })),
    noted: async (auction, { after, limit }) =>
      this.#bids
        .filter(({ auctionId, position }) => position > after && (auction ?? auctionId) === auctionId)
        .slice(0, limit),
  }

  async close(): Promise<void> {}
}

function sameLogin(own: string | null, given: string): boolean {
  return own !== null && loginKey(own) === loginKey(given)
}

function given(change: AccountChange): AccountChange {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
}
