import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { skipUnless } from '../support/requires.js'
import { hasPython, PYTHON_MISSING } from '../support/second-verifier.js'
import { VECTORS_DIR, vectorText } from './vector-files.js'
import { makeVectors } from './vectors.js'

describe('the test vectors of the protocol', () => {
  it('are, byte for byte, what the code makes of the same seed: what changes them changes the protocol', async () => {
    for (const [name, vectors] of await makeVectors()) {
      const stored = readFileSync(join(VECTORS_DIR, name), 'utf8').split('\n')
      const made = vectorText(vectors).split('\n')
      const changed = made.findIndex((line, i) => line !== stored[i])
      expect(changed, `line ${changed + 1} of ${name} (npm run vectors writes them anew)`).to.equal(-1)
      expect(stored).to.have.length(made.length)
    }
  })

  it('show every reason why an export is refused', () => {
    const exports = JSON.parse(readFileSync(join(VECTORS_DIR, 'exports.json'), 'utf8')) as {
      verdict: string
      code: string
    }[]
    expect(new Set(exports.map(({ verdict, code }) => code ?? verdict))).to.include.all.keys(
      ...['valid', 'unproven', 'FILE', 'COMMIT', 'AUTHOR', 'SIGNATURE', 'EVENT', 'BID_ID', 'COMMITMENT', 'PRICE'],
      ...['MANDATE', 'RECEIPT'],
    )
  })

  it('hold for the verifier in Python, each one', function () {
    skipUnless(this, hasPython(), PYTHON_MISSING)
    const { status, stdout, stderr } = spawnSync('python3', [join(VECTORS_DIR, 'check.py')], { encoding: 'utf8' })
    expect(stderr).to.equal('')
    expect(stdout).to.match(/^\d{2,} vectors checked, 0 differences\n$/)
    expect(status).to.equal(0)
  })
})
