import { Ed25519Verifier } from '../../src/adapters/system/node-key.js'
import type { BulkVerifier, Signer } from '../../src/ports/system/signer.js'

/** Those of one test, and then some. */
const MAX_REMEMBERED = 50_000

/** By signature: what was signed, and by which key. */
const made = new Map<string, string>()
const ed25519 = new Ed25519Verifier()

/** A signer whose signatures the nodes of this process need not do the arithmetic for again. */
export function sharing(signer: Signer): Signer {
  return {
    publicKey: signer.publicKey,
    sign(text) {
      const signature = signer.sign(text)
      if (made.size >= MAX_REMEMBERED) made.clear()
      made.set(signature, `${signer.publicKey}\n${text}`)
      return signature
    },
  }
}

/**
 * Knows what `sharing` signers have signed, to the letter; whatever else it is shown it checks. It does so in place, on
 * no other thread: time that is moved by hand does not wait for one.
 */
export const sharedVerifier: BulkVerifier = {
  verify: (...given) => isKnown(...given) || ed25519.verify(...given),
  verifyBeside: async (...given) => sharedVerifier.verify(...given),
}

function isKnown(text: string, signature: string, publicKey: string): boolean {
  return made.get(signature) === `${publicKey}\n${text}`
}
