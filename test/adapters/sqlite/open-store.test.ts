import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { openAccountStore } from '../../../src/adapters/sqlite/open-account-store.js'
import { openStore } from '../../../src/adapters/sqlite/open-store.js'
import { openWriteConnection } from '../../../src/adapters/sqlite/sqlite-connection.js'
import { loadNodeKey } from '../../../src/adapters/system/node-key.js'
import { codeOf, everythingOf } from '../../contract/store-harness.js'
import { ALICE, BOB, HOUR, T0 } from '../../support/auction-scenario.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { skipUnless } from '../../support/requires.js'
import { makeTempDir } from '../../support/temp-dir.js'

describe('opening an SQLite store', () => {
  let dir: ReturnType<typeof makeTempDir>
  let dataDir: string
  let path: string

  beforeEach(() => {
    dir = makeTempDir()
    dataDir = join(dir.path, 'a', 'node')
    path = join(dataDir, 'vendue.db')
  })

  afterEach(() => dir.remove())

  async function filled(commits = 3) {
    const store = await openStore(dataDir)
    const auction = new CommitBuilder({
      closesAt: T0 + HOUR,
      reserve: 90_000,
      description: 'long '.repeat(500),
    })
    const entries = [auction.open(), auction.commit(auction.max(ALICE, 9_000), auction.max(BOB, 9_500))]
    for (let i = 0; i < commits; i++) entries.push(auction.bids(100))
    for (const entry of entries) await store.eventLog.append(entry)
    return { store, auction, entries }
  }

  async function rejection(promise: Promise<unknown>): Promise<{ code?: unknown; message: string }> {
    return promise.then(
      () => expect.fail('it opened'),
      (error: { code?: unknown; message: string }) => error,
    )
  }

  it('refuses a directory that holds a key and no database, and says what to do', async () => {
    await (await openStore(dataDir)).close()
    loadNodeKey(dataDir)
    rmSync(path)
    const error = await rejection(openStore(dataDir))
    expect(error.code).to.equal('STORE_MISSING')
    expect(error.message).to.include(path).and.to.include('restore').and.to.include('empty vendue.db')
    writeFileSync(path, '')
    await (await openStore(dataDir)).close()
  })

  it('makes the directory for its owner alone, and finds everything again', async () => {
    const { store, auction, entries } = await filled()
    expect(statSync(dataDir).mode & 0o777).to.equal(0o700)
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    expect(statSync(`${path}-wal`).mode & 0o777).to.equal(0o600)
    await store.outcomes.record([])
    const before = await everythingOf(store, auction.auctionId, entries)
    await store.close()
    expect(readdirSync(dataDir).sort()).to.deep.equal(['node.lock', 'vendue.db'])
    const again = await openStore(dataDir)
    expect(await everythingOf(again, auction.auctionId, entries)).to.deep.equal(before)
    expect(await again.eventLog.append(auction.bids(1))).to.equal(entries.length + 1)
    await again.close()
  })

  it('makes durable what a killed process may have left unsynced', async () => {
    const { store, auction } = await filled()
    const copy = join(dir.path, 'copy')
    mkdirSync(copy)
    for (const name of ['vendue.db', 'vendue.db-wal']) copyFileSync(join(dataDir, name), join(copy, name))
    await store.close()
    expect(statSync(join(copy, 'vendue.db-wal')).size).to.be.above(0)
    const again = await openStore(copy)
    try {
      // What was in the write-ahead log has been synced and moved into the database.
      expect(statSync(join(copy, 'vendue.db-wal')).size).to.equal(0)
      expect((await again.auctions.find(auction.auctionId))?.head).to.deep.equal(auction.head)
    } finally {
      await again.close()
    }
  })

  it('syncs every commit to disk, and refuses a disk where it cannot', () => {
    mkdirSync(dataDir, { recursive: true })
    const db = openWriteConnection(path)
    expect(db.pragma('journal_mode', { simple: true })).to.equal('wal')
    expect(db.pragma('synchronous', { simple: true })).to.equal(2)
    db.close()
    // A database in memory has no write-ahead log, like one on some network file systems.
    expect(() => openWriteConnection(':memory:'))
      .to.throw(/journal_mode is memory/)
      .with.property('code', 'STORE_UNSAFE')
  })

  it('refuses a directory that another node has, names its pid, and opens it once that is gone', async () => {
    const { store } = await filled()
    const error = await rejection(openStore(dataDir))
    expect(error.code).to.equal('DATA_DIR_IN_USE')
    expect(error.message).to.include(`pid ${process.pid}`).and.to.include(dataDir)
    await store.close()
    await (await openStore(dataDir)).close()
  })

  it('is free again at once after the node that used it was killed', async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./append-process.js', import.meta.url)), dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    await once(lines, 'line')
    const error = await rejection(openStore(dataDir))
    expect(error.code).to.equal('DATA_DIR_IN_USE')
    expect(error.message).to.include(`pid ${child.pid}`)
    child.kill('SIGKILL')
    await once(child, 'close')
    const store = await openStore(dataDir)
    expect(await store.eventLog.position()).to.be.greaterThan(0)
    await store.close()
  })

  it('makes no directory that is named like an option', async () => {
    const named = join(dir.path, '--exit')
    for (const open of [() => openStore(named), async () => openAccountStore(named)]) {
      const error = await rejection(open())
      expect(error.code).to.equal('DATA_DIR_NAME')
      expect(error.message).to.contain('--exit').and.to.contain('choose another name')
    }
    expect(existsSync(named)).to.equal(false)
  })

  it('is not opened by loading the file of its test process, whatever the arguments are', async () => {
    const program = fileURLToPath(new URL('./append-process.js', import.meta.url))
    writeFileSync(join(dir.path, 'load.mjs'), `await import(${JSON.stringify(program)})`)
    // As a test runner does that takes options of its own.
    await promisify(execFile)(process.execPath, ['load.mjs', '--exit', 'data'], { cwd: dir.path })
    expect(readdirSync(dir.path)).to.deep.equal(['load.mjs'])
  })

  it('makes a directory that others make at the same moment', async () => {
    const threads = 2
    const paths = Array.from({ length: 200 }, (_, i) => join(dir.path, `home-${i}`, 'nodes', 'client-1'))
    const workerData = { paths, threads, arrived: new SharedArrayBuffer(4 * paths.length) }
    const makeAll = async () => {
      const worker = new Worker(new URL('./prepare-worker.js', import.meta.url), { workerData })
      return (await once(worker, 'message'))[0]
    }
    expect(await Promise.all(Array.from({ length: threads }, makeAll))).to.deep.equal([[], []])
    for (const path of paths) expect(statSync(path).isDirectory()).to.equal(true)
  })

  it('says when a file is in the way', async () => {
    writeFileSync(join(dir.path, 'file'), '')
    for (const blocked of [join(dir.path, 'file'), join(dir.path, 'file', 'below')]) {
      expect((await rejection(openStore(blocked))).code).to.equal('DATA_DIR_NOT_A_DIRECTORY')
    }
  })

  it('says when it cannot write there', async function () {
    const isRoot = process.getuid?.() === 0
    skipUnless(this, process.platform === 'linux', 'a place where even root cannot write is known for Linux only')
    mkdirSync(dataDir, { recursive: true })
    chmodSync(dataDir, 0o500)
    // Permissions do not stop root; the kernel's own file system does.
    const error = await rejection(openStore(isRoot ? '/sys/kernel/vendue' : dataDir))
    expect(error.code).to.equal('DATA_DIR_UNWRITABLE')
    expect(error.message).to.include('permissions')
    chmodSync(dataDir, 0o700)
  })

  it('refuses what is not a Vendue database, and leaves it as it is', async () => {
    mkdirSync(dataDir, { recursive: true })
    writeFileSync(path, 'Dear diary, '.repeat(1_000))
    expect((await rejection(openStore(dataDir))).code).to.equal('STORE_FOREIGN')
    expect(readFileSync(path, 'utf8')).to.equal('Dear diary, '.repeat(1_000))

    writeFileSync(path, '')
    const foreign = new Database(path)
    foreign.exec('CREATE TABLE recipes (name TEXT)')
    foreign.close()
    const bytes = readFileSync(path)
    expect((await rejection(openStore(dataDir))).code).to.equal('STORE_FOREIGN')
    expect(readFileSync(path).equals(bytes)).to.equal(true)
  })

  it('refuses a database that a newer version wrote', async () => {
    await (await filled()).store.close()
    const db = new Database(path)
    db.pragma('user_version = 999')
    db.close()
    const error = await rejection(openStore(dataDir))
    expect(error.code).to.equal('STORE_TOO_NEW')
    expect(error.message).to.match(/schema 999.*update Vendue/)
  })

  it('refuses a database of a version whose logs are not read any more, and changes nothing', async () => {
    await (await filled()).store.close()
    const db = new Database(path)
    db.pragma('user_version = 7')
    db.close()
    const bytes = readFileSync(path)
    const error = await rejection(openStore(dataDir))
    expect(error.code).to.equal('STORE_TOO_OLD')
    expect(error.message).to.match(/schema 7.*another data directory/)
    expect(readFileSync(path).equals(bytes)).to.equal(true)
  })

  it('refuses a damaged or truncated database', async () => {
    await (await filled(20)).store.close()
    const whole = readFileSync(path)
    truncateSync(path, Math.floor(whole.length / 2 / 4096) * 4096)
    expect((await rejection(openStore(dataDir))).code).to.equal('STORE_CORRUPT')
    for (let page = 5; page < whole.length / 4096; page += 10) {
      const damaged = Buffer.from(whole)
      damaged.fill(0xa5, page * 4096, (page + 1) * 4096)
      writeFileSync(path, damaged)
      expect((await rejection(openStore(dataDir))).code, `page ${page}`).to.equal('STORE_CORRUPT')
    }
    writeFileSync(path, whole)
    await (await openStore(dataDir)).close()
  })

  it('lets go of the directory when it fails to open', async () => {
    mkdirSync(dataDir, { recursive: true })
    writeFileSync(path, 'x'.repeat(5_000))
    for (let i = 0; i < 2; i++) expect(await codeOf(openStore(dataDir))).to.equal('STORE_FOREIGN')
  })
})
