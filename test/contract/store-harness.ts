import type { Append } from '../../src/ports/store/event-log.js'
import type { Store } from '../../src/ports/store/store.js'

/** An adapter under test. */
export interface StoreAdapter {
  readonly name: string
  /** What some stores can do and others cannot: the suites ask each for what it says. */
  readonly capabilities: {
    /** What was written is there when a closed store is opened again: its harness has `reopen`. */
    readonly durable: boolean
  }
  /** A store that is empty at first. */
  make(): Promise<StoreHarness>
}

export interface StoreHarness {
  readonly store: Store
  /** Closes the store and opens it again. */
  reopen?(): Promise<Store>
  /** Closes the store and removes what it left. */
  dispose(): Promise<void>
}

/** Gives each test of the suite that calls this a store of its own. */
export function withStore(
  { make }: Pick<StoreAdapter, 'make'>,
  use: (store: Store, harness: StoreHarness) => void,
): void {
  let harness: StoreHarness
  beforeEach(async () => {
    harness = await make()
    use(harness.store, harness)
  })
  afterEach(() => harness.dispose())
}

export const EVERYTHING = { commits: 1_000, bytes: Number.MAX_SAFE_INTEGER }

/** The code of the error that a promise rejects with; fails where it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    () => 'RESOLVED',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  )
  return outcome
}

/** Everything a store tells of an auction, to see that two moments are the same. */
export async function everythingOf(store: Store, auctionId: string, entries: readonly Append[]) {
  const ids = entries.flatMap(({ outcomes = [] }) => outcomes.map(({ outcome }) => outcome.commandId))
  return {
    commits: await store.eventLog.read(auctionId, 1, EVERYTHING),
    heads: await store.eventLog.heads(null, 1_000),
    auction: await store.auctions.find(auctionId),
    bids: await store.auctions.bids(auctionId, null, 10_000),
    secrets: await store.secrets.secrets(auctionId),
    sealed: await store.secrets.sealed(auctionId, 10_000),
    outcomes: [...(await store.outcomes.find(ids))],
    counts: await store.auctions.counts(),
  }
}
