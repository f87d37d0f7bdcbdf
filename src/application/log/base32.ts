const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Crockford's base 32 in lower case, without padding: the first `length` characters (5 bits each) of the bytes. */
export function base32(bytes: Uint8Array, length: number): string {
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 5 && text.length < length) {
      bits -= 5
      text += ALPHABET[(buffer >> bits) & 31]
    }
  }
  return text
}

/** A whole number in the same digits, most significant first, padded to `length`. */
export function base32Number(value: number, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text
  return text
}
