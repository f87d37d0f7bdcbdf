import { expect } from 'chai'
import type { Account } from '../../src/ports/accounts/account-repository.js'
import type { AccountStore } from '../../src/ports/accounts/account-store.js'
import type { ApiKey } from '../../src/ports/accounts/api-key-repository.js'
import type { Session } from '../../src/ports/accounts/session-repository.js'

const alice: Account = {
  id: 'usr_alice',
  name: 'Alice',
  email: 'Alice@Example.org',
  roles: ['bidder', 'seller'],
  passwordHash: 'hash',
  createdAt: 1_000,
  disabledAt: null,
}
const bob: Account = { ...alice, id: 'usr_bob', name: 'bob', email: null }

const session: Session = {
  id: 'ses_1',
  accountId: alice.id,
  tokenHash: 'h1',
  previousHash: null,
  rotatedAt: 1_000,
  createdAt: 1_000,
  expiresAt: 9_000,
}

const key: ApiKey = {
  id: 'key_1',
  accountId: alice.id,
  hash: 'hash',
  label: 'bot',
  scopes: ['read', 'bid'],
  createdAt: 1_000,
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
}

/** An adapter under test. */
export interface AccountStoreAdapter {
  readonly name: string
  readonly capabilities: {
    /** Several processes may have it open, and what was written stays: its harness has `openAgain`. */
    readonly shared: boolean
  }
  make(): Promise<AccountStoreHarness>
}

export interface AccountStoreHarness {
  readonly store: AccountStore
  /** The same store once more, for the test to close. */
  openAgain?(): AccountStore
  dispose(): Promise<void>
}

/** What every store of accounts has to do, and what this one says that it can do. */
export function describeAccountStore({ name, capabilities, make }: AccountStoreAdapter): void {
  describe(`${name} account store`, () => {
    let harness: AccountStoreHarness
    let store: AccountStore

    beforeEach(async () => {
      harness = await make()
      store = harness.store
    })
    afterEach(() => harness.dispose())

    if (capabilities.shared)
      it('can be open twice, and each sees what the other wrote', async () => {
        const openAgain = () => harness.openAgain?.() as AccountStore
        const other = openAgain()
        expect(other).not.to.equal(store)
        await store.accounts.create(alice)
        await other.accounts.change(alice.id, { disabledAt: 7 })
        expect((await store.accounts.find(alice.id))?.disabledAt).to.equal(7)
        await Promise.all([store.close(), other.close()])
        const again = openAgain()
        expect(await again.accounts.find(alice.id)).to.deep.equal({ ...alice, disabledAt: 7 })
        await again.close()
      })

    describe('accounts', () => {
      it('finds an account by id, and by name and address in any case', async () => {
        expect(await store.accounts.create(alice)).to.equal('created')
        expect(await store.accounts.create(bob)).to.equal('created')
        for (const login of ['alice', 'ALICE', ' alice ', 'alice@example.ORG'])
          expect(await store.accounts.findByLogin(login), login).to.deep.equal(alice)
        expect(await store.accounts.find(bob.id)).to.deep.equal(bob)
        expect(await store.accounts.find('usr_nobody')).to.equal(null)
        expect(await store.accounts.findByLogin('nobody')).to.equal(null)
        expect(await store.accounts.findByLogin('')).to.equal(null)
      })

      it('refuses a name or an address that is taken, in any case, and stores nothing then', async () => {
        await store.accounts.create(alice)
        const other = { ...alice, id: 'usr_other' }
        expect(await store.accounts.create({ ...other, name: 'aLICE', email: null })).to.equal('name-taken')
        expect(await store.accounts.create({ ...other, name: 'other', email: 'ALICE@example.org' })).to.equal(
          'email-taken',
        )
        expect(await store.accounts.list(null, 10)).to.deep.equal([alice])
      })

      it('lets any number of accounts have no address', async () => {
        expect(await store.accounts.create(bob)).to.equal('created')
        expect(await store.accounts.create({ ...bob, id: 'usr_c', name: 'carol' })).to.equal('created')
      })

      it('changes what is named and nothing else', async () => {
        await store.accounts.create(alice)
        await store.accounts.change(alice.id, { disabledAt: 5 })
        await store.accounts.change(alice.id, { passwordHash: 'other' })
        const changed = await store.accounts.change(alice.id, { roles: ['admin'] })
        expect(changed).to.deep.equal({ ...alice, disabledAt: 5, passwordHash: 'other', roles: ['admin'] })
        expect(await store.accounts.find(alice.id)).to.deep.equal(changed)
        expect((await store.accounts.change(alice.id, { disabledAt: null }))?.disabledAt).to.equal(null)
        expect(await store.accounts.change('usr_nobody', { disabledAt: 5 })).to.equal(null)
      })

      it('lists by name, page by page', async () => {
        for (const name of ['dora', 'Bert', 'anna', 'Carl'])
          await store.accounts.create({ ...bob, id: `usr_${name}`, name })
        const names = async (after: string | null, limit: number) =>
          (await store.accounts.list(after, limit)).map(({ name }) => name)
        expect(await names(null, 2)).to.deep.equal(['anna', 'Bert'])
        expect(await names('bert', 2)).to.deep.equal(['Carl', 'dora'])
        expect(await names('dora', 2)).to.deep.equal([])
      })
    })

    describe('sessions', () => {
      it('rotates a token at most once', async () => {
        await store.sessions.create(session, 5)
        const rotation = { from: 'h1', to: 'h2', now: 2_000, expiresAt: 9_500 }
        expect(await store.sessions.rotate(session.id, rotation)).to.equal(true)
        expect(await store.sessions.rotate(session.id, rotation)).to.equal(false)
        expect(await store.sessions.find(session.id)).to.deep.equal({
          ...session,
          tokenHash: 'h2',
          previousHash: 'h1',
          rotatedAt: 2_000,
          expiresAt: 9_500,
        })
        expect(await store.sessions.rotate('ses_none', rotation)).to.equal(false)
      })

      it('keeps the newest of an account, the new one in any case, and lets others be', async () => {
        await store.sessions.create({ ...session, id: 'ses_bob', accountId: bob.id }, 2)
        for (const [id, createdAt] of [
          ['ses_1', 1_000],
          ['ses_2', 2_000],
          ['ses_3', 3_000],
        ] as const)
          await store.sessions.create({ ...session, id, createdAt }, 2)
        // As after a clock that was set back.
        await store.sessions.create({ ...session, id: 'ses_0', createdAt: 500 }, 2)
        const there = await Promise.all(
          ['ses_0', 'ses_1', 'ses_2', 'ses_3', 'ses_bob'].map((id) => store.sessions.find(id)),
        )
        expect(there.map((found) => found?.id)).to.deep.equal(['ses_0', undefined, undefined, 'ses_3', 'ses_bob'])
      })

      it('removes one, all of an account, and those that are past', async () => {
        for (const [id, accountId, expiresAt] of [
          ['ses_1', alice.id, 9_000],
          ['ses_2', alice.id, 9_000],
          ['ses_3', bob.id, 3_000],
          ['ses_4', bob.id, 3_001],
        ] as const)
          await store.sessions.create({ ...session, id, accountId, expiresAt }, 5)
        await store.sessions.remove('ses_1')
        await store.sessions.remove('ses_1')
        await store.sessions.removeExpired(3_000, 10)
        const ids = ['ses_1', 'ses_2', 'ses_3', 'ses_4']
        const left = async () =>
          (await Promise.all(ids.map((id) => store.sessions.find(id)))).flatMap((found) => found?.id ?? [])
        expect(await left()).to.deep.equal(['ses_2', 'ses_4'])
        await store.sessions.removeOf(alice.id)
        expect(await left()).to.deep.equal(['ses_4'])
      })
    })

    describe('API keys', () => {
      it('finds, lists and marks keys', async () => {
        expect(await store.apiKeys.create(key, 5)).to.equal('created')
        const other = { ...key, id: 'key_2', createdAt: 2_000, expiresAt: 8_000 }
        await store.apiKeys.create(other, 5)
        await store.apiKeys.create({ ...key, id: 'key_3', accountId: bob.id }, 5)
        expect(await store.apiKeys.find('key_2')).to.deep.equal(other)
        expect(await store.apiKeys.find('key_9')).to.equal(null)
        expect(await store.apiKeys.list(alice.id, 5)).to.deep.equal([other, key])
        expect(await store.apiKeys.list(alice.id, 1)).to.deep.equal([other])
        await store.apiKeys.used('key_1', 3_000)
        expect((await store.apiKeys.find('key_1'))?.lastUsedAt).to.equal(3_000)
      })

      it('revokes a key once, and says whether there is one', async () => {
        await store.apiKeys.create(key, 5)
        expect(await store.apiKeys.revoke(key.id, 3_000)).to.equal(true)
        expect(await store.apiKeys.revoke(key.id, 4_000)).to.equal(true)
        expect((await store.apiKeys.find(key.id))?.revokedAt).to.equal(3_000)
        expect(await store.apiKeys.revoke('key_9', 3_000)).to.equal(false)
      })

      it('bounds usable keys of an account, not revoked or expired ones', async () => {
        await store.apiKeys.create(key, 2)
        await store.apiKeys.create({ ...key, id: 'key_2', expiresAt: 2_000 }, 2)
        const third = { ...key, id: 'key_3' }
        expect(await store.apiKeys.create(third, 2)).to.equal('too-many')
        expect(await store.apiKeys.find('key_3')).to.equal(null)
        expect(await store.apiKeys.create({ ...third, createdAt: 2_000 }, 2)).to.equal('created')
        expect(await store.apiKeys.create({ ...third, id: 'key_4', createdAt: 2_000 }, 2)).to.equal('too-many')
        await store.apiKeys.revoke('key_1', 3_000)
        expect(await store.apiKeys.create({ ...third, id: 'key_4', createdAt: 2_000 }, 2)).to.equal('created')
      })
    })

    describe('of bids under pseudonyms', () => {
      it('notes an auction once for each account, and lists the newest first, page by page', async () => {
        const { pseudonymousBids: bids } = store
        for (const auction of ['auc_a', 'auc_b', 'auc_a', 'auc_c']) await bids.note(alice.id, auction)
        await bids.note(bob.id, 'auc_a')
        const all = await bids.list(alice.id, { before: null, limit: 10 })
        expect(all.map(({ auctionId }) => auctionId)).to.deep.equal(['auc_c', 'auc_b', 'auc_a'])
        const [first] = await bids.list(alice.id, { before: null, limit: 1 })
        const rest = await bids.list(alice.id, { before: first!.position, limit: 10 })
        expect([first, ...rest]).to.deep.equal(all)
        expect(await bids.list('usr_nobody', { before: null, limit: 10 })).to.deep.equal([])
        expect([...(await bids.among(bob.id, ['auc_a', 'auc_b']))]).to.deep.equal(['auc_a'])
        expect((await bids.among(bob.id, [])).size).to.equal(0)
      })

      it('lists who has bid in an auction, or anywhere, the oldest first, page by page', async () => {
        const { pseudonymousBids: bids } = store
        for (const [account, auction] of [
          [alice, 'auc_a'],
          [bob, 'auc_b'],
          [bob, 'auc_a'],
        ] as const)
          await bids.note(account.id, auction)
        const ofA = await bids.noted('auc_a', { after: 0, limit: 10 })
        expect(ofA.map(({ accountId }) => accountId)).to.deep.equal([alice.id, bob.id])
        const [first] = await bids.noted('auc_a', { after: 0, limit: 1 })
        expect(await bids.noted('auc_a', { after: first!.position, limit: 10 })).to.deep.equal(ofA.slice(1))
        expect((await bids.noted(null, { after: 0, limit: 10 })).map(({ auctionId }) => auctionId)).to.deep.equal([
          'auc_a',
          'auc_b',
          'auc_a',
        ])
        expect(await bids.noted('auc_z', { after: 0, limit: 10 })).to.deep.equal([])
      })
    })
  })
}
