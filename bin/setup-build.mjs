import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT, runTool, SetUpError, say, writeStamp } from './setup-tools.mjs'

const STAMP = join(ROOT, 'dist', '.vendue-build')
const SOURCE_DIRS = ['bin', 'demo', 'src', 'services', 'test', 'bench']
const CONFIG_FILES = ['package-lock.json', 'package.json', 'tsconfig.json']
/** Belongs to the set-up, and is neither compiled nor copied. */
const SETUP = /^bin\/((setup|prepack)[^/]*\.mjs|runtime\/.*)$/
const EXECUTABLES = ['bin/vendue.js']

export function isBuilt() {
  const sources = listSources()
  return readStamp() === fingerprint(sources) && missingOutputs(sources).length === 0
}

/** Compiles and copies what changed, and takes out of dist/ what has no source any more. */
export async function build(session) {
  say('Building ...')
  // Taken before tsc reads: what changes meanwhile is built next time.
  const sources = listSources()
  const expected = fingerprint(sources)
  rmSync(STAMP, { force: true })
  sweep(sources)
  // tsc trusts its notes, and would not write again what somebody removed.
  if (missingOutputs(sources).length > 0) rmSync(join(ROOT, 'dist/.tsbuildinfo'), { force: true })

  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const colors = process.stderr.isTTY ? ['--pretty'] : []
  const { code, killedBy, output } = await runTool(process.execPath, [tsc, '-p', ROOT, ...colors], session)
  if (code !== 0) {
    throw new SetUpError(`tsc ended with ${killedBy ?? code}`, {
      output,
      hint: 'Mend what it complains about and try again.',
    })
  }
  for (const path of sources.filter(isAsset)) {
    mkdirSync(dirname(join(ROOT, 'dist', path)), { recursive: true })
    copyFileSync(join(ROOT, path), join(ROOT, 'dist', path))
  }
  for (const path of EXECUTABLES.filter((path) => existsSync(join(ROOT, 'dist', path)))) {
    chmodSync(join(ROOT, 'dist', path), 0o755)
  }
  writeStamp(STAMP, expected)
}

/** By content: a checkout or a copy changes times at will. A few hundred small files take some 20 ms. */
function fingerprint(sources) {
  const hash = createHash('sha256')
  for (const path of [...CONFIG_FILES, ...sources]) {
    const content = readFileSync(join(ROOT, path))
    hash.update(`${path}\0${content.length}\0`).update(content)
  }
  return `${hash.digest('hex')}\n`
}

function readStamp() {
  try {
    return readFileSync(STAMP, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return ''
    throw error
  }
}

function listSources() {
  return SOURCE_DIRS.flatMap((dir) => listFiles(ROOT, dir)).filter(
    (path) => !path.startsWith('bench/results/'),
  )
}

/** All files below, in one order everywhere, but for hidden ones (editors and systems leave those about). */
function listFiles(base, dir) {
  if (!existsSync(join(base, dir))) return []
  return readdirSync(join(base, dir), { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${dir}/${entry.name}`
      if (entry.isDirectory()) return listFiles(base, path)
      return entry.isFile() ? [path] : []
    })
}

/** Anything that tsc does not turn into something: SQL, web pages, fixtures. */
function isAsset(path) {
  return !path.endsWith('.ts') && !SETUP.test(path)
}

function outputsOf(path) {
  if (isAsset(path)) return [path]
  if (!path.endsWith('.ts') || path.endsWith('.d.ts')) return []
  const stem = path.slice(0, -'.ts'.length)
  return [`${stem}.js`, `${stem}.js.map`, `${stem}.d.ts`]
}

function missingOutputs(sources) {
  return sources
    .flatMap((path) => outputsOf(path).slice(0, 1))
    .filter((path) => !existsSync(join(ROOT, 'dist', path)))
}

function sweep(sources) {
  const dist = join(ROOT, 'dist')
  const wanted = new Set(sources.flatMap(outputsOf))
  for (const path of SOURCE_DIRS.flatMap((dir) => listFiles(dist, dir))) {
    if (wanted.has(path)) continue
    rmSync(join(dist, path), { force: true })
    removeEmptyParents(dist, dirname(path))
  }
}

function removeEmptyParents(base, dir) {
  if (dir === '.' || readdirSync(join(base, dir)).length > 0) return
  rmdirSync(join(base, dir))
  removeEmptyParents(base, dirname(dir))
}
