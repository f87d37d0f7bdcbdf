import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { NodeProcess, vendue, vendueJson } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
const PASSWORD = 'marked-secret-password-71'
const LIMIT = '87654321.98'

interface Line {
  readonly act: string
  readonly who: string | null
  readonly code: string
  readonly auction?: string
  readonly commands?: string[]
}

describe('the audit record of a node', () => {
  const { home, remove } = makeTempHome()
  const node = new NodeProcess({ home, name: 'main', args: FREE_PORTS })

  after(async () => {
    await node.end('SIGKILL')
    remove()
  })

  async function lines(...args: string[]): Promise<Line[]> {
    const { stdout } = await vendue(home, ['audit', '--json', ...args])
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line)
  }

  it('survives kill -9 with all that was a moment old, goes on after it, and can be verified', async () => {
    await node.start()
    const acts: string[] = []
    for (let round = 0; round < 3; round++) {
      const commandId = `cmd_audit000${round}`
      const { outcome } = await node.api.open({ commandId, title: 'Lot', currency: 'EUR', start: '10' })
      acts.push(outcome.auctionId)
      await eventually('written', async () => (await lines('--auction', outcome.auctionId)).length === 1)
      await node.end('SIGKILL')
      const checked = await vendueJson<{ valid: boolean; unsealed: number }>(home, ['audit', 'verify'])
      expect(checked).to.include({ valid: true })
      await node.start()
    }
    const opened = (await lines('--action', 'auction.open')).map(({ auction }) => auction)
    expect(opened).to.deep.equal(acts)
    expect((await lines('--action', 'node.start')).length).to.equal(4)
  })

  it('holds what operators did on the machine, and no secret of theirs', async () => {
    const { outcome } = await node.api.open({
      ...{ commandId: 'cmd_auditsecret', title: 'Lot', currency: 'EUR', start: '10', reserve: LIMIT },
    })
    await node.api.autoBid({ auction: outcome.auctionId, limit: LIMIT }).catch(() => undefined)
    const added = await vendue(home, ['user', 'add', 'alice'], { input: `${PASSWORD}\n${PASSWORD}\n` })
    expect(added.code, added.stderr).to.equal(0)
    const key = (await vendueJson<{ api_key: string }>(home, ['api-key', 'create', 'alice'])).api_key
    const invited = await vendueJson<{ token: string }>(home, ['mesh', 'invite'])
    expect((await vendue(home, ['mesh', 'join', invited.token, '--name', 'main'])).stderr).to.be.a('string')
    expect((await vendue(home, ['user', 'role', 'nobody', 'admin'])).code).to.not.equal(0)
    await node.end('SIGTERM')
    const found = await lines()
    const names = found.map(({ act, code }) => `${act} ${code}`)
    expect(names).to.include.members(['account.add ok', 'key.create ok', 'mesh.invite ok', 'node.stop ok'])
    expect(names).to.include('account.role ACCOUNT_NOT_FOUND')
    const made = found.find(({ act }) => act === 'account.add')
    expect(made?.who).to.match(/^os:/)
    const operatorToken = readFileSync(join(node.dataDir, 'operator.token'), 'utf8').trim()
    const files = readdirSync(node.dataDir).filter((name) => name.startsWith('audit.') && name !== 'audit.key')
    const written = files.map((name) => readFileSync(join(node.dataDir, name), 'latin1')).join('\n')
    expect(written).to.include('account.add')
    for (const secret of [PASSWORD, key, invited.token, operatorToken, LIMIT, LIMIT.replace('.', '')])
      expect(written).to.not.include(secret)
    expect(await vendueJson(home, ['audit', 'verify'])).to.include({ valid: true, unsealed: 0 })
  })

  it('names the line that somebody has changed', async () => {
    const { default: Database } = await import('better-sqlite3')
    const db = new Database(join(node.dataDir, 'audit.db'))
    db.exec('UPDATE lines SET text = replace(text, \'"ok"\', \'"no"\') WHERE seq = 3')
    db.close()
    const run = await vendue(home, ['audit', 'verify'])
    expect(run.code).to.equal(1)
    expect(run.stdout).to.include('LINE_CHANGED: line 3').and.to.include('audit.db')
  })
})
