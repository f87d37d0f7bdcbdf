/** 2^255 - 19: coordinates of points of Ed25519 are counted up to it. */
const P = 2n ** 255n - 19n
/** y of two points of order 8. */
const Y8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n

/** Of the eight points of small order, whichever sign of x goes with them. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([0n, 1n, P - 1n, Y8, P - Y8])

/**
 * Whether 32 bytes stand for one of the eight points of small order, or for a point in another spelling than its own.
 * A signature by such a key holds for texts that nobody has signed, so that it proves nothing. OpenSSL refuses these
 * keys from 3.5 on, the versions before take them. The list is that of "Taming the many EdDSAs" (Chalkias, Garillot,
 * Nikolaenko, 2020).
 */
export function isWeakKey(bytes: Uint8Array): boolean {
  let y = 0n
  for (let i = bytes.length - 1; i >= 0; i--) y = (y << 8n) | BigInt(bytes[i] as number)
  y &= (1n << 255n) - 1n
  return y >= P || SMALL_ORDER_Y.has(y)
}
