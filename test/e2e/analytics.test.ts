import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { NodeProcess, testEnv, VENDUE, vendue, vendueJson } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

interface Progress {
  readonly auctions: number
  readonly events: number
  readonly behind: number
}

describe('analytics in a process of its own', () => {
  const { home, remove } = makeTempHome()
  const children: ChildProcess[] = []
  const db = join(home, 'numbers.db')
  let node: NodeProcess

  before(async () => {
    const args = ['--grape-port', '0', '--dht-port', '0', '--no-analytics']
    node = await NodeProcess.start({ home, name: 'main', args })
  })

  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await node?.end()
    remove()
  })

  function start(...more: string[]) {
    const words = ['analytics', '--name', 'main', '--db', db, '--json', '--log-level', 'error', ...more]
    const child = spawn(process.execPath, [VENDUE, ...words], { env: testEnv(home), stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    const said = { text: '' }
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said.text += text
      })
    return { child, said }
  }
  const open = (title: string) =>
    vendueJson(home, ['open', title, '--start', '5', '--currency', 'EUR', '--name', 'main'])
  const progress = () => vendueJson<Progress>(home, ['analytics', 'status', '--name', 'main', '--db', db])
  const untilEvents = (events: number) =>
    eventually(`${events} events`, async () => {
      const now = await progress()
      return now.events === events && now.behind === 0 ? now : null
    })

  it('goes on after kill -9 with nothing lost and nothing twice; a second one waits, and takes over', async () => {
    await open('one')
    const first = start()
    await untilEvents(1)
    const second = start()
    await eventually('the second one waits', () => second.said.text.includes('"state":"waiting"'))
    first.child.kill('SIGKILL')
    await open('two')
    await eventually('the second one works', () => second.said.text.includes('"state":"following"'))
    expect(await untilEvents(2)).to.include({ auctions: 2 })
    second.child.kill('SIGINT')
    expect(await once(second.child, 'close')).to.deep.equal([0, null])
    expect(second.said.text).not.to.contain('"level":50')
  })

  it('computes its rows anew beside the present ones', async () => {
    const rebuilt = await vendueJson(home, ['analytics', 'rebuild', '--name', 'main', '--db', db])
    expect(rebuilt).to.include({ rebuilt: true, events: 2 })
    expect(await untilEvents(2)).to.include({ auctions: 2 })
  })

  it('says what is wrong with a database, and never shows a password', async () => {
    const bad = join(home, 'bad.db')
    writeFileSync(bad, 'no database, as SQLite sees from the first bytes of a file '.repeat(20))
    const run = (where: string, ...more: string[]) =>
      vendue(home, ['analytics', 'status', '--name', 'main', '--db', where, ...more])
    const file = await run(bad)
    expect(file.code).not.to.equal(0)
    expect(file.stderr).to.contain('move the file away')
    const away = await run('postgres://vendue:s3cret@127.0.0.1:1/stats')
    expect(away.code).not.to.equal(0)
    expect(away.stderr).to.contain('look at the server and the network').and.not.contain('s3cret')
    const scheme = await run('mongodb://vendue:s3cret@127.0.0.1/stats')
    expect(scheme.stderr).to.contain('must be the path of a SQLite file').and.not.contain('s3cret')
    const noFile = await run('postgres://vendue@127.0.0.1:1/stats', '--db-password-file', join(home, 'none'))
    expect(noFile.stderr).to.contain('is not there').and.contain('--db-password-file')
  })
})
