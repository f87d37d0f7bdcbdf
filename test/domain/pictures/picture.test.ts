import { expect } from 'chai'
import { type Picture, pictureProblems } from '../../../src/domain/pictures/picture.js'
import { termsProblems } from '../../../src/domain/terms.js'
import { termsWith } from '../../support/auction-scenario.js'

const PICTURE: Picture = {
  hash: 'a'.repeat(64),
  bytes: 100,
  type: 'image/jpeg',
  width: 16,
  height: 8,
  alt: 'A chair',
}

describe('pictures in terms', () => {
  it('may be twelve, and no more', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ ...PICTURE, hash: i.toString(16).padStart(64, '0') }))
    expect(pictureProblems(many(12))).to.deep.equal([])
    expect(termsProblems(termsWith({ pictures: many(13) }))).to.deep.equal([
      { field: 'pictures', rule: 'must be 12 at most' },
    ])
  })

  it('name each broken rule with the place of its picture', () => {
    const broken: [Partial<Record<keyof Picture, unknown>>, RegExp][] = [
      [{ hash: '../../etc/passwd' }, /SHA-256/],
      [{ hash: 'A'.repeat(64) }, /SHA-256/],
      [{ type: 'image/svg+xml' }, /image\/jpeg, image\/png, image\/webp/],
      [{ bytes: 0 }, /1 to 4194304 bytes/],
      [{ bytes: 4_194_305 }, /1 to 4194304 bytes/],
      [{ width: 8_193 }, /8192 pixels a side/],
      [{ width: 8_000, height: 8_000 }, /25000000 in all/],
      [{ height: 1.5 }, /pixels/],
      [{ alt: 'x'.repeat(301) }, /alt text must be at most 300 characters/],
      [{ alt: 'a\nb' }, /alt text must not hold control/],
    ]
    for (const [change, rule] of broken) {
      const [problem, ...more] = pictureProblems([PICTURE, { ...PICTURE, hash: 'b'.repeat(64), ...change } as Picture])
      expect(more).to.deep.equal([])
      expect(problem?.field).to.equal('pictures.1')
      expect(problem?.rule).to.match(rule)
    }
  })

  it('are each there once', () => {
    expect(pictureProblems([PICTURE, PICTURE])).to.deep.equal([{ field: 'pictures.1', rule: 'is there twice' }])
  })
})
