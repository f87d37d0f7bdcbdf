import { createHash, createPrivateKey } from 'node:crypto'
import { Ed25519Verifier, signerOf } from '../../src/adapters/system/node-key.js'
import type { BulkVerifier, Signer } from '../../src/ports/system/signer.js'
import type { SeededRandom } from './seeded-random.js'

/** Where a simulation's keys come from, and who checks what they signed. */
export interface KeyRing {
  newSigner(random: SeededRandom): Signer
  readonly verifier: BulkVerifier
}

/**
 * Signatures that only the ring can make and check: a hash over the text and a secret of the signer's. As hard to
 * forge for simulated nodes as real ones, and a hundred times as fast.
 */
export class HashKeyRing implements KeyRing, BulkVerifier {
  readonly #secrets = new Map<string, Buffer>()
  readonly verifier: BulkVerifier = this

  newSigner(random: SeededRandom): Signer {
    const secret = Buffer.from(random.bytes(32))
    const publicKey = createHash('sha256').update('public').update(secret).digest('base64url')
    this.#secrets.set(publicKey, secret)
    return { publicKey, sign: (text) => signatureOf(secret, text) }
  }

  verify(text: string, signature: string, publicKey: string): boolean {
    const secret = this.#secrets.get(publicKey)
    return secret !== undefined && signatureOf(secret, text) === signature
  }

  verifyBeside(text: string, signature: string, publicKey: string): Promise<boolean> {
    return Promise.resolve(this.verify(text, signature, publicKey))
  }
}

function signatureOf(secret: Buffer, text: string): string {
  return createHash('sha512').update(secret).update(text).digest('base64url')
}

/** What stands before the 32 bytes of an Ed25519 private key in PKCS#8. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The product's own signatures, with keys made from the seed. */
export class Ed25519KeyRing implements KeyRing {
  readonly #ed25519 = new Ed25519Verifier()
  /** In place: simulated time does not wait for another thread. */
  readonly verifier: BulkVerifier = {
    verify: (...given) => this.#ed25519.verify(...given),
    verifyBeside: async (...given) => this.#ed25519.verify(...given),
  }

  newSigner(random: SeededRandom): Signer {
    const key = Buffer.concat([PKCS8_PREFIX, random.bytes(32)])
    return signerOf(createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
  }
}
