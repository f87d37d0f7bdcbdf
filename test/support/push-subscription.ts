import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'

const HEADER_BYTES = 21
const TAG_BYTES = 16

/** A browser's side of web push, written after RFC 8291 and RFC 8188 with nothing but Node's cryptography. */
export class PushSubscription {
  readonly #keys = createECDH('prime256v1')
  readonly #auth: Buffer

  /** base64url; others are made where none are given. */
  constructor({ privateKey, auth }: { readonly privateKey?: string; readonly auth?: string } = {}) {
    if (privateKey === undefined) this.#keys.generateKeys()
    else this.#keys.setPrivateKey(privateKey, 'base64url')
    this.#auth = auth === undefined ? randomBytes(16) : Buffer.from(auth, 'base64url')
  }

  get p256dh(): string {
    return this.#keys.getPublicKey('base64url')
  }

  get auth(): string {
    return this.#auth.toString('base64url')
  }

  /** Throws for what was not encrypted for this subscription. */
  decrypt(body: Buffer): string {
    const salt = body.subarray(0, 16)
    const keyBytes = body.readUInt8(20)
    const sender = body.subarray(HEADER_BYTES, HEADER_BYTES + keyBytes)
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#keys.getPublicKey(), sender])
    const derive = (secret: Buffer, by: Buffer, what: Buffer | string, bytes: number) =>
      Buffer.from(hkdfSync('sha256', secret, by, what, bytes))
    const secret = derive(this.#keys.computeSecret(sender), this.#auth, info, 32)
    const key = derive(secret, salt, 'Content-Encoding: aes128gcm\0', 16)
    const nonce = derive(secret, salt, 'Content-Encoding: nonce\0', 12)
    const record = body.subarray(HEADER_BYTES + keyBytes)
    const decipher = createDecipheriv('aes-128-gcm', key, nonce)
    decipher.setAuthTag(record.subarray(-TAG_BYTES))
    const padded = Buffer.concat([decipher.update(record.subarray(0, -TAG_BYTES)), decipher.final()])
    // The last record ends in 2, and zeros after it.
    return padded.subarray(0, padded.lastIndexOf(2)).toString('utf8')
  }
}
