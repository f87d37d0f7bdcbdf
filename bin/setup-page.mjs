// Builds the gateway's web page into dist/web: hashed names, and each file compressed once for all who will ask.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'
import { ROOT } from './setup-tools.mjs'

const SOURCE = join(ROOT, 'services/gateway/web')
const OUT = join(ROOT, 'dist/web')
/** What the code that checks logs takes from Node. */
const NODE_SHIMS = join(SOURCE, 'app/verify/node-shims.ts')
/** Others, such as fonts, are compressed already. */
const COMPRESSIBLE = /\.(html|js|css|svg|json|webmanifest)$/

rmSync(OUT, { recursive: true, force: true })
await build({
  root: SOURCE,
  configFile: false,
  logLevel: 'warn',
  base: '/',
  publicDir: join(SOURCE, 'public'),
  resolve: {
    alias: {
      'vendue/client': join(ROOT, 'src/client/browser.ts'),
      'node:crypto': NODE_SHIMS,
      'node:buffer': NODE_SHIMS,
      'node:zlib': NODE_SHIMS,
    },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: 'es2023',
    assetsDir: 'assets',
    // What is inlined would need a weaker Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})

const id = nameTheDocument()
await build({
  root: SOURCE,
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  define: { __SHELL__: JSON.stringify({ id, files: shellFiles() }) },
  build: {
    outDir: OUT,
    emptyOutDir: false,
    target: 'es2023',
    reportCompressedSize: false,
    rolldownOptions: {
      input: join(SOURCE, 'worker/service-worker.ts'),
      // Its address stays the same: browsers look there for the next version.
      output: { format: 'iife', entryFileNames: 'sw.js' },
    },
  },
})

for (const name of readdirSync(OUT, { recursive: true, encoding: 'utf8' })) {
  if (!COMPRESSIBLE.test(name)) continue
  const bytes = readFileSync(join(OUT, name))
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  writeFileSync(join(OUT, `${name}.br`), brotliCompressSync(bytes, { params }))
  writeFileSync(join(OUT, `${name}.gz`), gzipSync(bytes, { level: 9 }))
}

/** Writes into the document which version of the page it is: a hash of all its files. */
function nameTheDocument() {
  const path = join(OUT, 'index.html')
  const hash = createHash('sha256')
  for (const entry of readdirSync(OUT, { recursive: true, withFileTypes: true }).sort(byName)) {
    if (entry.isFile()) hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)))
  }
  const id = hash.digest('base64url').slice(0, 22)
  writeFileSync(path, readFileSync(path, 'utf8').replace('__PAGE_ID__', id))
  return id
}

/**
 * What the page needs to open without a gateway. Letters of other scripts and the check of logs wait until they are
 * asked for.
 */
function shellFiles() {
  return readdirSync(OUT, { recursive: true, encoding: 'utf8' })
    .map((name) => `/${name.replaceAll('\\', '/')}`)
    .filter((name) => /\.(js|css|woff2|svg|webmanifest)$/.test(name) && !/-ext-|verify-worker/.test(name))
    .sort()
}

function byName(a, b) {
  return a.name < b.name ? -1 : 1
}
