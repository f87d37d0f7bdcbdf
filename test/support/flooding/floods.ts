import { checkpointText, hashOf, sealCommit } from '../../../src/application/log/commit.js'
import { proofOf } from '../../../src/application/proof/equivocation.js'
import { signMandates, submittedMandates } from '../../../src/application/submissions/mandate.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionEvent } from '../../../src/domain/events.js'
import type { RemoteCommand } from '../../../src/domain/remote-command.js'
import type { Insider } from '../attacked-mesh.js'
import type { Scene } from './scene.js'

/** What is sent: the params of the i-th request. */
export type Params = (i: number) => object

/** One way to keep a node busy. */
export interface Flood {
  readonly rpc: string
  /** What the first answer shows: that a request gets as far as it is meant to. */
  readonly reaches: string
  /** What it may leave on the receiver's disk; the budgets say where nothing is said here. */
  readonly mayKeepBytes?: number
  readonly start: (self: Flooder) => Params
}

/** A member with software of its own. */
export class Flooder {
  readonly scene: Scene
  readonly #insider: Insider
  #ids = 0

  constructor(scene: Scene, insider: Insider) {
    this.scene = scene
    this.#insider = insider
  }

  get party() {
    return { id: this.#insider.nodeId, name: 'mallory' }
  }

  newId(kind: string): string {
    return `${kind}_flood${process.pid}x${String(++this.#ids).padStart(9, '0')}`
  }

  newAddress(): string {
    this.#ids += 1
    return `192.0.2.${this.#ids % 250}:${1_000 + (this.#ids % 60_000)}`
  }

  info() {
    const { nodeId, signer } = this.#insider
    const { publicKey } = signer
    return { ...this.scene.target, nodeId, publicKey, name: 'mallory', address: this.newAddress() }
  }

  challenge() {
    const { meshId, target } = this.scene
    return { meshId, nonce: 'N'.repeat(32), to: target.address, caller: this.info() }
  }

  bid(auctionId: string): RemoteCommand {
    const commandId = this.newId('bid')
    return { type: 'PlaceBid', auctionId, commandId, kind: 'plain', amount: 1_000, bidder: this.party }
  }

  submit(commands: readonly RemoteCommand[]) {
    return { commands, mandates: submittedMandates(signMandates(commands, this.#insider.signer, Date.now())) }
  }

  push(commits: readonly Commit[]) {
    return { from: this.#insider.nodeId, commits }
  }

  opening(description = ''): Commit {
    const { signer, nodeId } = this.#insider
    const event = {
      type: 'AuctionOpened',
      at: Date.now(),
      commandId: this.newId('cmd'),
      meshId: this.scene.meshId,
      cluster: null,
      terms: {
        title: 'Bait',
        description,
        currency: { code: 'EUR', exponent: 2 },
        startPrice: 1_000,
        increments: [{ from: 0, step: 100 }],
        reserveCommitment: null,
        buyNow: null,
        opensAt: null,
        closesAt: null,
        softClose: null,
        bidderNames: 'public',
        givesTimeBack: true,
        pictures: [],
      },
      seller: this.party,
      home: { nodeId, publicKey: signer.publicKey },
    } as AuctionEvent
    return sealCommit({ auctionId: null, firstSeq: 1, prevHash: null, events: [event] }, signer)
  }

  cancel({ auctionId, hash: prevHash }: Commit, reason: string): Commit {
    const event = {
      type: 'AuctionCancelled',
      at: Date.now() + 1,
      commandId: this.newId('cmd'),
      reason,
    } as const
    return sealCommit({ auctionId, firstSeq: 2, prevHash, events: [event] }, this.#insider.signer)
  }

  /** A commit whose text is whatever it likes, signed as a good one is. */
  signed(body: string, auctionId = this.newId('auc')): Commit {
    const { signer } = this.#insider
    const head = { auctionId, lastSeq: 1, hash: hashOf(body) }
    const signature = signer.sign(checkpointText(head))
    return { ...head, firstSeq: 1, body, signer: signer.publicKey, signature }
  }
}

const SIGNATURE = `${'S'.repeat(85)}A`
const MEGABYTE = 1_000_000

/** Each RPC with what costs its receiver most, by the behaviour that a test shows. */
export const FLOODS: Readonly<Record<string, Flood>> = {
  'greetings that name ever new addresses': {
    rpc: 'vendue.hello',
    reaches: 'ok',
    start: (self) => () => self.challenge(),
  },
  'pings full of rumours of nobody': {
    rpc: 'vendue.ping',
    reaches: 'ok',
    start: (self) => () => ({
      challenge: self.challenge(),
      rumors: Array.from({ length: 16 }, () => ({
        state: 'alive',
        nodeId: self.newId('node'),
        incarnation: Date.now(),
        signature: SIGNATURE,
        address: self.newAddress(),
      })),
    }),
  },
  'challenges to be passed on': {
    rpc: 'vendue.ping-via',
    reaches: 'ok',
    start: (self) => () => ({ target: self.scene.bystander, challenge: self.challenge() }),
  },
  'goodbyes that nobody signed': {
    rpc: 'vendue.goodbye',
    reaches: 'ok',
    start: (self) => (incarnation) => {
      const { nodeId, address } = self.info()
      return { nodeId, address, incarnation, signature: SIGNATURE }
    },
  },
  'questions for its digest': { rpc: 'vendue.digest', reaches: 'ok', start: () => () => ({}) },
  'questions for all its heads': {
    rpc: 'vendue.heads',
    reaches: 'ok',
    start: () => () => ({ prefix: '', afterId: null }),
  },
  'pulls of one long log, 256 times over': {
    rpc: 'vendue.pull-commits',
    reaches: 'ok',
    start: (self) => {
      const wants = new Array(256).fill({ auctionId: self.scene.auctions.long, fromSeq: 1 })
      return () => ({ wants })
    },
  },
  'questions for pictures that are not here': {
    rpc: 'vendue.pull-picture',
    reaches: 'ok',
    start: () => (i) => ({ hash: i.toString(16).padStart(64, '0'), offset: 0 }),
  },
  'bids on auctions that are not here': {
    rpc: 'vendue.submit',
    reaches: 'NOT_HOME',
    start: (self) => {
      const unknown = self.submit(Array.from({ length: 1_000 }, (_, i) => self.bid(`auc_nobody${i}`)))
      return () => unknown
    },
  },
  'bids on an auction that is over': {
    rpc: 'vendue.submit',
    reaches: 'AUCTION_CLOSED',
    mayKeepBytes: 8 * 1024 * 1024,
    start: (self) => () => self.submit(Array.from({ length: 200 }, () => self.bid(self.scene.auctions.over))),
  },
  'bids that are too low': {
    rpc: 'vendue.submit',
    reaches: 'BID_TOO_LOW',
    start: (self) => () => self.submit(Array.from({ length: 200 }, () => self.bid(self.scene.auctions.dear))),
  },
  'pushes of commits that nobody signed': {
    rpc: 'vendue.push-commits',
    reaches: 'ok',
    start: (self) => {
      const garbage = {
        ...self.opening(),
        auctionId: 'auc_garbage',
        body: JSON.stringify({ events: 'x'.repeat(MEGABYTE) }),
      }
      const push = self.push([garbage, garbage, garbage, garbage])
      return () => push
    },
  },
  'pushes of signed texts that take longest to parse': {
    rpc: 'vendue.push-commits',
    reaches: 'ok',
    start: (self) => {
      const nested = '['.repeat(MEGABYTE / 2) + ']'.repeat(MEGABYTE / 2)
      const objects = `[${'{},'.repeat(MEGABYTE / 3)}{}]`
      const push = self.push([nested, objects, nested, objects].map((body) => self.signed(body)))
      return () => push
    },
  },
  'pushes of openings': {
    rpc: 'vendue.push-commits',
    reaches: 'ok',
    start: (self) => () => self.push(Array.from({ length: 20 }, () => self.opening('d'.repeat(5_000)))),
  },
  'parcels of handovers that no home has signed': {
    rpc: 'vendue.pass-handover',
    reaches: 'FORBIDDEN',
    start: (self) => {
      const text = JSON.stringify(new Array(200_000).fill({}))
      const parcel = { auctionId: self.scene.auctions.long, parcel: text, signature: SIGNATURE }
      return () => ({ from: self.party.id, parcel })
    },
  },
  'proofs against itself': {
    rpc: 'vendue.equivocation',
    reaches: 'ok',
    start: (self) => () => {
      const first = self.opening('d'.repeat(9_000))
      return proofOf([first], self.cancel(first, 'one'), self.cancel(first, 'another'))
    },
  },
  'refusals of its auction': {
    rpc: 'vendue.refusal',
    reaches: 'ok',
    start: (self) => (i) => ({
      from: self.party.id,
      auctionId: self.scene.auctions.long,
      seq: 1,
      reason: `reason ${i}`,
    }),
  },
  'joins with a token that is none': {
    rpc: 'vendue.join',
    reaches: 'FORBIDDEN',
    start: (self) => () => ({
      secret: 'A'.repeat(43),
      publicKey: self.info().publicKey,
      name: 'mallory',
      addresses: [],
      signature: SIGNATURE,
    }),
  },
  'renewals with ever new addresses': {
    rpc: 'vendue.renew-certificate',
    reaches: 'ok',
    start: (self) => () => ({ addresses: [self.newAddress()] }),
  },
  'entries of the member list that nobody signed': {
    rpc: 'vendue.push-members',
    reaches: 'INVALID_INPUT',
    start: () => {
      const entry = {
        body: `{"meshId":"${'m'.repeat(15_000)}"}`,
        hash: 'a'.repeat(64),
        signature: SIGNATURE,
      }
      const entries = new Array(64).fill(entry)
      return () => ({ entries })
    },
  },
  'questions for its member list': {
    rpc: 'vendue.pull-members',
    reaches: 'ok',
    start: () => () => ({ afterSeq: 0 }),
  },
  "what only the node's operator may ask for": {
    rpc: 'vendue.node.status',
    reaches: 'FORBIDDEN',
    start: () => () => ({}),
  },
}
