import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { makeTempDir } from './temp-dir.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const PARTS = ['run-mocha', 'mocha-process', 'reporter', 'requires']

const FILES = {
  good: `it('holds', () => {})`,
  bad: `
    it('differs', () => { assert.deepEqual({ a: 1 }, { a: 2 }) })
    it('throws', () => { throw new Error('outer', { cause: new Error('inner') }) })`,
  skipped: `it('needs the moon', function () { skipUnless(this, false, 'there is no moon') })`,
  ends: `it('ends its process', () => process.exit(0))`,
  leaks: `it('leaves a timer', () => { setInterval(() => {}, 1_000) })`,
  'other-code': `it('sets an exit code', () => { process.exitCode = 3 })`,
  absent: `import './nowhere.js'`,
}

describe('the run of tests', () => {
  const { path, remove } = makeTempDir()

  before(() => {
    mkdirSync(join(path, 'dist/test/support'), { recursive: true })
    writeFileSync(join(path, 'package.json'), '{"type":"module"}')
    symlinkSync(join(ROOT, 'node_modules'), join(path, 'node_modules'), 'junction')
    for (const part of PARTS)
      cpSync(join(import.meta.dirname, `${part}.js`), join(path, `dist/test/support/${part}.js`))
    const imports = `import { assert } from 'chai'; import { skipUnless } from './support/requires.js'\n`
    for (const [name, body] of Object.entries(FILES))
      writeFileSync(join(path, `dist/test/${name}.test.js`), imports + body)
  })
  after(remove)

  const run = (args: readonly string[], env: NodeJS.ProcessEnv = { CI: 'false' }) => {
    const script = join(path, 'dist/test/support/run-mocha.js')
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
    return { status, out: stdout, err: stderr, counts: stdout.trimEnd().split('\n').at(-1) }
  }

  it('counts what passes, fails and is skipped in several processes, and says why', () => {
    const { status, out, counts } = run(['--jobs', '3', 'good', 'bad', 'skipped'])
    expect(counts).to.equal('1 passed, 2 failed, 1 skipped')
    expect(status).to.equal(1)
    expect(out).to.match(/-\s+"a": 1\n\s*\+\s+"a": 2/)
    expect(out).to.include('Error: outer').and.to.include('Caused by: Error: inner')
    expect(out).to.include('- needs the moon: there is no moon')
  })

  it('passes if all tests pass, whatever exit code they set', () => {
    const { status, counts } = run(['good', 'other-code'])
    expect(counts).to.equal('2 passed, 0 failed, 0 skipped')
    expect(status).to.equal(0)
  })

  it('fails in CI for what cannot run there', () => {
    expect(run(['good', 'skipped'], { CI: 'true' }).counts).to.equal('1 passed, 1 failed, 0 skipped')
  })

  it('blames a file whose process ends early, and runs the rest in another', () => {
    const { status, err, counts } = run(['--jobs', '1', 'ends', 'good', 'other-code'])
    expect(err).to.include('test/ends.test.js: its process ended early')
    expect(counts).to.equal('2 passed, 1 failed, 0 skipped')
    expect(status).to.equal(1)
  })

  it('blames a file that does not load', () => {
    const { err, counts } = run(['absent', 'good'])
    expect(err).to.include('test/absent.test.js does not run')
    expect(counts).to.equal('1 passed, 1 failed, 0 skipped')
  })

  it('fails for what is left open after the last test', () => {
    const { err, counts } = run(['leaks'])
    expect(err).to.match(/after the last test, these are still open:\n.*Timeout/)
    expect(counts).to.equal('1 passed, 1 failed, 0 skipped')
  })

  it('runs the tests whose titles match, and fails if there are none', () => {
    expect(run(['-g', 'holds']).out).not.to.include('differs')
    expect(run(['-g', 'nothing at all', 'good'])).to.include({ counts: '0 passed, 1 failed, 0 skipped', status: 1 })
    expect(run(['nowhere-at-all'])).to.include({ status: 1 })
  })
})
