import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/**
 * Writes a file that only its owner may read, whole or not at all: a crash leaves no half of a secret. It
 * survives the loss of power once this returns.
 */
export function writePrivateFile(path: string, content: string): void {
  const draft = `${path}.${process.pid}.tmp`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  syncDirectory(dirname(path))
}

/** As `writePrivateFile`, if there is no such file yet; false if there is. Of two processes, one makes it. */
export function createPrivateFile(path: string, content: string): boolean {
  const draft = `${path}.new-${process.pid}-${randomBytes(6).toString('hex')}`
  writePrivateFile(draft, content)
  try {
    linkSync(draft, path)
    syncDirectory(dirname(path))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    unlinkSync(draft)
  }
}

/** A copy restored from a backup may be readable by others. */
export function keepPrivate(path: string): void {
  if ((statSync(path).mode & 0o077) !== 0 && process.platform !== 'win32') chmodSync(path, 0o600)
}

/**
 * A new name survives the loss of power only once its directory does. Windows cannot sync directories, and need not.
 */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
