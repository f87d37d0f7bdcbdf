import { expect } from 'chai'
import fc from 'fast-check'
import { MAX_PICTURE_BYTES } from '../../../src/domain/limits.js'
import {
  type CleanPicture,
  cleanPicture,
  pictureFault,
  pictureTypeOf,
} from '../../../src/domain/pictures/clean-picture.js'
import {
  exif,
  exifSegment,
  JPEG,
  jpegWith,
  noise,
  PNG,
  pngChunk,
  pngWith,
  riffChunk,
  SECRET_PLACE,
  segment,
  WEBP_LOSSLESS,
  WEBP_LOSSY,
  webpWith,
} from '../../support/pictures.js'

function cleaned(bytes: Uint8Array): CleanPicture {
  const result = cleanPicture(bytes)
  if (!result.ok) throw new Error(`refused: ${result.rule}`)
  return result.picture
}

function ruleOf(bytes: Uint8Array): string {
  const result = cleanPicture(bytes)
  if (result.ok) throw new Error('it was taken')
  expect(result.next).not.to.equal('')
  return result.rule
}

const FILES = { JPEG, PNG, WEBP_LOSSY, WEBP_LOSSLESS }

describe('cleaning pictures', () => {
  for (const [name, file] of Object.entries(FILES)) {
    describe(name, () => {
      it('keeps size and kind, and what it writes it leaves as it is', () => {
        const picture = cleaned(file)
        expect([picture.width, picture.height]).to.deep.equal([16, 8])
        expect(pictureTypeOf(file)).to.equal(picture.type)
        const again = cleaned(picture.bytes)
        expect(Buffer.from(again.bytes).equals(picture.bytes)).to.equal(true)
        expect(again.removed).to.deep.equal([])
        expect(pictureFault(picture.bytes)).to.equal(null)
      })

      it('refuses it cut off anywhere', () => {
        const clean = cleaned(file).bytes
        for (let length = 1; length < clean.length; length++) {
          const result = cleanPicture(clean.subarray(0, length))
          expect(result.ok, `${length} of ${clean.length} bytes`).to.equal(false)
        }
      })

      it('drops what follows its end, such as a page or an archive', () => {
        const polyglot = Buffer.concat([file, Buffer.from('<script>alert(1)</script>PK\x03\x04')])
        const picture = cleaned(polyglot)
        expect(Buffer.from(picture.bytes).includes('script')).to.equal(false)
        expect(picture.removed).to.include('data behind its end')
        expect(pictureFault(polyglot)).to.match(/data behind its end/)
      })

      it('never throws, and never passes on what it has not understood, whatever is changed', () => {
        fc.assert(
          fc.property(
            fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 })), {
              minLength: 1,
              maxLength: 8,
            }),
            (changes) => {
              const changed = Buffer.from(file)
              for (const [at, byte] of changes) changed[at] = byte
              const result = cleanPicture(changed)
              if (result.ok) expect(pictureFault(result.picture.bytes)).to.equal(null)
            },
          ),
          { numRuns: 500 },
        )
      })
    })
  }

  it('removes place, camera, text, comments, profiles and thumbnails of a JPEG', () => {
    const thumbnail = segment(
      0xe0,
      Buffer.concat([Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01'), Buffer.from('abc')]),
    )
    const picture = cleaned(
      jpegWith(
        thumbnail,
        exifSegment(1),
        segment(0xe1, `http://ns.adobe.com/xap/1.0/\0<x>${SECRET_PLACE}</x>`),
        segment(0xed, `Photoshop 3.0\0${SECRET_PLACE}`),
        segment(0xfe, SECRET_PLACE),
        segment(0xe5, SECRET_PLACE),
      ),
    )
    expect(Buffer.from(picture.bytes).includes('GPS')).to.equal(false)
    expect(Buffer.from(picture.bytes).includes('abc')).to.equal(false)
    expect(Buffer.from(picture.bytes).includes('Google')).to.equal(false)
    expect(picture.removed).to.have.members([
      'a thumbnail',
      'EXIF',
      'XMP',
      'IPTC',
      'a comment',
      'notes of a program',
      'a colour profile',
    ])
  })

  it('removes text, times, profiles and animations of a PNG', () => {
    const picture = cleaned(
      pngWith(
        pngChunk('tEXt', `Comment\0${SECRET_PLACE}`),
        pngChunk('iTXt', SECRET_PLACE),
        pngChunk('tIME', Buffer.alloc(7)),
        pngChunk('iCCP', SECRET_PLACE),
        pngChunk('eXIf', exif(1)),
        pngChunk('acTL', Buffer.alloc(8)),
      ),
    )
    expect(Buffer.from(picture.bytes).equals(cleaned(PNG).bytes)).to.equal(true)
    expect(picture.removed).to.have.members(['text', 'notes of a program', 'a colour profile', 'EXIF', 'an animation'])
  })

  it('removes EXIF, XMP and profiles of a WebP', () => {
    for (const webp of [WEBP_LOSSY, WEBP_LOSSLESS]) {
      const picture = cleaned(webpWith(webp, riffChunk('EXIF', exif(1)), riffChunk('XMP ', SECRET_PLACE)))
      expect(Buffer.from(picture.bytes).includes('GPS')).to.equal(false)
      expect(picture.removed).to.have.members(['EXIF', 'XMP', 'a colour profile'])
    }
  })

  it('keeps the orientation alone, and gives the size as it is shown', () => {
    const turned = {
      JPEG: jpegWith(exifSegment(6)),
      PNG: pngWith(pngChunk('eXIf', exif(6))),
      lossy: webpWith(WEBP_LOSSY, riffChunk('EXIF', exif(6))),
      lossless: webpWith(WEBP_LOSSLESS, riffChunk('EXIF', exif(6))),
    }
    for (const [name, file] of Object.entries(turned)) {
      const picture = cleaned(file)
      expect([picture.width, picture.height], name).to.deep.equal([8, 16])
      expect(Buffer.from(picture.bytes).includes('GPS'), name).to.equal(false)
      expect(picture.removed, name).to.include('EXIF')
      const again = cleaned(picture.bytes)
      expect([again.width, again.height], name).to.deep.equal([8, 16])
      expect(pictureFault(picture.bytes), name).to.equal(null)
    }
  })

  it('takes an orientation that makes no sense for none', () => {
    for (const value of [0, 9, 200]) expect(cleaned(jpegWith(exifSegment(value))).width).to.equal(16)
    const endless = segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0II*\0\x08\0\0\0\xff\xff', 'latin1')]))
    expect(cleaned(jpegWith(endless)).width).to.equal(16)
  })

  it('refuses what is no JPEG, PNG or WebP, programs first of all', () => {
    const files = ['<svg xmlns="http://www.w3.org/2000/svg"/>', '<html>', 'GIF89a', '%PDF-1.7', '', 'RIFF\0\0\0\0WAVE']
    for (const file of files) expect(ruleOf(Buffer.from(file))).to.equal('is no JPEG, PNG or WebP')
    expect(pictureTypeOf(Buffer.from('<svg/>'))).to.equal(null)
  })

  it('refuses what says that it is huge, with the numbers', () => {
    const bomb = Buffer.from(cleaned(PNG).bytes)
    bomb.writeUInt32BE(60_000, 16)
    bomb.writeUInt32BE(60_000, 20)
    const header = pngChunk('IHDR', bomb.subarray(16, 29))
    const rule = ruleOf(Buffer.concat([bomb.subarray(0, 8), header, bomb.subarray(33)]))
    expect(rule).to.equal('is 60000 by 60000 pixels; at most 8192 a side and 25 million in all are taken')
    const jpeg = Buffer.from(cleaned(JPEG).bytes)
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
    jpeg.writeUInt16BE(65_500, frame + 5)
    jpeg.writeUInt16BE(65_500, frame + 7)
    expect(ruleOf(jpeg)).to.match(/^is 65500 by 65500 pixels/)
    jpeg.writeUInt16BE(0, frame + 5)
    expect(ruleOf(jpeg)).to.equal('has no width or no height')
  })

  it('refuses what is too large, with the numbers', () => {
    const large = noise(1, 1_400, 1_100)
    expect(large.length).to.be.above(MAX_PICTURE_BYTES)
    expect(ruleOf(large)).to.equal(`has ${large.length} bytes; at most 4194304 are taken`)
  })

  it('refuses a PNG with a wrong check sum, an unknown part that counts, or a second header', () => {
    const wrong = Buffer.from(PNG)
    wrong.writeUInt8((wrong[45] as number) ^ 1, 45)
    expect(ruleOf(wrong)).to.match(/check sum/)
    expect(ruleOf(pngWith(pngChunk('EVIL', 'x')))).to.match(/chunk EVIL/)
    expect(ruleOf(pngWith(PNG.subarray(8, 33)))).to.match(/header/)
  })

  it('refuses JPEGs of kinds that browsers do not show, and tables that are something else', () => {
    const clean = Buffer.from(cleaned(JPEG).bytes)
    const arithmetic = Buffer.from(clean)
    arithmetic[clean.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc9
    expect(ruleOf(arithmetic)).to.match(/segment of kind 0xc9/)
    expect(ruleOf(jpegWith(segment(0xdb, '<script>alert(1)</script>')))).to.match(/table/)
    expect(ruleOf(jpegWith(segment(0xc4, '<script>alert(1)</script>')))).to.match(/table/)
  })

  it('refuses a WebP that moves', () => {
    expect(ruleOf(webpWith(WEBP_LOSSY, riffChunk('ANIM', Buffer.alloc(6))))).to.match(/moves/)
  })
})
