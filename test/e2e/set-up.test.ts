import { execFile } from 'node:child_process'
import { cpSync, existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { makeTempDir } from '../support/temp-dir.js'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../../..')
const SOURCES = ['bin', 'demo', 'proto', 'services', 'src']
const CONFIG = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.programs.json',
  'buf.yaml',
  'buf.gen.yaml',
]

describe('a checkout that has not been built', () => {
  const { path, remove } = makeTempDir()
  const at = (name: string) => join(path, name)

  /** What setting it up for a program said, and what the program did. */
  const start = (...args: string[]) =>
    run(process.execPath, [at('bin/setup.mjs'), 'run', 'dist/bin/vendue.js', ...args], { cwd: path })

  before(() => {
    for (const name of [...SOURCES, ...CONFIG])
      cpSync(join(ROOT, name), at(name), { recursive: true, preserveTimestamps: true })
    symlinkSync(join(ROOT, 'node_modules'), at('node_modules'), 'junction')
  })
  after(remove)

  it('builds what a program needs before it starts: the page too, tests and their types not', async () => {
    const { stdout } = await start('--version')
    expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/)
    expect(existsSync(at('dist/web/index.html'))).to.equal(true)
    expect(existsSync(at('dist/.tsbuildinfo')), 'nothing was checked').to.equal(false)
  })

  it('builds again what has changed since, and nothing where nothing has', async () => {
    expect((await start('--version')).stderr).to.equal('')
    writeFileSync(at('src/adapters/system/version.ts'), "export const VERSION = '9.9.9'\n")
    const changed = await start('--version')
    expect(changed.stderr).to.contain('Building')
    expect(changed.stdout).to.equal('9.9.9\n')
  })

  it('is built whole, with its types checked, once that is asked for; programs start from it at once', async () => {
    writeFileSync(at('src/adapters/system/version.ts'), 'export const VERSION: string = 7\n')
    const refused = await run(process.execPath, [at('bin/setup.mjs')], { cwd: path }).then(
      () => 'built',
      ({ stderr }: { stderr: string }) => stderr,
    )
    expect(refused).to.match(/version\.ts\(1,14\): error TS2322/)
    writeFileSync(at('src/adapters/system/version.ts'), "export const VERSION = '8.8.8'\n")
    await run(process.execPath, [at('bin/setup.mjs')], { cwd: path })
    expect(await start('--version')).to.deep.equal({ stdout: '8.8.8\n', stderr: '' })
  })
})
