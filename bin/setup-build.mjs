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
/** Belongs to the set-up, or to the web page, which has a build of its own: neither compiled nor copied. */
const APART = /^(bin\/((setup|prepack)[^/]*\.mjs|runtime\/.*)|services\/gateway\/web\/(?!model\/|texts\/).*)$/
/** What the web page is made of: it is built again where any of it has changed. */
const PAGE = /^(services\/gateway\/web\/|src\/(client|domain|ports|application)\/|bin\/setup-page\.mjs$)/
const PAGE_STAMP = join(ROOT, 'dist', 'web', '.vendue-build')
const EXECUTABLES = ['bin/vendue.js']

export function isBuilt() {
  const sources = listSources()
  return (
    readStamp(STAMP) === fingerprint(sources) &&
    missingOutputs(sources).length === 0 &&
    readStamp(PAGE_STAMP) === pageFingerprint(sources)
  )
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

  await compile(ROOT, session)
  for (const path of sources.filter(isAsset)) {
    mkdirSync(dirname(join(ROOT, 'dist', path)), { recursive: true })
    copyFileSync(join(ROOT, path), join(ROOT, 'dist', path))
  }
  for (const path of EXECUTABLES.filter((path) => existsSync(join(ROOT, 'dist', path)))) {
    chmodSync(join(ROOT, 'dist', path), 0o755)
  }
  await buildPage(sources, session)
  writeStamp(STAMP, expected)
}

/** Takes a second or two: only where something that the page is made of has changed. */
async function buildPage(sources, session) {
  const expected = pageFingerprint(sources)
  if (readStamp(PAGE_STAMP) === expected) return
  // Types come from what was compiled above; the bundler does not check any.
  await compile(join(ROOT, 'services/gateway/web'), session)
  // Runs code of the node in the browser, and needs its types.
  await compile(join(ROOT, 'services/gateway/web/app/verify'), session)
  await compile(join(ROOT, 'services/gateway/web/worker'), session)
  await runStep('the build of the web page', [join(ROOT, 'bin/setup-page.mjs')], session)
  writeStamp(PAGE_STAMP, expected)
}

function compile(project, session) {
  const colors = process.stderr.isTTY ? ['--pretty'] : []
  return runStep('tsc', [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project, ...colors], session)
}

async function runStep(name, args, session) {
  const { code, killedBy, output } = await runTool(process.execPath, args, session)
  if (code === 0) return
  throw new SetUpError(`${name} ended with ${killedBy ?? code}`, {
    output,
    hint: 'Mend what it complains about and try again.',
  })
}

function pageFingerprint(sources) {
  return fingerprint(sources.filter((path) => PAGE.test(path)))
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

function readStamp(path) {
  try {
    return readFileSync(path, 'utf8')
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
  return !path.endsWith('.ts') && !APART.test(path)
}

function outputsOf(path) {
  if (APART.test(path)) return []
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
