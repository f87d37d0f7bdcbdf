import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { FilePictureStore } from '../../../src/adapters/system/file-picture-store.js'
import { systemClock } from '../../../src/adapters/system/system-clock.js'
import { noise, sha256 } from '../../support/pictures.js'
import { mountSmallDisk } from '../../support/small-disk.js'
import { makeTempDir } from '../../support/temp-dir.js'

const PLENTY = { ownLimit: 1_000_000, copyLimit: 1_000_000 }
const A = noise(1)
const B = noise(2)

describe('file picture store', () => {
  let dir: string
  let remove: () => void
  const open = (limits = PLENTY) => new FilePictureStore(dir, { clock: systemClock }, limits)
  const file = (kind: string, bytes: Buffer) => join(dir, 'pictures', kind, sha256(bytes))

  beforeEach(() => {
    const made = makeTempDir()
    dir = made.path
    remove = made.remove
  })
  afterEach(() => remove())

  it('has after a restart what it had, of the same kinds', async () => {
    const before = open()
    await before.put(sha256(A), A, 'own')
    await before.put(sha256(B), B, 'copy')
    const after = open()
    expect([after.kindOf(sha256(A)), after.kindOf(sha256(B))]).to.deep.equal(['own', 'copy'])
    expect(after.usage()).to.deep.equal(before.usage())
    expect(Buffer.from((await after.get(sha256(A))) ?? []).equals(A)).to.equal(true)
  })

  it('knows after a restart which copy was used least lately', async () => {
    const before = open()
    for (const bytes of [A, B]) await before.put(sha256(bytes), bytes, 'copy')
    utimesSync(file('copy', A), 2_000, 2_000)
    utimesSync(file('copy', B), 1_000, 1_000)
    const after = open({ ownLimit: 1, copyLimit: A.length + B.length })
    const c = noise(3)
    await after.put(sha256(c), c, 'copy')
    expect([after.kindOf(sha256(A)), after.kindOf(sha256(B))]).to.deep.equal(['copy', null])
    expect(existsSync(file('copy', B))).to.equal(false)
  })

  it('clears away what a crash has left of unfinished files, and what is no picture', () => {
    mkdirSync(join(dir, 'pictures', 'new'), { recursive: true })
    writeFileSync(`${file('new', A)}.tmp`, A.subarray(0, 10))
    writeFileSync(join(dir, 'pictures', 'new', 'evil.html'), '<script>')
    open()
    expect(readdirSync(join(dir, 'pictures', 'new'))).to.deep.equal([])
  })

  it('notices a file that was cut off or taken away', async () => {
    const store = open()
    await store.put(sha256(A), A, 'own')
    await store.put(sha256(B), B, 'own')
    writeFileSync(file('own', A), A.subarray(0, 20))
    writeFileSync(file('own', B), '')
    expect(await store.get(sha256(A))).to.equal(null)
    expect(await store.get(sha256(B))).to.equal(null)
    expect(store.list('own')).to.deep.equal([])
  })

  it('lets nobody but its owner read them', async () => {
    await open().put(sha256(A), A, 'new')
    expect(statSync(file('new', A)).mode & 0o777).to.equal(0o600)
    expect(statSync(join(dir, 'pictures', 'new')).mode & 0o777).to.equal(0o700)
  })

  it('gives a picture that moves while it is read', async () => {
    const store = open()
    await store.put(sha256(A), A, 'copy')
    const reads = Array.from({ length: 20 }, () => store.get(sha256(A)))
    await store.move(sha256(A), 'own')
    await store.move(sha256(A), 'copy')
    for (const read of await Promise.all(reads)) expect(read).not.to.equal(null)
  })

  it('gives up copies before it refuses anything on a full disk, keeps the rest, and takes pictures again once there is room', async function () {
    const disk = mountSmallDisk(this, join(dir, 'pictures'), '1m')
    try {
      const store = open()
      const kept = [noise(10), noise(11)] as const
      await store.put(sha256(kept[0]), kept[0], 'own')
      await store.put(sha256(kept[1]), kept[1], 'new')
      for (const bytes of [A, B]) await store.put(sha256(bytes), bytes, 'copy')
      disk.fill()
      const first = noise(12)
      expect(await store.put(sha256(first), first, 'new')).to.equal(true)
      expect([A, B].map((bytes) => store.kindOf(sha256(bytes)))).to.deep.equal([null, null])
      disk.fill()
      for (const kind of ['new', 'own', 'copy'] as const) {
        const refused = await store.put(sha256(A), A, kind).catch(({ code }: { code: string }) => code)
        expect(refused, kind).to.equal('DISK_FULL')
        expect(store.kindOf(sha256(A))).to.equal(null)
        expect(readdirSync(join(dir, 'pictures', kind)).filter((name) => name.endsWith('.tmp'))).to.deep.equal([])
      }
      for (const bytes of [...kept, first])
        expect(Buffer.from((await store.get(sha256(bytes))) ?? []).equals(bytes)).to.equal(true)
      disk.clear()
      expect(await store.put(sha256(A), A, 'own')).to.equal(true)
      expect(open().kindOf(sha256(A))).to.equal('own')
    } finally {
      disk.unmount()
    }
  })
})
