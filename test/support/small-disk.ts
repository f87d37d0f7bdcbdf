import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { skipUnless } from './requires.js'

const BLOCK = Buffer.alloc(4_096)

export interface SmallDisk {
  /** Takes all the room that is left. */
  fill(): void
  /** Gives it back. */
  clear(): void
  unmount(): void
}

/** A disk of its own at this path, of a size such as `4m`. Where none can be mounted the test is skipped, and says so. */
export function mountSmallDisk(context: Context, path: string, size: string): SmallDisk {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const args = ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', path]
  const mounted = process.getuid?.() === 0 && spawnSync('mount', args, { stdio: 'ignore' }).status === 0
  skipUnless(context, mounted, 'a small disk can be mounted by root on Linux only')
  const ballast = join(path, 'ballast')
  return {
    fill: () => fill(ballast),
    clear: () => rmSync(ballast, { force: true }),
    unmount() {
      if (spawnSync('umount', [path]).status !== 0) throw new Error(`${path} is still mounted`)
    },
  }
}

function fill(path: string): void {
  for (;;) {
    try {
      appendFileSync(path, BLOCK)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
      throw error
    }
  }
}
