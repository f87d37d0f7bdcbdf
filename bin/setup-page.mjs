// Builds the gateway's web page into dist/web: hashed names, and each file compressed once for all who will ask.
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

for (const name of readdirSync(OUT, { recursive: true, encoding: 'utf8' })) {
  if (!COMPRESSIBLE.test(name)) continue
  const bytes = readFileSync(join(OUT, name))
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  writeFileSync(join(OUT, `${name}.br`), brotliCompressSync(bytes, { params }))
  writeFileSync(join(OUT, `${name}.gz`), gzipSync(bytes, { level: 9 }))
}
