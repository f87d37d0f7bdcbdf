import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

/** How a file of the page is sent, best first for whoever takes it. */
export type Encoding = 'br' | 'gzip' | 'identity'

export interface PageFile {
  readonly type: string
  readonly etag: string
  /** Its name holds a hash of its content: the same name is the same file for ever. */
  readonly hashed: boolean
  readonly bodies: ReadonlyMap<Encoding, Buffer>
}

/** The web page as it was built, by path ("/assets/main-Bx3.js"). */
export type PageFiles = ReadonlyMap<string, PageFile>

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
}
const COMPRESSED: readonly (readonly [suffix: string, encoding: Encoding])[] = [
  ['.br', 'br'],
  ['.gz', 'gzip'],
]

/** All of it, a few hundred kilobytes, in memory: no request reaches the file system. Null where nothing was built. */
export function readPageFiles(dir: string): PageFiles | null {
  const files = new Map<string, PageFile>()
  for (const name of namesIn(dir)) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const plain = readFileSync(join(dir, name))
    const bodies = new Map<Encoding, Buffer>()
    for (const [suffix, encoding] of COMPRESSED) {
      const bytes = readIfThere(join(dir, name + suffix))
      if (bytes) bodies.set(encoding, bytes)
    }
    bodies.set('identity', plain)
    const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
    const path = `/${name.replaceAll('\\', '/')}`
    files.set(path, { type, etag, hashed: path.startsWith('/assets/'), bodies })
  }
  return files.has('/index.html') ? files : null
}

/** Which version of the page these are, as its build wrote it into the document. */
export function pageIdOf(files: PageFiles | null): string | null {
  const document = files?.get('/index.html')?.bodies.get('identity')
  return /<meta name="vendue-page" content="([\w-]+)"/.exec(String(document ?? ''))?.[1] ?? null
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir, { recursive: true, encoding: 'utf8' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
