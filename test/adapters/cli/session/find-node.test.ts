import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { CliHarness } from '../support/cli-harness.js'
import { INFO } from '../support/fake-node-api.js'

describe('which node a command goes to', () => {
  let cli: CliHarness

  beforeEach(() => {
    cli = new CliHarness()
  })
  afterEach(() => cli.dispose())

  const PINNED = { nodeId: INFO.nodeId, home: null }
  const ALICE = { address: '127.0.0.1:7001', token: 'token of alice', ...PINNED }
  const BOB = { address: '127.0.0.1:7002', token: 'token of bob', ...PINNED }
  const MAIN = { address: '127.0.0.1:7000', token: 'token of main', ...PINNED }

  it('is "main" where that runs', async () => {
    cli.addNode('alice', ALICE)
    cli.addNode('main')
    expect((await cli.line('list')).stderr).to.equal('')
    expect(cli.targets).to.deep.equal([MAIN])
  })

  it('is the only one that runs, and that is said', async () => {
    cli.addNode('alice', ALICE)
    cli.addNode('dead', { address: '127.0.0.1:7009', pid: 2 ** 30 })
    const { code, stderr } = await cli.line('list')
    expect(stderr).to.equal('using node alice, the only one that runs\n')
    expect(cli.targets).to.deep.equal([ALICE])
    expect(code).to.equal(0)
  })

  it('has to be named among several', async () => {
    cli.addNode('alice', ALICE)
    cli.addNode('bob', BOB)
    const { code, stderr } = await cli.line('list')
    expect(stderr).to.contain('several nodes run on this machine: alice, bob').and.contain('--name alice')
    expect(code).to.equal(2)
    expect(cli.targets).to.deep.equal([])
  })

  it('is named by name, directory or address', async () => {
    cli.addNode('main')
    cli.addNode('alice', ALICE)
    const bob = cli.addNode('bob', BOB)
    await cli.line('list --name alice')
    await cli.line(`list --data ${bob}`)
    await cli.line(`list --rpc ${ALICE.address}`)
    expect(cli.targets).to.deep.equal([ALICE, BOB, ALICE])
  })

  it('may be named by the environment, which a flag overrides', async () => {
    cli.addNode('alice', ALICE)
    cli.addNode('bob', BOB)
    await cli.line('list', { env: { VENDUE_NAME: 'bob' } })
    await cli.line('list --name alice', { env: { VENDUE_NAME: 'bob', VENDUE_RPC: '127.0.0.1:9' } })
    await cli.line('list', { env: { VENDUE_RPC: '192.0.2.1:7', VENDUE_TOKEN: 'secret' } })
    expect(cli.targets).to.deep.equal([
      ...[BOB, ALICE],
      { address: '192.0.2.1:7', token: 'secret', nodeId: null, home: cli.home },
    ])
  })

  it('may be named by the config file, whose "rpc" is where a node listens', async () => {
    cli.addNode('alice', ALICE)
    cli.addNode('bob', BOB)
    writeFileSync(join(cli.home, 'config.json'), JSON.stringify({ name: 'bob', rpc: '127.0.0.1:9' }))
    await cli.line('list')
    expect(cli.targets).to.deep.equal([BOB])
  })

  it('elsewhere takes its token from a file or the environment, or else goes as an operator', async () => {
    const file = join(cli.home, 'token')
    writeFileSync(file, 'from file\n')
    await cli.line('list --rpc 192.0.2.1:7')
    await cli.line(`list --rpc 192.0.2.1:7 --token-file ${file}`)
    await cli.line('list --rpc 192.0.2.1:7', { env: { VENDUE_TOKEN: 'from env' } })
    expect(cli.targets.map(({ token }) => token)).to.deep.equal([null, 'from file', 'from env'])
    const missing = await cli.line('list --rpc 192.0.2.1:7 --token-file /nowhere')
    expect(missing.stderr).to.contain('cannot read the operator token in /nowhere')
    expect(missing.code).to.equal(2)
  })

  it('is not warned of what its own settings let others reach: it only calls', async () => {
    cli.addNode('main')
    const env = { VENDUE_METRICS_PORT: '9464', VENDUE_METRICS_HOST: '0.0.0.0', VENDUE_GATEWAY: 'no' }
    expect((await cli.line('list', { env })).stderr).to.equal('')
    expect((await cli.line('config', { env })).stderr).to.contain('metrics are served on 0.0.0.0')
  })

  it('exits 3 where none runs, and says how to start one', async () => {
    const none = await cli.line('list')
    expect(none.stderr).to.contain('no node runs on this machine').and.contain('`vendue start`, or npm start')
    expect(none.code).to.equal(3)
    const named = await cli.line('list --name bob')
    expect(named.stderr).to.contain('no node named "bob" runs').and.contain('`vendue start --name bob`')
    expect(named.code).to.equal(3)
    const json = await cli.line('list --json')
    expect(JSON.parse(json.stdout).error.code).to.equal('NODE_UNREACHABLE')
    expect(json.code).to.equal(3)
  })

  it('suggests commands as the user can type them', async () => {
    const { stderr } = await cli.line('list', { env: { npm_lifecycle_event: 'npx' } })
    expect(stderr).to.contain('`npx vendue start`')
  })
})
