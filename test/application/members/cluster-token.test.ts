import { expect } from 'chai'
import { systemRandom } from '../../../src/adapters/system/system-random.js'
import {
  formatClusterToken,
  newClusterToken,
  parseClusterToken,
  sealedFor,
  unsealed,
} from '../../../src/application/members/cluster-token.js'

const CLUSTER = 'A'.repeat(43)

describe('a token of a cluster', () => {
  const token = () => newClusterToken(CLUSTER, systemRandom)

  it('is read as it was written, with blanks around it', () => {
    const made = token()
    expect(parseClusterToken(` ${formatClusterToken(made)}\n`)).to.deep.equal(made)
    expect(token().secret).not.to.equal(made.secret)
  })

  it('opens what was sealed for it, and no other token does', () => {
    const made = token()
    const sealed = sealedFor(made, 'a key', systemRandom)
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.to.contain('a key')
    expect(unsealed(made, sealed)).to.equal('a key')
    expect(unsealed(token(), sealed)).to.equal(null)
    expect(unsealed({ ...made, cluster: 'B'.repeat(43) }, sealed)).to.equal(null)
    const otherFirst = sealed.startsWith('A') ? 'B' : 'A'
    for (const bad of ['', 'AAAA', sealed.slice(0, -4), `${otherFirst}${sealed.slice(1)}`])
      expect(unsealed(made, bad)).to.equal(null)
  })

  const wrong: readonly (readonly [string, string])[] = [
    ['', 'begins with vendue-cluster1.'],
    ['vendue1.eyJtIjoi', 'it is one of a mesh'],
    ['vendue-cluster1.', 'it is not complete'],
    ['vendue-cluster1.!!!', 'it is not complete'],
    [`vendue-cluster1.${Buffer.from('{"c":"x","s":"y"}').toString('base64url')}`, 'it is not complete'],
    [`vendue-cluster1.${'A'.repeat(2_000)}`, 'begins with vendue-cluster1.'],
  ]
  for (const [text, why] of wrong) {
    it(`is refused (${why}): ${text.slice(0, 30)}`, () => {
      expect(() => parseClusterToken(text))
        .to.throw(why)
        .that.includes({ code: 'TOKEN_MALFORMED', field: 'token' })
    })
  }

  it('is refused if it was cut', () => {
    const text = formatClusterToken(token())
    expect(() => parseClusterToken(text.slice(0, -6))).to.throw('it is not complete')
  })
})
