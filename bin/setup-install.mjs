import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { dropUnusableNode } from './setup-run.mjs'
import { ROOT, runTool, SetUpError, say, writeStamp } from './setup-tools.mjs'

const MODULES = join(ROOT, 'node_modules')
const STAMP = join(MODULES, '.vendue-setup')
const HIDDEN_LOCKFILE = join(MODULES, '.package-lock.json')

export function isInstalled() {
  return readStamp() === expectedStamp()
}

/** Installs exactly what package-lock.json says, unless npm has already done so. */
export async function install(session) {
  const expected = expectedStamp()
  if (!readStamp() && holdsLockfile()) return writeStamp(STAMP, expected)
  say(`Installing dependencies (${readStamp() ? 'package-lock.json has changed' : 'first run'}) ...`)
  // What an interrupted install leaves behind must not look complete.
  rmSync(STAMP, { force: true })
  rmSync(HIDDEN_LOCKFILE, { force: true })
  const { code, killedBy, output } = await npmCi(session)
  if (code !== 0) {
    throw new SetUpError(`npm ci ended with ${killedBy ?? code}`, { output, hint: installHint(output) })
  }
  dropUnusableNode()
  writeStamp(STAMP, expected)
}

function expectedStamp() {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex')
  return `${lockfile} ${process.platform} ${process.arch}\n`
}

function readStamp() {
  try {
    return readFileSync(STAMP, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return ''
    throw error
  }
}

/** Whether somebody ran `npm ci` or `npm install` by hand: the same packages, dev ones too, are all in place. */
function holdsLockfile() {
  try {
    const wanted = readPackages(join(ROOT, 'package-lock.json'))
    const found = readPackages(HIDDEN_LOCKFILE)
    return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
      if (path === '') return true
      if (!found[path]) return optional === true
      return (
        found[path].version === version &&
        found[path].integrity === integrity &&
        existsSync(join(ROOT, path, 'package.json'))
      )
    })
  } catch {
    return false
  }
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

async function npmCi(session) {
  const options = [
    'ci',
    // None of the packages needs one: what is native brings its binaries.
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
  ]
  const cli = npmCli()
  try {
    return cli ? await runTool(process.execPath, [cli, ...options], session) : await runTool('npm', options, session)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    throw new SetUpError('npm was not found', {
      hint: 'npm comes with Node: install it, or put it on the PATH.',
    })
  }
}

/** The npm that runs us, or the one beside our Node; undefined leaves it to the PATH. */
function npmCli() {
  const running = process.env.npm_execpath
  const bin = dirname(process.execPath)
  return [
    running && basename(running) === 'npm-cli.js' ? running : '',
    join(bin, '../lib/node_modules/npm/bin/npm-cli.js'),
    join(bin, 'node_modules/npm/bin/npm-cli.js'),
  ].find((path) => path && existsSync(path))
}

const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|network/

function installHint(output) {
  if (/ENOSPC/.test(output)) return 'The disk is full: make room and try again.'
  if (/EACCES|EROFS/.test(output))
    return `npm must be able to write in ${ROOT} and in its cache (npm config get cache).`
  if (UNREACHABLE.test(output))
    return 'npm could not reach its registry: check the network (or the proxy: npm config get proxy) and try again.'
  if (/EUSAGE/.test(output)) return 'package.json and package-lock.json disagree: npm install brings them together.'
  return `To see more, run "npm ci" in ${ROOT}.`
}
