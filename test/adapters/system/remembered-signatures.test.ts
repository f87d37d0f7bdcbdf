import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { Ed25519Verifier, signerOf } from '../../../src/adapters/system/node-key.js'
import { rememberSignatures } from '../../../src/adapters/system/remembered-signatures.js'

describe('remembered signatures', () => {
  const key = () => signerOf(generateKeyPairSync('ed25519').privateKey)
  let checks: number
  const counted = {
    verify: (...given: [string, string, string]) => ++checks > 0 && new Ed25519Verifier().verify(...given),
    verifyBeside: async (...given: [string, string, string]) =>
      ++checks > 0 && new Ed25519Verifier().verifyBeside(...given),
  }

  beforeEach(() => {
    checks = 0
  })

  it('are checked once, those of this node’s key not at all', () => {
    const other = key()
    const { signer, verifier } = rememberSignatures(key(), counted)
    expect(verifier.verify('own', signer.sign('own'), signer.publicKey)).to.equal(true)
    expect(checks).to.equal(0)
    const signature = other.sign('text')
    for (let i = 0; i < 3; i++) expect(verifier.verify('text', signature, other.publicKey)).to.equal(true)
    expect(checks).to.equal(1)
  })

  it('are not checked in bulk either', async () => {
    const { signer, verifier } = rememberSignatures(key(), counted)
    expect(await verifier.verifyBeside('own', signer.sign('own'), signer.publicKey)).to.equal(true)
    expect(checks).to.equal(0)
    expect(await verifier.verifyBeside('other', signer.sign('own'), signer.publicKey)).to.equal(false)
    expect(checks).to.equal(1)
  })

  it('are good for nothing but the same text by the same key', () => {
    const other = key()
    const { signer, verifier } = rememberSignatures(key(), counted)
    const signature = signer.sign('text')
    expect(verifier.verify('other text', signature, signer.publicKey)).to.equal(false)
    expect(verifier.verify('text', signature, other.publicKey)).to.equal(false)
    expect(verifier.verify('text', other.sign('text'), signer.publicKey)).to.equal(false)
    expect(verifier.verify('text', signature, signer.publicKey)).to.equal(true)
  })

  it('are forgotten when too many others have come', () => {
    const { signer, verifier } = rememberSignatures(key(), counted)
    const first = signer.sign('first')
    for (let i = 0; i < 5_000; i++) signer.sign(`text ${i}`)
    expect(verifier.verify('first', first, signer.publicKey)).to.equal(true)
    expect(checks).to.equal(1)
  })
})
