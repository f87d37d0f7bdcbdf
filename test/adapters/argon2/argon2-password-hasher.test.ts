import { hash } from '@node-rs/argon2'
import { expect } from 'chai'
import {
  ARGON2_MEMORY_KIB,
  ARGON2_PASSES,
  Argon2PasswordHasher,
  MAX_PENDING_HASHES,
} from '../../../src/adapters/argon2/argon2-password-hasher.js'
import { codeOf } from '../../support/account-house.js'

describe('argon2 password hasher', () => {
  it('hashes with a salt of its own and the costs it says, and verifies', async () => {
    const hasher = new Argon2PasswordHasher()
    const [one, two] = [await hasher.hash('a password'), await hasher.hash('a password')]
    expect(one).to.match(new RegExp(`^\\$argon2id\\$v=19\\$m=${ARGON2_MEMORY_KIB},t=${ARGON2_PASSES},p=1\\$`))
    expect(one).not.to.equal(two)
    expect(await hasher.verify(one, 'a password')).to.equal(true)
    expect(await hasher.verify(one, 'another')).to.equal(false)
  })

  it('says no for nobody, after real work', async () => {
    const hasher = new Argon2PasswordHasher()
    await hasher.warmUp()
    const known = await hasher.hash('a password')
    const time = async (stored: string | null) => {
      const start = performance.now()
      expect(await hasher.verify(stored, 'guess')).to.equal(false)
      return performance.now() - start
    }
    const fastest = async (stored: string | null) =>
      Math.min(await time(stored), await time(stored), await time(stored), await time(stored))
    const [nobody, somebody] = [await fastest(null), await fastest(known)]
    // A short cut would take microseconds; a machine under load may be several times slower for one of the two.
    expect(nobody).to.be.greaterThan(somebody / 5)
  })

  it('knows hashes of other costs', async () => {
    const hasher = new Argon2PasswordHasher()
    expect(hasher.isOutdated(await hasher.hash('a password'))).to.equal(false)
    expect(hasher.isOutdated(await hash('a password', { memoryCost: 8_192, timeCost: 1 }))).to.equal(true)
  })

  it('is busy past its bound, and free again afterwards', async () => {
    const hasher = new Argon2PasswordHasher()
    const cheap = await hash('a password', { memoryCost: 8, timeCost: 1 })
    const codes = await Promise.all(
      Array.from({ length: MAX_PENDING_HASHES + 3 }, () => codeOf(hasher.verify(cheap, 'a password'))),
    )
    expect(codes.filter((code) => code === 'BUSY')).to.have.length(3)
    expect(await hasher.verify(cheap, 'a password')).to.equal(true)
  })
})
