/** A mail as its reader sees it. */
export interface ReceivedMail {
  /** By name in small letters; each as often as it is there. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly text: string
  readonly html: string
  readonly raw: string
}

export function readMail(raw: string): ReceivedMail {
  const { headers, body } = split(raw)
  const boundary = /boundary="?([^";]+)"?/.exec(headers.get('content-type')?.[0] ?? '')?.[1]
  if (boundary === undefined) throw new Error(`this mail has one part:\n${raw}`)
  const parts = body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => split(part.replace(/^\r\n/, '')))
  const part = (type: string) => {
    const found = parts.find((one) => one.headers.get('content-type')?.[0]?.startsWith(type))
    if (!found) throw new Error(`this mail has no ${type}:\n${raw}`)
    return decode(found.body, found.headers.get('content-transfer-encoding')?.[0] ?? '7bit')
  }
  return { headers, text: part('text/plain'), html: part('text/html'), raw }
}

function split(raw: string) {
  const end = raw.indexOf('\r\n\r\n')
  const headers = new Map<string, string[]>()
  for (const line of raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), words(line.slice(name.length + 1).trim())])
  }
  return { headers, body: raw.slice(end + 4) }
}

/** Encoded words (RFC 2047). */
function words(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([BQ])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      decode(word.replaceAll('_', kind.toUpperCase() === 'Q' ? ' ' : '_'), kind.toUpperCase() === 'B' ? 'base64' : 'q'),
    )
}

function decode(text: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString('utf8')
  if (encoding === '7bit') return text
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
