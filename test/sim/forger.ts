import { takeOver } from '../../src/application/log/cluster-takeover.js'
import { hashOf, sealCommit } from '../../src/application/log/commit.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { minimumBid } from '../../src/domain/auction.js'
import type { Commit } from '../../src/domain/commit.js'
import type { BidPlaced } from '../../src/domain/events.js'
import { NO_SECRETS } from '../../src/domain/pricing.js'
import type { PeerService } from '../../src/ports/mesh/peer-service.js'
import type { Signer } from '../../src/ports/system/signer.js'
import type { Machine } from './machine.js'
import type { Scheduler } from './scheduler.js'
import type { SeededRandom } from './seeded-random.js'
import type { Passing, SimNetwork } from './sim-network.js'

export interface ForgerDeps {
  readonly scheduler: Scheduler
  readonly machines: readonly Machine[]
  readonly network: SimNetwork
  readonly random: SeededRandom
  /** The forger's own key, which is no home's. */
  readonly signer: Signer
  /** Whether it pretends to be a node of a cluster as well. */
  readonly takesOver: boolean
}

const LIES_LAST_MS = 3_000

/** A liar in the mesh: makes commits up, and spoils those that pass by. */
export class Forger {
  readonly #deps: ForgerDeps

  constructor(deps: ForgerDeps) {
    this.#deps = deps
  }

  strike(): void {
    if (this.#deps.takesOver && this.#deps.random.chance(0.5)) this.#takeOver()
    else if (this.#deps.random.chance(0.5)) this.#push()
    else this.#spoil()
  }

  /** A bid that nobody made, in its rightful place, pushed to a replica. */
  #push(): void {
    const { machines, random, scheduler } = this.#deps
    const victim = random.pick(machines.filter(({ running, frozen }) => running && !frozen))
    const auctions = [...(victim?.store?.tables.auctions.values() ?? [])]
    const replica = random.pick(auctions.filter(({ state }) => state.status === 'open'))
    const service: PeerService | undefined = victim?.services?.parts.peerService
    if (!victim || !replica || !service) return
    const { auctionId, head, state } = replica
    const event: BidPlaced = {
      type: 'BidPlaced',
      at: state.at,
      bidId: `bid_forged${head.seq}`,
      bidder: { id: 'node_nobody', name: 'nobody' },
      amount: minimumBid(state) ?? state.terms.startPrice,
      commitment: null,
      price: minimumBid(state) ?? state.terms.startPrice,
      leads: true,
      reserveMet: state.reserveMet,
    }
    const parts = { auctionId, firstSeq: head.seq + 1, prevHash: head.hash, events: [event] }
    const sealed = sealCommit(parts, this.#deps.signer)
    const forged = random.chance(0.7) ? { ...sealed, signer: state.home.publicKey } : sealed
    scheduler.note(`a forged commit for ${victim.name}`)
    // Refused or not: what matters is what is stored.
    void service.pushCommits(state.home.nodeId, [forged]).catch(() => {})
  }

  /** A member of the mesh, with a key of its own, makes itself the home of an auction of a cluster's. */
  #takeOver(): void {
    const { machines, network, random, scheduler, signer } = this.#deps
    const victim = random.pick(machines.filter(({ running, frozen }) => running && !frozen))
    const auctions = [...(victim?.store?.tables.auctions.values() ?? [])]
    const replica = random.pick(auctions.filter(({ state }) => state.cluster !== null && state.status === 'open'))
    const service: PeerService | undefined = victim?.services?.parts.peerService
    if (!victim || !replica || !service) return
    const { auctionId, head, state } = replica
    const to = { nodeId: nodeIdOf(signer.publicKey), publicKey: signer.publicKey }
    network.members.add({ ...to, name: 'liar' })
    const taking = { to, now: state.at, since: state.at, why: 'home-dead' } as const
    const key = { ...signer, firstKey: signer.publicKey, rotationsSince: () => [] }
    const decision = takeOver({ auctionId, head, state, secrets: NO_SECRETS }, taking, key)
    if (!decision.accepted) return
    const parts = { auctionId, firstSeq: head.seq + 1, prevHash: head.hash, events: decision.events }
    scheduler.note(`a forged takeover for ${victim.name}`)
    void service.pushCommits(to.nodeId, [sealCommit(parts, signer)]).catch(() => {})
  }

  /** For a while, commits that pass the network are altered, left out or put in another order. */
  #spoil(): void {
    const { network, scheduler, random } = this.#deps
    network.tamper = (passing) => {
      const commits = commitsIn(passing)
      if (commits !== null && commits.length > 0 && random.chance(0.3)) this.#alter(passing, commits)
    }
    scheduler.after(LIES_LAST_MS, 'the lies end', null, () => {
      network.tamper = () => {}
    })
  }

  #alter(passing: Passing, commits: Commit[]): void {
    const { random, scheduler } = this.#deps
    const i = random.int(0, commits.length - 1)
    const commit = commits[i] as Commit
    const body = commit.body.replace(/,(\d+),(true|false),/, (_, price, leads) => `,${Number(price) + 1},${leads},`)
    switch (random.int(0, 3)) {
      case 0:
        commits[i] = { ...commit, body }
        break
      case 1:
        commits[i] = { ...commit, body, hash: hashOf(body) }
        break
      case 2:
        commits.splice(i, 1)
        break
      default:
        commits.reverse()
    }
    scheduler.note(`${passing.method} from ${passing.from} to ${passing.to} was altered`)
  }
}

/** The list of commits in a message, to be changed in place; null where it carries none. */
function commitsIn({ method, answer, content }: Passing): Commit[] | null {
  if (method === 'pushCommits' && !answer) return (content as [string, Commit[]])[1]
  if (method === 'pullCommits' && answer) return (content as { commits: Commit[] }[])[0]?.commits ?? null
  return null
}
