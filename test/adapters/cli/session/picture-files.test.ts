import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkPictures, pictureFileName } from '../../../../src/adapters/cli/session/picture-files.js'
import type { Picture } from '../../../../src/domain/pictures/picture.js'
import { noise, sha256 } from '../../../support/pictures.js'
import { makeTempDir } from '../../../support/temp-dir.js'

describe('files held against the pictures of the terms', () => {
  const dir = makeTempDir()
  after(() => dir.remove())

  const bytes = noise(1)
  const picture: Picture = {
    hash: sha256(bytes),
    bytes: bytes.length,
    type: 'image/png',
    width: 16,
    height: 8,
    alt: '',
  }
  const path = join(dir.path, pictureFileName(picture))
  const faultOf = (terms: Picture) => checkPictures([terms], dir.path)[0]?.fault ?? null

  it('are what was shown where every byte is', () => {
    writeFileSync(path, bytes)
    expect(faultOf(picture)).to.equal(null)
  })

  it('are not where one byte has changed, is missing, or the file is', () => {
    const changed = Buffer.from(bytes)
    changed.writeUInt8((changed[60] as number) ^ 1, 60)
    writeFileSync(path, changed)
    expect(faultOf(picture)).to.match(/is not what was shown: its SHA-256 is [0-9a-f]{64}/)
    writeFileSync(path, bytes.subarray(1))
    expect(faultOf(picture)).to.equal(`has ${bytes.length - 1} bytes, and the terms say ${bytes.length}`)
    rmSync(path)
    expect(faultOf(picture)).to.equal('is not there')
  })

  it('show a home that has said something else of them than they are', () => {
    writeFileSync(path, bytes)
    expect(faultOf({ ...picture, width: 4_000 })).to.match(/is image\/png of 16 x 8, and the terms say/)
  })
})
