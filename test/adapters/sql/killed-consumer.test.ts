import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { sqliteDialect } from '../../../src/adapters/sql/sql-database.js'
import { seededCommits } from '../../support/consumers/auction-commits.js'
import { ConsumerHouse, factsOf, keysOfFacts, keysOfRows } from '../../support/consumers/consumer-house.js'
import { makeTempDir } from '../../support/temp-dir.js'

const CHILD = fileURLToPath(new URL('./consumer-process.js', import.meta.url))
const SEED = 'killed'

describe('a consumer whose process is killed', () => {
  const { path, remove } = makeTempDir()
  const file = join(path, 'stats.db')
  after(() => remove())

  /** How many steps it took; killed after so many. */
  async function run(killAfter: number) {
    const child = spawn(process.execPath, [CHILD, file, SEED], { stdio: ['ignore', 'pipe', 'inherit'] })
    let steps = 0
    createInterface({ input: child.stdout }).on('line', () => {
      steps += 1
      if (steps === killAfter) child.kill('SIGKILL')
    })
    const [code, signal] = await once(child, 'close')
    return { code, signal }
  }

  async function keys() {
    const house = new ConsumerHouse(sqliteDialect(file))
    try {
      return keysOfRows(await house.rows())
    } finally {
      await house.dispose()
    }
  }

  it('goes on where it stopped, with nothing lost and nothing twice', async () => {
    const all = keysOfFacts(factsOf(seededCommits(SEED, 20)))
    for (const killAfter of [2, 5]) {
      expect((await run(killAfter)).signal).to.equal('SIGKILL')
      const some = await keys()
      expect(some.length).to.be.within(1, all.length - 1)
      expect(all).to.include.members(some)
    }
    expect((await run(Number.POSITIVE_INFINITY)).code).to.equal(0)
    expect(await keys()).to.deep.equal(all)
  })
})
