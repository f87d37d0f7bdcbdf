import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The sources are not copied to the build. */
const SOURCE = new URL('../../../test/support/power-loss.c', import.meta.url).pathname

/** Why there is no power-loss disk here; null where there can be one. */
export function powerLossObstacle(): string | null {
  if (process.platform !== 'linux') return 'power loss is simulated on Linux only'
  return spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0 ? null : 'no C compiler (cc)'
}

/**
 * A directory on a disk whose power can fail: after `cut` it holds only what the process that ran with
 * the environment of `powerOn` had synced, files as well as names. One process at a time.
 */
export class PowerLossDisk {
  readonly dir: string
  readonly #base: string
  readonly #library: string

  /** The directory is made where there is none. */
  constructor(dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    this.dir = realpathSync(dir)
    this.#base = mkdtempSync(join(tmpdir(), 'vendue-power-'))
    this.#library = join(this.#base, 'power-loss.so')
    const flags = ['-shared', '-fPIC', '-O2', '-D_LARGEFILE64_SOURCE', '-o', this.#library, SOURCE, '-ldl']
    execFileSync('cc', [...flags, '-lpthread'])
  }

  /** What lies in the directory now is on the disk. Returns the environment of the process to start. */
  powerOn(): NodeJS.ProcessEnv {
    rmSync(this.#shadow, { recursive: true, force: true })
    mkdirSync(join(this.#shadow, 'data'), { recursive: true })
    const names = readdirSync(this.dir, { withFileTypes: true }).filter((entry) => entry.isFile())
    for (const { name } of names) copyFileSync(join(this.dir, name), join(this.#shadow, 'data', name))
    writeFileSync(join(this.#shadow, 'names'), names.map(({ name }) => `${name}\n`).join(''))
    return {
      LD_PRELOAD: this.#library,
      POWER_LOSS_DIR: this.dir,
      POWER_LOSS_SHADOW: this.#shadow,
      POWER_LOSS_EIO: this.#eio,
    }
  }

  /** From now on every sync fails with EIO, or none any more. */
  failSyncs(fail: boolean): void {
    if (fail) writeFileSync(this.#eio, '')
    else rmSync(this.#eio, { force: true })
  }

  /**
   * Throws away what was not synced. The process must have ended. A folder within the directory comes back empty, as if
   * nothing in it had been synced.
   */
  cut(): void {
    const folders = new Set(foldersIn(this.dir))
    const names = readFileSync(join(this.#shadow, 'names'), 'utf8').split('\n').filter(Boolean)
    rmSync(this.dir, { recursive: true })
    mkdirSync(this.dir, { mode: 0o700 })
    // SQLite rebuilds its shared memory, which it maps and never syncs.
    for (const name of names.filter((each) => !each.endsWith('-shm'))) {
      const kept = join(this.#shadow, 'data', name)
      if (folders.has(name)) mkdirSync(join(this.dir, name), { mode: 0o700 })
      else if (existsSync(kept)) copyFileSync(kept, join(this.dir, name))
      else writeFileSync(join(this.dir, name), '', { mode: 0o600 })
    }
  }

  dispose(): void {
    rmSync(this.#base, { recursive: true, force: true })
  }

  get #shadow(): string {
    return join(this.#base, 'shadow')
  }

  get #eio(): string {
    return join(this.#base, 'fail-syncs')
  }
}

function foldersIn(dir: string): string[] {
  const entries = readdirSync(dir, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}
