import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT, say } from './setup-tools.mjs'

// The lock is a directory that holds one file, named after its owner. Both ways to get it are one atomic rename:
// a prepared directory onto a free lock (which fails while an owner's file is in there), or a dead owner's file to
// one's own name (which succeeds for one taker only, and never hits a newer owner). It lies in dist/, which npm
// does not wipe.
const LOCK = join(ROOT, 'dist', '.setup-lock')

const POLL_MS = 100
const HEARTBEAT_MS = 1_000
/** For owners that cannot be asked: on another host, or whose process id has gone to somebody else. */
const SILENT_AFTER_MS = 5 * 60_000

/** Waits for the other set-ups in this directory. */
export async function acquireLock(signal) {
  const mine = ownerName()
  const prepared = `${LOCK}-${mine}`
  try {
    await take(prepared, mine, signal)
  } finally {
    rmSync(prepared, { recursive: true, force: true })
  }
  const heartbeat = setInterval(() => quietly(() => utimesSync(join(LOCK, mine), new Date(), new Date())), HEARTBEAT_MS)
  heartbeat.unref()
  return {
    /** A tool can outlive a killed owner, and goes on writing: the lock is not free before both have ended. */
    noteTool(pid) {
      quietly(() => pid && writeFileSync(join(LOCK, mine), `${pid}`))
    },
    release() {
      clearInterval(heartbeat)
      rmSync(join(LOCK, mine), { force: true })
      removeIfEmpty(LOCK)
    },
  }
}

async function take(prepared, mine, signal) {
  let seen = { owner: '', beat: 0, sinceMs: 0 }
  let said = false
  for (;;) {
    // Again each time: somebody may have removed dist/ and this with it.
    mkdirSync(prepared, { recursive: true })
    writeFileSync(join(prepared, mine), '')
    if (tryRename(prepared, LOCK)) return
    const owner = currentOwner()
    if (owner) {
      const beat = modifiedAt(join(LOCK, owner))
      if (owner !== seen.owner || beat !== seen.beat) seen = { owner, beat, sinceMs: performance.now() }
      const silent = performance.now() - seen.sinceMs > SILENT_AFTER_MS
      if ((silent || isDead(owner)) && tryRename(join(LOCK, owner), join(LOCK, mine))) return
      if (!said) say(`Waiting for another set-up of this directory (process ${parse(owner).pid}) ...`)
      said = true
    } else {
      // Only Windows needs this: elsewhere the rename replaces an empty directory.
      removeIfEmpty(LOCK)
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => {})
    signal.throwIfAborted()
  }
}

function ownerName() {
  const host = hostname().replace(/[^\w-]/g, '_')
  return `${process.pid}.${randomBytes(4).toString('hex')}.${host}`
}

function parse(owner) {
  const [pid, , host] = owner.split('.')
  return { pid: Number(pid), host }
}

function isDead(owner) {
  const { pid, host } = parse(owner)
  if (host !== parse(ownerName()).host) return false
  // In a restarted container this process may have the id of the one that died.
  return (pid === process.pid || !runs(pid)) && !runs(readTool(owner))
}

function runs(pid) {
  if (!Number.isSafeInteger(pid) || pid < 1) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code !== 'ESRCH'
  }
}

function readTool(owner) {
  try {
    return Number(readFileSync(join(LOCK, owner), 'utf8'))
  } catch {
    return 0
  }
}

function currentOwner() {
  try {
    return readdirSync(LOCK)[0]
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function tryRename(from, to) {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) return false
    throw error
  }
}

function removeIfEmpty(path) {
  try {
    rmdirSync(path)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) throw error
  }
}

function modifiedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Somebody may remove dist/ with the lock in it: the work itself will notice if that matters. */
function quietly(write) {
  try {
    write()
  } catch {}
}
