import { gzipSync } from 'node:zlib'
import type { SeededRandom } from '../sim/seeded-random.js'

/** What breaks readers of JSON: types, ends of ranges, names with a meaning, text that is none. */
const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 53, -(2 ** 53), 1e308, '', ' ', '\u0000', '\ud800', '💥'],
  ...['__proto__', 'constructor', 'NaN', '../../etc/passwd', '%n%s', "' OR 1=1 --", 'A'.repeat(5_000)],
  ...[[], {}, [[]], { length: 1e9 }, { toString: 1 }, { toJSON: 'x' }, 'auc_', 'node_', '127.0.0.1:0'],
]
const ODD_KEYS = ['__proto__', 'constructor', 'toString', 'length', '', 'x'.repeat(300), 'params', 'token']

/** A copy of a value with one thing in it made wrong. */
export function mutated(value: unknown, random: SeededRandom): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.1)) return random.pick(ODD_VALUES)
  if (Array.isArray(value)) {
    if (value.length === 0 || random.chance(0.2)) return [...value, random.pick(ODD_VALUES)]
    if (random.chance(0.1)) return Array.from({ length: 1_500 }, () => value[0])
    const at = random.int(0, value.length - 1)
    return value.map((item, i) => (i === at ? mutated(item, random) : item))
  }
  const entries = Object.entries(value)
  const at = random.int(0, Math.max(0, entries.length - 1))
  if (random.chance(0.15)) return Object.fromEntries(entries.filter((_, i) => i !== at))
  if (entries.length === 0 || random.chance(0.15)) {
    // Defined, since assigning to `__proto__` would set the prototype.
    return Object.fromEntries([...entries, [random.pick(ODD_KEYS) ?? '', random.pick(ODD_VALUES)]])
  }
  return Object.fromEntries(entries.map(([key, item], i) => [key, i === at ? mutated(item, random) : item]))
}

/** Bytes with some of them changed, left out, doubled, or cut off. */
export function mangled(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(bytes)
  for (let flips = random.int(1, 6); flips > 0; flips--)
    if (copy.length > 0) copy[random.int(0, copy.length - 1)] = random.int(0, 255)
  const at = random.int(0, copy.length)
  switch (random.int(0, 3)) {
    case 0:
      return copy.subarray(0, at)
    case 1:
      return Buffer.concat([copy.subarray(0, at), random.bytes(random.int(1, 64)), copy.subarray(at)])
    case 2:
      return Buffer.concat([copy, copy])
    default:
      return copy
  }
}

export interface FuzzBody {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** One request to an RPC that is almost right, or not at all. */
export function fuzzBody(rpc: string, params: unknown, random: SeededRandom): FuzzBody {
  const envelope = ['r', rpc, { params }]
  const plain = (body: Buffer | string): FuzzBody => ({ body: Buffer.from(body), headers: {} })
  const kind = random.int(0, 99)
  if (kind < 60) return plain(JSON.stringify(['r', rpc, { params: mutated(params, random) }]))
  if (kind < 70) return plain(JSON.stringify(mutated(envelope, random)) ?? '')
  if (kind < 82) return plain(mangled(Buffer.from(JSON.stringify(envelope)), random))
  if (kind < 86) return plain(random.bytes(random.int(0, 2_000)) as Buffer)
  if (kind < 90) {
    const depth = random.int(50, 20_000)
    const deep = `${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`
    return plain(`["r",${JSON.stringify(rpc)},{"params":${deep}}]`)
  }
  if (kind < 92) return plain(JSON.stringify(['r', rpc, { params, filler: 'x'.repeat(random.int(1e5, 1e6)) }]))
  const header = random.pick([{ 'content-encoding': 'gzip' }, { 'grc-compress': 'gzip' }]) ?? {}
  if (kind < 96)
    return {
      body: gzipSync(JSON.stringify(['r', rpc, { params: mutated(params, random) }])),
      headers: header,
    }
  if (kind < 99) return { body: mangled(gzipSync(JSON.stringify(envelope)), random), headers: header }
  return { body: BOMB, headers: header }
}

/** 16 KB that unpack to 16 MB, twice what a request may hold. */
const BOMB = gzipSync(Buffer.alloc(16 * 1024 * 1024, ' '))
