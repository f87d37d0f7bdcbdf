import type { BulkVerifier, Signer } from '../../ports/system/signer.js'

/** A mandate is met again with each commit that holds bids of it, soon after it was first checked or signed here. */
const MAX_REMEMBERED = 4_096

/** A signer and a verifier that do not check again what they have just signed or verified. */
export function rememberSignatures(signer: Signer, verifier: BulkVerifier): { signer: Signer; verifier: BulkVerifier } {
  /** By signature: what was signed, and by which key. The oldest goes first. */
  const good = new Map<string, string>()
  const remember = (text: string, signature: string, publicKey: string) => {
    if (good.size >= MAX_REMEMBERED) good.delete(good.keys().next().value as string)
    good.set(signature, `${publicKey}\n${text}`)
  }
  return {
    signer: {
      publicKey: signer.publicKey,
      sign(text) {
        const signature = signer.sign(text)
        remember(text, signature, signer.publicKey)
        return signature
      },
    },
    verifier: {
      verify(text, signature, publicKey) {
        if (good.get(signature) === `${publicKey}\n${text}`) return true
        const isGood = verifier.verify(text, signature, publicKey)
        if (isGood) remember(text, signature, publicKey)
        return isGood
      },
      // Bulk is old, and is not met again.
      verifyBeside(text, signature, publicKey) {
        if (good.get(signature) === `${publicKey}\n${text}`) return Promise.resolve(true)
        return verifier.verifyBeside(text, signature, publicKey)
      },
    },
  }
}
