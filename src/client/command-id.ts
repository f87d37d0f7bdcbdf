const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_LENGTH = 10
const RANDOM_LENGTH = 16

/** How many characters a gateway adds to an id of its client, to mark the party. */
const MARK_LENGTH = 8

/** Whether an id, as an event or an answer names it, is that of a command that was sent under one of these. */
export function isCommandAmong(id: string, sent: ReadonlySet<string>): boolean {
  return sent.has(id) || sent.has(id.slice(0, -MARK_LENGTH))
}

/** A new id of a command, in the form that every home takes as it is: the time, then 80 random bits. */
export function newCommandId(prefix: 'bid' | 'cmd', now: number): string {
  let time = ''
  for (let rest = Math.floor(now), i = 0; i < TIME_LENGTH; i++, rest = Math.floor(rest / 32)) {
    time = ALPHABET[rest % 32] + time
  }
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH))
  return `${prefix}_${time}${Array.from(random, (byte) => ALPHABET[byte % 32]).join('')}`
}
