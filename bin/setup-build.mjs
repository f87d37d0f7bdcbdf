import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT, runTool, SetUpError, say, writeStamp } from './setup-tools.mjs'

const STAMP = join(ROOT, 'dist', '.vendue-build')
/** What tsc remembers of the last whole build. */
const NOTES = join(ROOT, 'dist', '.tsbuildinfo')
/** Of a build of what programs need alone, whose types nobody has checked. */
const PROGRAMS_STAMP = join(ROOT, 'dist', '.vendue-programs')
const PROGRAM_DIRS = ['bin', 'demo', 'src', 'services']
const SOURCE_DIRS = [...PROGRAM_DIRS, 'test', 'bench']
/** Code is made of it before tsc runs. */
const PROTO_DIR = 'proto'
const PROTO_STAMP = join(ROOT, 'gen', '.vendue-build')
const PROTO_CONFIG = ['buf.yaml', 'buf.gen.yaml']
const CONFIG_FILES = ['package-lock.json', 'package.json', 'tsconfig.json', 'tsconfig.programs.json', ...PROTO_CONFIG]
/** Belongs to the set-up, or to the web page, which has a build of its own: neither compiled nor copied. */
const APART = /^(bin\/((setup|prepack)[^/]*\.mjs|runtime\/.*)|services\/gateway\/web\/(?!model\/|texts\/).*)$/
/** What the web page is made of: it is built again where any of it has changed. */
const PAGE = /^(services\/gateway\/web\/|src\/(client|domain|ports|application)\/|bin\/setup-page\.mjs$)/
const PAGE_STAMP = join(ROOT, 'dist', 'web', '.vendue-build')
const PAGE_UNCHECKED_STAMP = join(ROOT, 'dist', 'web', '.vendue-unchecked')
const EXECUTABLES = ['bin/vendue.js']

/** A whole build does for programs, too. */
export function isBuilt({ programsOnly }) {
  const sources = listSources()
  const isWhole = readStamp(STAMP) === fingerprint(sources) && missingOutputs(sources).length === 0
  if (!programsOnly) return isWhole && readStamp(PAGE_STAMP) === pageFingerprint(sources)
  const programs = sources.filter(isProgram)
  const isThere = readStamp(PROGRAMS_STAMP) === fingerprint(programs) && missingOutputs(programs).length === 0
  return (isWhole || isThere) && [PAGE_STAMP, PAGE_UNCHECKED_STAMP].some(isPageOf(sources))
}

/**
 * Compiles and copies what changed, and takes out of dist/ what has no source any more. What programs need is ready in
 * a fraction of the time: neither tests nor types, which whoever changes something checks by `npm run build` or `npm
 * test`.
 */
export async function build(wanted, session) {
  say('Building ...')
  // Where all has been built before, tsc goes on from its notes; of two that write the same files, neither could trust
  // its own.
  const programsOnly = wanted.programsOnly && !existsSync(NOTES)
  // Taken before tsc reads: what changes meanwhile is built next time.
  const all = listSources()
  const sources = programsOnly ? all.filter(isProgram) : all
  const [stamp, project] = programsOnly ? [PROGRAMS_STAMP, 'tsconfig.programs.json'] : [STAMP, 'tsconfig.json']
  const expected = fingerprint(sources)
  for (const old of [STAMP, PROGRAMS_STAMP]) rmSync(old, { force: true })
  sweep(all)
  // tsc trusts its notes, and would not write again what somebody removed.
  if (missingOutputs(sources).length > 0) rmSync(NOTES, { force: true })

  await generate(session)
  await compile(join(ROOT, project), session)
  for (const path of sources.filter(isAsset)) {
    mkdirSync(dirname(join(ROOT, 'dist', path)), { recursive: true })
    copyFileSync(join(ROOT, path), join(ROOT, 'dist', path))
  }
  for (const path of EXECUTABLES.filter((path) => existsSync(join(ROOT, 'dist', path)))) {
    chmodSync(join(ROOT, 'dist', path), 0o755)
  }
  await buildPage(all, { programsOnly }, session)
  writeStamp(stamp, expected)
}

/** What messages of gRPC look like, as TypeScript: only where they have changed. */
async function generate(session) {
  const expected = protoFingerprint()
  if (readStamp(PROTO_STAMP) === expected) return
  await runStep('buf generate', [join(ROOT, 'node_modules/@bufbuild/buf/bin/buf'), 'generate'], session)
  writeStamp(PROTO_STAMP, expected)
}

function protoFingerprint() {
  return fingerprint(listFiles(ROOT, PROTO_DIR))
}

/** Takes a second or two: only where something that the page is made of has changed. */
async function buildPage(sources, { programsOnly }, session) {
  const isPage = isPageOf(sources)
  if (isPage(PAGE_STAMP)) return
  if (!programsOnly) {
    // Types come from what was compiled above; the bundler does not check any.
    await compile(join(ROOT, 'services/gateway/web'), session)
    // Runs code of the node in the browser, and needs its types.
    await compile(join(ROOT, 'services/gateway/web/app/verify'), session)
    await compile(join(ROOT, 'services/gateway/web/worker'), session)
  }
  if (!isPage(PAGE_UNCHECKED_STAMP))
    await runStep('the build of the web page', [join(ROOT, 'bin/setup-page.mjs')], session)
  writeStamp(programsOnly ? PAGE_UNCHECKED_STAMP : PAGE_STAMP, pageFingerprint(sources))
}

function isPageOf(sources) {
  const expected = pageFingerprint(sources)
  return (stamp) => readStamp(stamp) === expected
}

function isProgram(path) {
  return [...PROGRAM_DIRS, PROTO_DIR].includes(path.split('/')[0])
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
  return [...SOURCE_DIRS, PROTO_DIR]
    .flatMap((dir) => listFiles(ROOT, dir))
    .filter((path) => !path.startsWith('bench/results/'))
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
  return !path.endsWith('.ts') && !path.endsWith('.proto') && !APART.test(path)
}

function outputsOf(path) {
  if (APART.test(path)) return []
  if (path.endsWith('.proto')) return [`gen/${path.slice(`${PROTO_DIR}/`.length, -'.proto'.length)}_pb.js`]
  if (isAsset(path)) return [path]
  if (!path.endsWith('.ts') || path.endsWith('.d.ts')) return []
  const stem = path.slice(0, -'.ts'.length)
  return [`${stem}.js`, `${stem}.js.map`, `${stem}.d.ts`]
}

function missingOutputs(sources) {
  return sources.flatMap((path) => outputsOf(path).slice(0, 1)).filter((path) => !existsSync(join(ROOT, 'dist', path)))
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
