import { isUtf8 } from 'node:buffer'

export interface JsonLimits {
  readonly maxDepth: number
  /** Values, counted by their commas and brackets. */
  readonly maxValues: number
}

export const REQUEST_JSON: JsonLimits = { maxDepth: 32, maxValues: 100_000 }
export const ANSWER_JSON: JsonLimits = { maxDepth: 32, maxValues: 2_000_000 }

/** Text that is not JSON we are ready to read; the message says why. */
export class JsonTextError extends Error {
  readonly code = 'MALFORMED'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'JsonTextError'
  }
}

/** Throws `JsonTextError`. */
export function parseJson(text: Buffer, limits: JsonLimits): unknown {
  if (!isUtf8(text)) throw new JsonTextError('the text is not valid UTF-8')
  if (text.length > UNCHECKED_BYTES) checkStructure(text, limits)
  try {
    return JSON.parse(text.toString('utf8'))
  } catch (cause) {
    throw new JsonTextError('the text is not valid JSON', { cause })
  }
}

/** Below this nothing that parses can hurt. */
const UNCHECKED_BYTES = 16_384
const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * 8 MB of brackets hold JSON.parse, and with it the whole node, for two seconds; this look at the bytes takes a
 * hundredth of that.
 */
function checkStructure(text: Buffer, { maxDepth, maxValues }: JsonLimits): void {
  let depth = 0
  let values = 0
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case QUOTE:
        for (i += 1; i < text.length && text[i] !== QUOTE; i++) if (text[i] === BACKSLASH) i += 1
        break
      case 0x5b: // [
      case 0x7b: // {
        depth += 1
        values += 1
        if (depth > maxDepth) throw new JsonTextError(`the JSON nests deeper than ${maxDepth} levels`)
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1
        break
      case 0x2c: // ,
        values += 1
        break
      default:
    }
    if (values > maxValues) throw new JsonTextError(`the JSON holds more than ${maxValues} values`)
  }
}
