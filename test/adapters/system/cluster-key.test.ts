import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  type ClusterKey,
  createClusterKey,
  FileClusterSigner,
  RECHECK_MS,
  readClusterKey,
  rotated,
  saveClusterKey,
} from '../../../src/adapters/system/cluster-key.js'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { clusterKeyAfter } from '../../../src/application/log/cluster-keys.js'
import { MAX_CLUSTER_ROTATIONS } from '../../../src/domain/cluster-key.js'
import { silentLogger } from '../../support/silent-logger.js'
import { makeTempDir } from '../../support/temp-dir.js'

const verifier = new Ed25519Verifier()

describe("a cluster's key", () => {
  let dir: ReturnType<typeof makeTempDir>
  let nowMs = 0
  const clock = { now: () => nowMs, monotonicMs: () => nowMs }
  const file = () => join(dir.path, 'cluster.key')
  beforeEach(() => {
    dir = makeTempDir()
  })
  afterEach(() => dir.remove())

  const create = () => createClusterKey(dir.path) as ClusterKey
  const rotate = (key: ClusterKey) => {
    const next = rotated(key) as ClusterKey
    saveClusterKey(dir.path, next)
    nowMs += RECHECK_MS
    return next
  }
  const open = () => FileClusterSigner.open(dir.path, { clock, logger: silentLogger }) as FileClusterSigner

  it('is made once, for its owner alone, and closed to others again where a copy was not', () => {
    const made = create()
    expect(createClusterKey(dir.path), 'a second one').to.equal(null)
    expect(readClusterKey(dir.path)).to.deep.equal(made)
    if (process.platform === 'win32') return
    expect(statSync(file()).mode & 0o777).to.equal(0o600)
    chmodSync(file(), 0o644)
    readClusterKey(dir.path)
    expect(statSync(file()).mode & 0o777).to.equal(0o600)
  })

  it('is missing if the node belongs to no cluster', () => {
    expect(readClusterKey(dir.path)).to.equal(null)
    expect(FileClusterSigner.open(dir.path, { clock, logger: silentLogger })).to.equal(null)
  })

  it('signs what its public key verifies', () => {
    create()
    const signer = open()
    expect(verifier.verify('text', signer.sign('text'), signer.publicKey)).to.equal(true)
    expect(signer.firstKey).to.equal(signer.publicKey)
    expect(signer.rotationsSince(signer.publicKey)).to.deep.equal([])
  })

  it('is exchanged under a running node, and the rotations lead from each older key to it', () => {
    const first = create()
    const signer = open()
    const keys = [signer.publicKey]
    let key = first
    for (let i = 0; i < 3; i++) {
      key = rotate(key)
      keys.push(signer.publicKey)
    }
    expect(new Set(keys).size).to.equal(4)
    expect(signer.firstKey).to.equal(keys[0])
    for (const [i, older] of keys.entries()) {
      const rotations = signer.rotationsSince(older)
      expect(rotations).to.have.length(3 - i)
      expect(clusterKeyAfter(older, rotations ?? [], verifier)).to.equal(signer.publicKey)
    }
    expect(verifier.verify('text', signer.sign('text'), keys[3] as string)).to.equal(true)
  })

  it('refuses the key of another cluster, and rotations that another key has signed', () => {
    const key = rotate(create())
    const signer = open()
    const other = makeTempDir()
    const foreign = createClusterKey(other.path) as ClusterKey
    other.remove()
    expect(signer.rotationsSince(foreign.first_key)).to.equal(null)
    const rotations = signer.rotationsSince(key.first_key) ?? []
    expect(clusterKeyAfter(foreign.first_key, rotations, verifier)).to.equal(null)
    const forged = rotations.map((rotation) => ({ ...rotation, publicKey: foreign.first_key }))
    expect(clusterKeyAfter(key.first_key, forged, verifier)).to.equal(null)
  })

  it('signs with the key that the rotations led to, though another has come meanwhile', () => {
    const key = create()
    const signer = open()
    expect(signer.rotationsSince(key.first_key)).to.deep.equal([])
    rotate(key)
    expect(verifier.verify('text', signer.sign('text'), key.first_key)).to.equal(true)
    expect(signer.rotationsSince(key.first_key)).to.have.length(1)
    expect(verifier.verify('text', signer.sign('text'), key.first_key)).to.equal(false)
  })

  it('stays in use if the file is gone, is damaged, or is that of another cluster', () => {
    create()
    const signer = open()
    const before = signer.publicKey
    const text = readFileSync(file(), 'utf8')
    rmSync(file())
    create()
    nowMs += RECHECK_MS
    expect(signer.publicKey, 'of another cluster').to.equal(before)
    writeFileSync(file(), '{')
    nowMs += RECHECK_MS
    expect(signer.publicKey, 'damaged').to.equal(before)
    rmSync(file())
    nowMs += RECHECK_MS
    expect(signer.publicKey, 'gone').to.equal(before)
    writeFileSync(file(), text)
    nowMs += RECHECK_MS
    expect(signer.publicKey).to.equal(before)
  })

  it('is refused, without being quoted, if it is no key of its chain', () => {
    const key = rotate(create())
    const foreign = makeTempDir()
    const other = createClusterKey(foreign.path) as ClusterKey
    foreign.remove()
    const bad: readonly (readonly [string, unknown])[] = [
      ['not of the form', { ...key, first_key: 'AAA' }],
      ['not of the form', { ...key, more: 1 }],
      ['no Ed25519 key', { ...key, private_key: 'none' }],
      ['not that of its newest public key', { ...key, private_key: other.private_key }],
      ['not signed by the key before it', { ...key, first_key: other.first_key }],
    ]
    for (const [why, content] of bad) {
      writeFileSync(file(), JSON.stringify(content))
      const message = (() => {
        try {
          readClusterKey(dir.path)
          return 'taken'
        } catch (error) {
          expect(error).to.have.property('code', 'CLUSTER_KEY_INVALID')
          return (error as Error).message
        }
      })()
      expect(message).to.contain(why).and.contain(file())
      expect(message).not.to.contain('PRIVATE KEY')
    }
  })

  it('can be exchanged only as often as a takeover can carry', () => {
    const rotation = { public_key: 'A'.repeat(43), signature: 'A'.repeat(86) }
    const worn = { ...create(), rotations: Array.from({ length: MAX_CLUSTER_ROTATIONS }, () => rotation) }
    expect(rotated(worn)).to.equal(null)
  })
})
