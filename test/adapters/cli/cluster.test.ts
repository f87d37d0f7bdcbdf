import { expect } from 'chai'
import type { CliDeps } from '../../../src/adapters/cli/session/cli-deps.js'
import { rendezvous } from '../../../src/application/cluster/rendezvous.js'
import type { ClusterAdmin, InviteOptions } from '../../../src/ports/members/cluster-admin.js'
import type { ClusterStatus } from '../../../src/ports/node/cluster-status.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { T0 } from '../../support/auction-scenario.js'
import { CliHarness } from './support/cli-harness.js'
import { SELF } from './support/fake-node-api.js'

const LOG = 'postgres://vendue@db1,db2/vendue'
const SUMMARY = { cluster: 'first', key: 'first', log: `${LOG}?sslmode=verify-full`, nodeId: SELF.id }
const CLUSTER: ClusterStatus = {
  cluster: 'first',
  log: { connectedTo: 'db1:5432', outage: null },
  nodes: [
    { nodeId: SELF.id, name: 'alice', address: '127.0.0.1:1', state: 'alive', beatAgeMs: 400 },
    { nodeId: 'node_gil', name: 'gil', address: '127.0.0.1:2', state: 'dead', beatAgeMs: 65_000 },
  ],
  takeovers: [{ auctionId: 'auc_1', at: T0, from: { nodeId: 'node_gil', name: 'gil' }, why: 'home-dead' }],
  takenOver: 3,
  disputed: [],
  healed: 0,
}

/** Of the auctions that the test opens. */
const MOVED = 1

class FakeAdmin implements ClusterAdmin {
  readonly asked: unknown[] = []
  readonly init = async () => ({ ...SUMMARY, isNew: true })
  readonly invite = async (options: InviteOptions) => {
    this.asked.push(options)
    return { token: 'vendue-cluster1.abc', uses: options.uses, expiresAt: T0 + options.lifeMs }
  }
  readonly join = async (token: string) => {
    this.asked.push(token)
    return { ...SUMMARY, was: 'none' as const }
  }
  readonly rotateKey = async (options: InviteOptions) => ({
    ...SUMMARY,
    key: 'second',
    ...(await this.invite(options)),
  })
  readonly leave = async () => {
    this.asked.push('leave')
    return SUMMARY
  }
}

describe('vendue cluster', () => {
  let cli: CliHarness
  let admin: FakeAdmin
  let deps: Partial<CliDeps>

  beforeEach(() => {
    cli = new CliHarness()
    admin = new FakeAdmin()
    deps = { clusterAdmin: async () => admin }
  })
  afterEach(() => cli.dispose())

  const run = (line: string) => cli.line(`cluster ${line}`, { deps, env: { VENDUE_SHARED_LOG: LOG } })

  it('makes a cluster, and says how others join', async () => {
    const { stdout, stderr, code } = await run('init')
    expect(code).to.equal(0)
    expect(stdout).to.contain('Made a cluster').and.contain(`shared log  ${LOG}?sslmode=verify-full`)
    expect(stderr).to.contain('vendue cluster invite')
    const json = JSON.parse((await run('init --json')).stdout)
    expect(json).to.include({ is_new: true, cluster: 'first', node_id: SELF.id, shared_log: SUMMARY.log })
  })

  it('prints a token alone on its line, for one node and an hour unless somebody says otherwise', async () => {
    const { stdout, stderr } = await run('invite')
    expect(stdout).to.equal('vendue-cluster1.abc\n')
    expect(stderr).to.contain('to one node until')
    await run('invite --uses 3 --expires 10m')
    expect(admin.asked).to.deep.equal([
      { uses: 1, lifeMs: 3_600_000 },
      { uses: 3, lifeMs: 600_000 },
    ])
    const json = JSON.parse((await run('rotate-key --json')).stdout)
    expect(json).to.include({ key: 'second', token: 'vendue-cluster1.abc', uses: 1 })
  })

  it('joins with a token, and says how to start', async () => {
    const { stdout, stderr } = await run('join vendue-cluster1.abc')
    expect(admin.asked).to.deep.equal(['vendue-cluster1.abc'])
    expect(stdout).to.contain('Joined the cluster')
    expect(stderr).to.contain(`vendue start --shared-log ${LOG}`)
  })

  it('shows who is alive and what was taken over', async () => {
    cli.addNode('main')
    cli.api.cluster = CLUSTER
    const { stdout } = await run('nodes')
    expect(stdout.split('\n').slice(0, 6)).to.deep.equal([
      'cluster: 1 of 2 nodes alive, took over 3',
      'shared log: db1:5432',
      'NAME   STATE  BEAT           ADDRESS      NODE',
      'alice  alive  0 s ago        127.0.0.1:1  node_self',
      'gil    dead   1 min 5 s ago  127.0.0.1:2  node_gil',
      'took over auc_1 from gil at 2030-01-01T12:00:00.000Z: home-dead',
    ])
    expect(stdout).to.contain('and 2 before')
    expect(JSON.parse((await run('nodes --json')).stdout)).to.include({ taken_over: 3 })
  })

  it('says of a node’s auctions that they pause without it only if no other node of the cluster is alive', async () => {
    cli.addNode('main')
    cli.api.openAs(SELF, { title: 'Lot', currency: 'EUR', start: '5' })
    cli.api.cluster = CLUSTER
    expect((await cli.line('status')).stdout).to.contain('1 that pauses without this node')
    cli.api.cluster = { ...CLUSTER, nodes: CLUSTER.nodes.map((node) => ({ ...node, state: 'alive' as const })) }
    expect((await cli.line('status')).stdout).to.contain('1 that others of the cluster take over if this node dies')
  })

  it('moves the auctions that belong elsewhere to the nodes that all nodes agree on, and no others', async () => {
    cli.addNode('main')
    cli.api.cluster = { ...CLUSTER, nodes: CLUSTER.nodes.map((node) => ({ ...node, state: 'alive' as const })) }
    const open = (title: string) => cli.api.openAs(SELF, { title, currency: 'EUR', start: '5' }).outcome.auctionId
    open('of no cluster')
    cli.api.clusterKey = 'first'
    const wanted = [open('Lot 1'), open('Lot 2')].filter(
      (id) => rendezvous(id, [SELF.id, 'node_gil'])[0] === 'node_gil',
    )
    const { stdout } = await run('rebalance')
    const moved = cli.api.calls.filter(({ method }) => method === 'handover').map(({ request }) => request)
    expect(wanted).to.have.length(MOVED)
    expect(moved).to.have.deep.members(wanted.map((auction) => ({ auction, peer: 'node_gil' })))
    expect(stdout).to.contain(`${MOVED} of ${MOVED} auctions have moved`)
    expect((await run('rebalance')).stdout).to.contain('are where they belong')
  })

  it('does not leave if its auctions would stand still, and leaves if others take them over', async () => {
    cli.addNode('main', { pid: 2 ** 30 })
    expect((await run('leave')).code).to.equal(0)
    expect(admin.asked).to.deep.equal(['leave'])
    cli.addNode('main')
    cli.api.cluster = CLUSTER
    cli.api.openAs(SELF, { title: 'Lot', currency: 'EUR', start: '5' })
    const { code, stderr } = await run('leave')
    expect(code).to.equal(3)
    expect(stderr).to.contain('home of auctions that no other node takes over')
    expect(cli.api.stopped).to.equal(false)
  })

  const wrong: readonly (readonly [string, number, string])[] = [
    ['frobnicate', 2, 'there is no action "frobnicate"'],
    ['init extra', 2, 'cluster init takes nothing more'],
    ['join', 2, 'TOKEN is missing'],
    ['invite --uses 0', 2, '--uses "0" must be a whole number from 1'],
    ['invite --expires 31d', 2, '--expires "31d"'],
    ['nodes', 3, 'no node'],
  ]
  for (const [line, exit, words] of wrong) {
    it(`says what is wrong: ${line}`, async () => {
      const { code, stderr } = await run(line)
      expect(stderr.toLowerCase()).to.contain(words.toLowerCase())
      expect(code).to.equal(exit)
    })
  }

  it('names the setting if no log is named, and passes on what the log refuses', async () => {
    const { code, stderr } = await cli.line('cluster init', { deps })
    expect(code).to.equal(2)
    expect(stderr).to.contain('no shared log is named').and.contain('--shared-log postgres://USER@HOST/DATABASE')
    const refused = new NodeError('TOKEN_EXPIRED', 'this token has expired', { next: 'ask for another' })
    deps = { clusterAdmin: async () => ({ ...admin, join: () => Promise.reject(refused) }) as never }
    expect((await run('join vendue-cluster1.abc')).stderr).to.contain('this token has expired')
  })

  it('says if the node belongs to no cluster', async () => {
    cli.addNode('main')
    for (const action of ['nodes', 'rebalance']) {
      const { code, stderr } = await run(action)
      expect(code).to.equal(2)
      expect(stderr).to.contain('belongs to no cluster').and.contain('start this one with --shared-log')
    }
  })
})
