import { expect } from 'chai'
import type { PictureStore } from '../../src/ports/store/picture-store.js'
import { noise, sha256 } from '../support/pictures.js'
import { codeOf } from './store-harness.js'

export interface PictureStoreHarness {
  readonly store: PictureStore
  /** Changes a byte of it, as a failing disk would. */
  damage(hash: string): void
  dispose(): void
}

export type MakePictureStore = (limits: { ownLimit: number; copyLimit: number }) => PictureStoreHarness

/** Of one size each. */
const PICTURES = Array.from({ length: 5 }, (_, i) => {
  const bytes = noise(i)
  return { bytes, hash: sha256(bytes) }
})
const [A, B, C, D] = PICTURES as [Kept, Kept, Kept, Kept]
type Kept = (typeof PICTURES)[number]
const SIZE = Math.max(...PICTURES.map(({ bytes }) => bytes.length))

/** What every store of pictures promises. */
export function describePictureStore(name: string, make: MakePictureStore): void {
  describe(`${name} picture store`, () => {
    let harness: PictureStoreHarness
    let store: PictureStore

    beforeEach(() => {
      harness = make({ ownLimit: 3 * SIZE, copyLimit: 2 * SIZE })
      store = harness.store
    })

    afterEach(() => harness.dispose())

    it('gives back what was put, and nothing for what was not', async () => {
      expect(await store.put(A.hash, A.bytes, 'new')).to.equal(true)
      expect(Buffer.from((await store.get(A.hash)) ?? []).equals(A.bytes)).to.equal(true)
      expect(await store.get(B.hash)).to.equal(null)
      expect([store.kindOf(A.hash), store.kindOf(B.hash)]).to.deep.equal(['new', null])
    })

    it('keeps one that comes again, as what is worth most', async () => {
      await store.put(A.hash, A.bytes, 'copy')
      await store.put(A.hash, A.bytes, 'own')
      await store.put(A.hash, A.bytes, 'new')
      expect(store.kindOf(A.hash)).to.equal('own')
      expect(store.usage()).to.include({ ownBytes: A.bytes.length, copyBytes: 0 })
    })

    it('moves one between kinds, and drops it', async () => {
      await store.put(A.hash, A.bytes, 'copy')
      expect(await store.move(A.hash, 'own')).to.equal(true)
      expect(store.list('own').map(({ hash }) => hash)).to.deep.equal([A.hash])
      expect(await store.move(A.hash, 'copy')).to.equal(true)
      expect(await store.get(A.hash)).not.to.equal(null)
      await store.drop(A.hash)
      await store.drop(A.hash)
      expect(await store.get(A.hash)).to.equal(null)
      expect(await store.move(A.hash, 'own')).to.equal(false)
    })

    it('drops the copies that were not used for longest to make room, and never its own', async () => {
      await store.put(A.hash, A.bytes, 'copy')
      await store.put(B.hash, B.bytes, 'copy')
      await store.put(D.hash, D.bytes, 'own')
      await store.get(A.hash)
      expect(await store.put(C.hash, C.bytes, 'copy')).to.equal(true)
      expect([A, B, C, D].map(({ hash }) => store.kindOf(hash))).to.deep.equal(['copy', null, 'copy', 'own'])
      expect(store.usage().copyBytes).to.be.at.most(2 * SIZE)
    })

    it('does not keep a copy that is larger than the room for all', async () => {
      const large = noise(9, 64, 64)
      expect(await store.put(sha256(large), large, 'copy')).to.equal(false)
      expect(store.kindOf(sha256(large))).to.equal(null)
    })

    it('refuses own and new ones beyond their room, with the numbers, and keeps what it has', async () => {
      for (const { hash, bytes } of PICTURES.slice(0, 3)) await store.put(hash, bytes, 'own')
      const large = noise(9, 64, 64)
      expect(await codeOf(store.put(sha256(large), large, 'new'))).to.equal('PICTURES_FULL')
      expect(store.list('own')).to.have.length(3)
      expect(store.usage()).to.deep.include({ ownLimit: 3 * SIZE, copyLimit: 2 * SIZE })
    })

    it('notices damaged bytes, drops them, and takes the picture anew', async () => {
      await store.put(A.hash, A.bytes, 'own')
      harness.damage(A.hash)
      expect(await store.get(A.hash)).to.equal(null)
      expect(store.kindOf(A.hash)).to.equal(null)
      await store.put(A.hash, A.bytes, 'own')
      expect(await store.get(A.hash)).not.to.equal(null)
    })

    it('has no names but hashes', async () => {
      for (const name of ['../node.key', 'A'.repeat(64), 'a'.repeat(63), '', `${'a'.repeat(64)}/x`]) {
        expect(await store.get(name).catch((error: Error) => error.name)).to.equal('RangeError')
        expect(await store.put(name, A.bytes, 'new').catch((error: Error) => error.name)).to.equal('RangeError')
        expect(await store.drop(name).catch((error: Error) => error.name)).to.equal('RangeError')
      }
    })
  })
}
