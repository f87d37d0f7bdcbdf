const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_LENGTH = 10
const RANDOM_LENGTH = 16

/** A new id of a command, in the form that every home takes as it is: the time, then 80 random bits. */
export function newCommandId(prefix: 'bid' | 'cmd', now: number): string {
  let time = ''
  for (let rest = Math.floor(now), i = 0; i < TIME_LENGTH; i++, rest = Math.floor(rest / 32)) {
    time = ALPHABET[rest % 32] + time
  }
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH))
  return `${prefix}_${time}${Array.from(random, (byte) => ALPHABET[byte % 32]).join('')}`
}
