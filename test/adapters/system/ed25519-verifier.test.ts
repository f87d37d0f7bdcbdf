import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { Ed25519Verifier, signerOf } from '../../../src/adapters/system/node-key.js'
import { isWeakKey } from '../../../src/adapters/system/small-order.js'

const P = 2n ** 255n - 19n

/** The 32 bytes, little-endian, of a point with this y, and with the sign of its x. */
function keyOf(y: bigint, sign: 0 | 1): string {
  const bytes = Buffer.alloc(32)
  let rest = y
  for (let i = 0; i < bytes.length; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
  bytes[31] = (bytes[31] as number) | (sign << 7)
  return bytes.toString('base64url')
}

/** y of the points of order 8, as in "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko). */
const ORDER_8 = BigInt('0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7')

describe('the verifier of signatures', () => {
  const verifier = new Ed25519Verifier()
  const signer = signerOf(generateKeyPairSync('ed25519').privateKey)
  /** R is the neutral point, S is 0: holds for every text that leaves the key's order out. */
  const forged = Buffer.concat([Buffer.from(keyOf(1n, 0), 'base64url'), Buffer.alloc(32)]).toString('base64url')

  it('believes what a key has signed, and nothing else', () => {
    const signature = signer.sign('text')
    expect(verifier.verify('text', signature, signer.publicKey)).to.equal(true)
    expect(verifier.verify('texT', signature, signer.publicKey)).to.equal(false)
    expect(verifier.verify('text', forged, signer.publicKey)).to.equal(false)
  })

  it('believes no key of small order, for which a signature holds that nobody has made', () => {
    for (const y of [0n, 1n, P - 1n, ORDER_8, P - ORDER_8, P, P + 1n])
      for (const sign of [0, 1] as const) {
        const key = keyOf(y, sign)
        expect(isWeakKey(Buffer.from(key, 'base64url')), `${y} ${sign}`).to.equal(true)
        for (let i = 0; i < 16; i++) expect(verifier.verify(`text ${i}`, forged, key)).to.equal(false)
      }
    expect(isWeakKey(Buffer.from(signer.publicKey, 'base64url'))).to.equal(false)
    expect(isWeakKey(Buffer.from(keyOf(2n, 0), 'base64url'))).to.equal(false)
  })

  it('believes keys and signatures in one spelling alone', () => {
    const signature = signer.sign('text')
    const respelled = (text: string) => {
      const last = text.at(-1) as string
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      return text.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1]
    }
    const key = signer.publicKey
    expect(Buffer.from(respelled(key), 'base64url')).to.deep.equal(Buffer.from(key, 'base64url'))
    expect(verifier.verify('text', signature, respelled(key))).to.equal(false)
    expect(verifier.verify('text', respelled(signature), key)).to.equal(false)
    expect(verifier.verify('text', `${signature}==`, key)).to.equal(false)
    expect(verifier.verify('text', `${signature}AAAA`, key)).to.equal(false)
    expect(verifier.verify('text', ` ${signature}`, key)).to.equal(false)
  })
})
