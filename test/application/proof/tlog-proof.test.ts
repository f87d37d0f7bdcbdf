import { createHash, generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { Ed25519Verifier, signerOf } from '../../../src/adapters/system/node-key.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
import { InclusionPath, tlogProof } from '../../../src/application/proof/tlog-proof.js'

const sha256 = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const leafOf = (data: Uint8Array) => sha256(Buffer.of(0), data)

/** As RFC 6962, section 2.1, says it: the hash of the first half, whose size is a power of two, and of the rest. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer
  const half = halfOf(leaves.length)
  return sha256(Buffer.of(1), rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)))
}

function pathOf(leaves: readonly Buffer[], index: number): Buffer[] {
  if (leaves.length === 1) return []
  const half = halfOf(leaves.length)
  return index < half
    ? [...pathOf(leaves.slice(0, half), index), rootOf(leaves.slice(half))]
    : [...pathOf(leaves.slice(half), index - half), rootOf(leaves.slice(0, half))]
}

function halfOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1))
}

function treeOf(leaves: readonly Buffer[], entry: number) {
  const tree = new InclusionPath()
  for (const [i, leaf] of leaves.entries()) tree.add(leaf, i === entry)
  return tree.close()
}

describe('the Merkle tree over the commits of an auction', () => {
  it('has the roots that Certificate Transparency gives for its own example', () => {
    const data = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    const leaves = data.map((hex) => leafOf(Buffer.from(hex, 'hex')))
    expect([1, 2, 3, 8].map((size) => treeOf(leaves.slice(0, size), 0).root.toString('hex'))).to.deep.equal([
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ])
  })

  it('has root and path as RFC 6962 defines them, for each entry of trees of 1 to 40', () => {
    const leaves = Array.from({ length: 40 }, (_, i) => leafOf(Buffer.from(String(i))))
    for (let size = 1; size <= leaves.length; size++)
      for (let entry = 0; entry < size; entry++) {
        const some = leaves.slice(0, size)
        expect(treeOf(some, entry)).to.deep.equal({ root: rootOf(some), path: pathOf(some, entry) })
      }
  })
})

describe('a proof for tools of transparency logs', () => {
  const signer = signerOf(generateKeyPairSync('ed25519').privateKey)
  const commits = Array.from({ length: 11 }, (_, i) => ({ body: `body ${i}`, firstSeq: 2 * i + 1, lastSeq: 2 * i + 2 }))

  async function* each() {
    yield* commits
  }

  it('has the lines of the format, and a checkpoint that the node has signed', async () => {
    const made = await tlogProof(each(), { auctionId: 'auc_1', seq: 8 }, signer)
    expect(made).to.include({ index: 3, size: 11 })
    const leaves = commits.map(({ body }) => leafOf(Buffer.from(body)))
    const origin = `vendue/tlog/v1/auc_1/${nodeIdOf(signer.publicKey)}`
    const text = `${origin}\n11\n${rootOf(leaves).toString('base64')}\n`
    const [, name, signed] = /^\u2014 (\S+) (\S+)\n$/.exec(made.proof.slice(made.proof.indexOf('\u2014'))) ?? []
    expect(made.proof).to.equal(
      [
        'c2sp.org/tlog-proof@v1',
        'index 3',
        ...pathOf(leaves, 3).map((hash) => hash.toString('base64')),
        '',
        `${text}\n\u2014 ${name} ${signed}\n`,
      ].join('\n'),
    )
    const [keyName, keyId, key] = made.verifierKey.split('+', 2).concat(made.verifierKey.split('+').slice(2).join('+'))
    const bytes = Buffer.from(signed ?? '', 'base64')
    expect([keyName, keyId]).to.deep.equal([origin, bytes.toString('hex', 0, 4)])
    expect(Buffer.from(key ?? '', 'base64')).to.deep.equal(
      Buffer.concat([Buffer.of(1), Buffer.from(signer.publicKey, 'base64url')]),
    )
    const signature = bytes.subarray(4).toString('base64url')
    expect(new Ed25519Verifier().verify(text, signature, signer.publicKey)).to.equal(true)
  })
})
