import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { Ed25519Verifier, signerOf } from '../../../src/adapters/system/node-key.js'
import { checkpointText } from '../../../src/application/log/commit.js'
import { CHECK_EACH, LAST_OF_EACH_AUTHOR } from '../../../src/application/log/signature-rules.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { SignatureVerifier } from '../../../src/ports/system/signer.js'
import { LongAuction } from '../../support/long-auction.js'

describe('the signatures of a page', () => {
  let checked: string[]
  const real = new Ed25519Verifier()
  const verifier: SignatureVerifier = {
    verify: (text, signature, publicKey) => {
      checked.push(text)
      return real.verify(text, signature, publicKey)
    },
  }
  // Only the commits matter here.
  const page = [...new LongAuction({ bids: 10, bidsPerCommit: 1, open: true }).commits()].map(
    (commit) => ({ commit }) as Append,
  )
  const spoiled = (i: number) =>
    page.map((entry, k) => (k === i ? { ...entry, commit: { ...entry.commit, signature: 'AAAA' } } : entry))

  beforeEach(() => {
    checked = []
  })

  it('are all checked where each has to speak for itself, up to the first bad one', () => {
    expect(CHECK_EACH(page, verifier)).to.deep.equal({ covered: page, unsigned: null })
    expect(checked).to.have.length(page.length)
    const { covered, unsigned } = CHECK_EACH(spoiled(4), verifier)
    expect(covered).to.have.length(4)
    expect(unsigned?.hash).to.equal(page[4]?.commit.hash)
  })

  it('are one, that of the newest commit, where it speaks for those before it', () => {
    expect(LAST_OF_EACH_AUTHOR(page, verifier).covered).to.have.length(page.length)
    expect(checked).to.have.length(1)
    expect(LAST_OF_EACH_AUTHOR([], verifier)).to.deep.equal({ covered: [], unsigned: null })
  })

  it('are one for each author', () => {
    const other = signerOf(generateKeyPairSync('ed25519').privateKey)
    const handed = page.map((entry, i) => {
      const { commit } = entry
      if (i < 6) return entry
      const signature = other.sign(checkpointText(commit))
      return { ...entry, commit: { ...commit, signer: other.publicKey, signature } }
    })
    expect(LAST_OF_EACH_AUTHOR(handed, verifier).unsigned).to.equal(null)
    expect(checked).to.have.length(2)
    const bad = handed.map((entry, i) =>
      i === 5 ? { ...entry, commit: { ...entry.commit, signature: 'AAAA' } } : entry,
    )
    expect(LAST_OF_EACH_AUTHOR(bad, verifier).covered, 'the last of the first author').to.have.length(5)
  })

  it('let nothing pass on the strength of a head that is not signed', () => {
    const last = page.length - 1
    const { covered, unsigned } = LAST_OF_EACH_AUTHOR(spoiled(last), verifier)
    expect(covered).to.have.length(last)
    expect(unsigned?.hash).to.equal(page[last]?.commit.hash)
  })
})
