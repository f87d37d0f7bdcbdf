import type { NodeServices } from './node-parts.js'
/** Stops something; idempotent. */
export type Stop = () => unknown

/** What takes the calls of a node's peers. */
export interface PeerServing {
  /** Resolves with the port. */
  start(): number | Promise<number>
  stop(): unknown
}

interface Part {
  start(): unknown
  stop(): unknown
}

/**
 * Starts the parts of a node, whatever it runs on: real nodes, those in memory and simulated ones have one order. What
 * stops each is put into `stops` before anything starts, to be run by `stopAll`. `keepers` are parts that need the
 * membership.
 */
export async function startParts(
  services: NodeServices,
  serving: PeerServing,
  { stops, keepers = [] }: { readonly stops: Stop[]; readonly keepers?: readonly Part[] },
): Promise<void> {
  const membership = services.parts.membership
  const syncer = services.parts.syncer
  const equivocationWatch = services.parts.equivocationWatch
  const receiptWatch = services.parts.receiptWatch
  const pusher = services.parts.pusher
  const house = services.parts.auctionHouse
  const receiptKeeper = services.parts.receiptKeeper
  const feed = services.parts.feed
  const autoBidder = services.parts.autoBidder
  const movingAuctions = services.parts.movingAuctions
  const pictureKeeper = services.parts.pictureKeeper
  const cluster = services.parts.cluster
  // From the last to the first: nothing new comes in, what is under way is written, sent to the peers, and only then
  // goodbye.
  stops.push(
    () => membership.stop(),
    ...keepers.map((keeper) => () => keeper.stop()),
    () => syncer.stop(),
    () => equivocationWatch.stop(),
    () => receiptWatch.stop(),
    () => pictureKeeper.stop(),
    () => pusher.stop(),
    () => cluster?.stop(),
    () => house.stop(),
    () => receiptKeeper.flush(),
    () => serving.stop(),
    () => feed.stop(),
    () => movingAuctions.stop(),
    () => autoBidder.stop(),
    () => cluster?.pause(),
  )
  await cluster?.open()
  await house.start()
  await pictureKeeper.start()
  const port = await serving.start()
  cluster?.start()
  pusher.start()
  syncer.start()
  equivocationWatch.start()
  void receiptWatch.start()
  await membership.start(port)
  for (const keeper of keepers) await keeper.start()
  await autoBidder.start()
}

/** Runs each, the last one first. One that fails does not keep the others from being run. Idempotent. */
export async function stopAll(stops: Stop[], onError: (error: unknown) => void): Promise<void> {
  for (const stop of stops.splice(0).reverse()) {
    try {
      await stop()
    } catch (error) {
      onError(error)
    }
  }
}
