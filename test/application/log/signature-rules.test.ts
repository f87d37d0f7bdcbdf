import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { Ed25519Verifier, signerOf } from '../../../src/adapters/system/node-key.js'
import { checkpointText } from '../../../src/application/log/commit.js'
import { readBody } from '../../../src/application/log/commit-body.js'
import { CHECK_EACH, FEWEST } from '../../../src/application/log/signature-rules.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { BulkVerifier } from '../../../src/ports/system/signer.js'
import { LongAuction } from '../../support/long-auction.js'

describe('the signatures of a page', () => {
  let checked: string[]
  const real = new Ed25519Verifier()
  const verifier: BulkVerifier = {
    verify: (text, signature, publicKey) => {
      checked.push(text)
      return real.verify(text, signature, publicKey)
    },
    verifyBeside: (text, signature, publicKey) => {
      checked.push(text)
      return real.verifyBeside(text, signature, publicKey)
    },
  }
  // Only the commits matter here.
  const page = [...new LongAuction({ bids: 10, bidsPerCommit: 1, open: true }).commits()].map(
    (commit) => ({ commit, events: readBody(commit.body).events }) as Append,
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

  it('are that of the newest commit, where it speaks for those before it, and that of the opening', async () => {
    expect((await FEWEST(page, verifier)).covered).to.have.length(page.length)
    expect(checked).to.have.length(2)
    checked = []
    expect((await FEWEST(page.slice(1), verifier)).covered).to.have.length(page.length - 1)
    expect(checked).to.have.length(1)
    expect(await FEWEST([], verifier)).to.deep.equal({ covered: [], unsigned: null })
  })

  it('are one for each author', async () => {
    const other = signerOf(generateKeyPairSync('ed25519').privateKey)
    const handed = page.map((entry, i) => {
      const { commit } = entry
      if (i < 6) return entry
      const signature = other.sign(checkpointText(commit))
      return { ...entry, commit: { ...commit, signer: other.publicKey, signature } }
    })
    expect((await FEWEST(handed.slice(1), verifier)).unsigned).to.equal(null)
    expect(checked).to.have.length(2)
    const bad = handed.map((entry, i) =>
      i === 5 ? { ...entry, commit: { ...entry.commit, signature: 'AAAA' } } : entry,
    )
    expect((await FEWEST(bad, verifier)).covered, 'the last of the first author').to.have.length(5)
  })

  it('are those of what made each author the home, since no proof against it can do without', async () => {
    const moved = [...new LongAuction({ bids: 10, bidsPerCommit: 1, open: true, movesAfter: 5 }).commits()].map(
      (commit) => ({ commit, events: readBody(commit.body).events }) as Append,
    )
    const handover = moved.findIndex(({ events }) => events[0]?.type === 'AuctionHandedOver')
    for (const i of [0, handover]) {
      const bad = moved.map((entry, k) =>
        k === i ? { ...entry, commit: { ...entry.commit, signature: 'AAAA' } } : entry,
      )
      const { covered, unsigned } = await FEWEST(bad, verifier)
      expect(covered).to.have.length(i)
      expect(unsigned?.firstSeq).to.equal(moved[i]?.commit.firstSeq)
    }
  })

  it('are refused beside the thread that serves as they are on it, malformed keys too', async () => {
    const [first] = page
    const { signer, signature } = (first as Append).commit
    const text = checkpointText((first as Append).commit)
    const weak = `AQ${'A'.repeat(41)}`
    for (const [said, by, key, holds] of [
      [text, signature, signer, true],
      [`${text} `, signature, signer, false],
      [text, 'AAAA', signer, false],
      [text, signature, 'no key', false],
      [text, signature, weak, false],
    ] as const) {
      expect(real.verify(said, by, key)).to.equal(holds)
      expect(await real.verifyBeside(said, by, key)).to.equal(holds)
    }
  })

  it('let nothing pass on the strength of a head that is not signed', async () => {
    const last = page.length - 1
    const { covered, unsigned } = await FEWEST(spoiled(last), verifier)
    expect(covered).to.have.length(last)
    expect(unsigned?.hash).to.equal(page[last]?.commit.hash)
  })
})
