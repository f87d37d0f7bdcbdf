import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FilePictureStore } from '../../src/adapters/system/file-picture-store.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { MemoryPictureStore } from '../support/memory/memory-picture-store.js'
import { makeTempDir } from '../support/temp-dir.js'
import { describePictureStore } from './picture-store-contract.js'

describePictureStore('file', (limits) => {
  const { path, remove } = makeTempDir()
  const store = new FilePictureStore(path, { clock: systemClock }, limits)
  return {
    store,
    damage(hash) {
      const file = join(path, 'pictures', String(store.kindOf(hash)), hash)
      const bytes = readFileSync(file)
      bytes.writeUInt8((bytes[50] as number) ^ 1, 50)
      writeFileSync(file, bytes)
    },
    dispose: remove,
  }
})

describePictureStore('memory', (limits) => {
  const store = new MemoryPictureStore(limits)
  return { store, damage: (hash) => store.damage(hash), dispose: () => {} }
})
