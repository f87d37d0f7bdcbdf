import { createHash } from 'node:crypto'
import type { Commit } from '../../domain/commit.js'
import type { TlogProof } from '../../ports/node/node-answers.js'
import type { Signer } from '../../ports/system/signer.js'
import { nodeIdOf } from '../log/ids.js'

/**
 * A proof for the tools of transparency logs (C2SP tlog-proof, tlog-checkpoint and signed-note): that a commit stands
 * in an auction's log, shown by a few hashes instead of the whole log. Its log is this node's copy of the auction, one
 * leaf for each commit; the leaf's data is the commit's body. It is made and signed when somebody asks, so it costs no
 * bid anything.
 *
 * A node's copy is only ever added to, so its checkpoints are consistent (save after a restore from a backup, where the
 * home has signed two histories). The reader decides whom to believe: the home's own proofs are worth most.
 */
export async function tlogProof(
  commits: AsyncIterable<Pick<Commit, 'body' | 'firstSeq' | 'lastSeq'>>,
  { auctionId, seq }: { readonly auctionId: string; readonly seq: number },
  signer: Signer,
): Promise<TlogProof> {
  let index: number | null = null
  const tree = new InclusionPath()
  for await (const { body, firstSeq, lastSeq } of commits) {
    const isEntry = firstSeq <= seq && seq <= lastSeq
    if (isEntry) index = tree.size
    tree.add(sha256(LEAF, body), isEntry)
  }
  if (index === null) throw new Error(`no commit of ${auctionId} holds event ${seq}`)
  const { root, path } = tree.close()
  const origin = `vendue/tlog/v1/${auctionId}/${nodeIdOf(signer.publicKey)}`
  const { size } = tree
  const checkpoint = signedNote(`${origin}\n${size}\n${base64(root)}\n`, origin, signer)
  const lines = [TLOG_PROOF_VERSION, `index ${index}`, ...path.map(base64), '', checkpoint]
  return { proof: lines.join('\n'), verifierKey: verifierKey(origin, signer), index, size }
}

export const TLOG_PROOF_VERSION = 'c2sp.org/tlog-proof@v1'

/* Merkle trees of RFC 6962, section 2.1. */

const LEAF = Buffer.of(0)
const NODE = Buffer.of(1)

/** Of a whole tree below it. */
interface Subtree {
  readonly height: number
  readonly hash: Buffer
  readonly hasEntry: boolean
}

/** The root of a tree whose leaves come one by one, and the way from one of them up to it. */
export class InclusionPath {
  /** Whole subtrees, the largest first. */
  readonly #stack: Subtree[] = []
  readonly #path: Buffer[] = []
  size = 0

  add(hash: Buffer, hasEntry: boolean): void {
    this.size += 1
    let added: Subtree = { height: 0, hash, hasEntry }
    for (let last = this.#stack.at(-1); last?.height === added.height; last = this.#stack.at(-1)) {
      this.#stack.pop()
      added = this.#join(last, added)
    }
    this.#stack.push(added)
  }

  /** Of a tree with at least one leaf. */
  close(): { readonly root: Buffer; readonly path: readonly Buffer[] } {
    const whole = this.#stack.splice(0).reduceRight((right, left) => this.#join(left, right))
    return { root: whole.hash, path: this.#path }
  }

  #join(left: Subtree, right: Subtree): Subtree {
    if (left.hasEntry) this.#path.push(right.hash)
    else if (right.hasEntry) this.#path.push(left.hash)
    const hash = sha256(NODE, left.hash, right.hash)
    return { height: left.height + 1, hash, hasEntry: left.hasEntry || right.hasEntry }
  }
}

/* Signed notes. */

const ED25519 = Buffer.of(1)

function signedNote(text: string, keyName: string, signer: Signer): string {
  const signature = Buffer.from(signer.sign(text), 'base64url')
  return `${text}\n\u2014 ${keyName} ${base64(Buffer.concat([keyIdOf(keyName, signer), signature]))}\n`
}

/** As such tools take keys: `<name>+<key id>+<type and key>`. */
function verifierKey(keyName: string, signer: Signer): string {
  const key = Buffer.concat([ED25519, publicKeyOf(signer)])
  return `${keyName}+${keyIdOf(keyName, signer).toString('hex')}+${base64(key)}`
}

function keyIdOf(keyName: string, signer: Signer): Buffer {
  return sha256(Buffer.from(`${keyName}\n`), ED25519, publicKeyOf(signer)).subarray(0, 4)
}

function publicKeyOf({ publicKey }: Signer): Buffer {
  return Buffer.from(publicKey, 'base64url')
}

function sha256(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
