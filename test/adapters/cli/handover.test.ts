import { expect } from 'chai'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { BOB } from '../../support/auction-scenario.js'
import { eventually } from '../../support/eventually.js'
import { CliHarness, FakeNode } from './support/cli-harness.js'
import { SELF } from './support/fake-node-api.js'

const LOT = { currency: 'USDT', start: '75', increment: '0.5' }
const DEAF = new NodeError('NODE_UNREACHABLE', 'the auction stays where it is: bob does not answer')
const NOBODY = new NodeError('NODE_UNREACHABLE', 'no reachable peer is called "nobody"', {
  field: 'peer',
  next: 'see `vendue peers` for those there are',
})

describe('handover', () => {
  let cli: CliHarness

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
    cli.api.openAs(SELF, { ...LOT, title: 'One' })
    cli.api.openAs(SELF, { ...LOT, title: 'Two' })
    cli.api.openAs(BOB, { ...LOT, title: 'Theirs' })
  })
  afterEach(() => cli.dispose())

  const asked = () => cli.api.calls.flatMap(({ method, request }) => (method === 'handover' ? [request as object] : []))

  it('moves one auction, and names its new home', async () => {
    const { code, stdout } = await cli.line('handover 7k2m bob')
    expect({ code, stdout }).to.deep.equal({
      code: 0,
      stdout: 'One (auc_7k2m) has moved: its home is bob (node_bob) now.\n',
    })
    expect(asked()).to.deep.equal([{ auction: '7k2m', peer: 'bob' }])
    expect((await cli.line('list')).stdout).to.match(/HOME/)
    expect((await cli.line('status')).stdout).to.contain('home of   1 that pauses without this node')
  })

  it('reports it as JSON', async () => {
    const { stdout } = await cli.line('handover 7k2m bob --json')
    expect(JSON.parse(stdout)).to.deep.equal({
      auction_id: 'auc_7k2m0000000000000000000000',
      moved: true,
      seq: 2,
      home: { node_id: 'node_bob', name: 'bob' },
    })
  })

  it('moves all that are this node’s own and not over, one after the other', async () => {
    const { code, stdout } = await cli.line('handover --all bob')
    expect(code).to.equal(0)
    expect(stdout).to.equal(
      '1/2  Two (auc_7k2n) has moved to bob\n2/2  One (auc_7k2m) has moved to bob\n2 of 2 auctions have moved.\n',
    )
    expect(asked()).to.have.length(2)
    const again = await cli.line('handover --all bob')
    expect(again).to.deep.include({
      code: 0,
      stdout: 'No auction of this node is waiting or open: there is nothing to hand over.\n',
    })
  })

  it('goes on with the others where one does not move, and says so with exit code 3', async () => {
    cli.api.failures.set('handover', DEAF)
    const { code, stdout } = await cli.line('handover --all bob --json')
    expect(code).to.equal(3)
    const documents = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(documents[0]).to.include({ moved: false, code: 'NODE_UNREACHABLE' })
    expect(documents[1]).to.include({ moved: true })
    expect(documents[2]).to.deep.equal({ moved: 1, failed: 1 })
    cli.api.failures.set('handover', DEAF)
    const words = await cli.line('handover --all bob')
    expect(words.stdout).to.contain('0 of 1 auctions have moved, 1 has not; the same command tries again.')
  })

  it('gives up at once where there is no such peer', async () => {
    cli.api.failures.set('handover', NOBODY)
    const { code, stdout, stderr } = await cli.line('handover --all nobody')
    expect({ code, stdout }).to.deep.equal({ code: 3, stdout: '' })
    expect(stderr).to.contain('no reachable peer is called "nobody"').and.to.contain('next: see `vendue peers`')
    expect(asked()).to.have.length(1)
  })

  it('says what is missing', async () => {
    expect(await cli.line('handover')).to.deep.include({ code: 2 })
    expect((await cli.line('handover 7k2m')).stderr).to.contain('PEER is missing')
    expect((await cli.line('handover --all')).stderr).to.contain('next: handover --all PEER')
    expect((await cli.line('handover 7k2m bob --all')).code).to.equal(2)
    expect(asked()).to.deep.equal([])
  })

  it('has exit code 4 where the new home has not confirmed yet', async () => {
    cli.api.failures.set('handover', new NodeError('NOT_REPLICATED', 'bob has not confirmed yet'))
    const { code, stderr } = await cli.line('handover 7k2m bob')
    expect(code).to.equal(4)
    expect(stderr).to.contain('bob has not confirmed yet')
  })
})

describe('a node that stops', () => {
  let cli: CliHarness

  beforeEach(() => {
    cli = new CliHarness()
    cli.api.openAs(SELF, { ...LOT, title: 'One' })
  })
  afterEach(() => cli.dispose())

  const start = () => {
    let node: FakeNode | null = null
    const ran = cli.line('start', {
      deps: {
        createNode: (settings) => {
          node = new FakeNode(cli.api, settings)
          return Promise.resolve(node)
        },
        startGateway: () =>
          Promise.resolve({
            url: 'http://127.0.0.1:8080',
            open: true,
            fellBack: false,
            stop: () => Promise.resolve(),
          }),
      },
    })
    return { ran, ready: eventually('it is ready', () => cli.stdout.includes('Ready')), node: () => node }
  }

  it('moves its auctions first where it is asked to, and does not stop if one stays', async () => {
    cli.addNode('main')
    cli.api.failures.set('handover', DEAF)
    const kept = await cli.line('stop --handover bob')
    expect(kept.code).to.equal(3)
    expect(kept.stdout).to.contain('The node has not been stopped.')
    expect(cli.api.stopped).to.equal(false)
    // A stop waits for the process to be gone, which is this one here.
    const stopping = cli.line('stop --handover bob')
    await eventually('it is asked', () => cli.api.stopped)
    cli.ended.abort()
    const { code, stdout } = await stopping
    expect(code).to.equal(0)
    expect(stdout).to.contain('1 of 1 auctions have moved.').and.not.to.contain('until it is back')
  })

  it('says how many auctions wait for it, and how they would have moved', async () => {
    cli.addNode('main')
    const stopping = cli.line('stop')
    await eventually('it is asked', () => cli.api.stopped)
    cli.ended.abort()
    expect((await stopping).stdout).to.contain(
      '1 auction of it waits until it is back; "vendue stop --handover PEER" would have moved it to another node.',
    )
  })

  it('says it on Ctrl-C too, and nothing where it is the home of none', async () => {
    const first = start()
    await first.ready
    cli.ended.abort()
    expect((await first.ran).stderr).to.match(/^stopping\n1 auction of it waits until it is back; /)
  })

  it('is not kept from stopping by a count that fails or does not come', async () => {
    const first = start()
    await first.ready
    cli.api.failures.set('status', new Error('the disk is gone'))
    cli.ended.abort()
    const { code, stderr } = await first.ran
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: 'stopping\n' })
  })
})

describe('--ack', () => {
  let cli: CliHarness

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
    cli.api.openAs(BOB, { ...LOT, title: 'Theirs' })
    cli.api.openAs(SELF, { ...LOT, title: 'Mine' })
  })
  afterEach(() => cli.dispose())

  const replicasOf = (method: string) =>
    cli.api.calls.flatMap((call) => (call.method === method ? [(call.request as { replicas?: number }).replicas] : []))

  it('goes along with open, bid, and close; local asks for nothing more', async () => {
    await cli.line('open Three --start 1 --currency EUR --ack replicated=16')
    await cli.line('bid 7k2m 80 --ack replicated=2')
    await cli.line('bid 7k2m --max 90 --ack local')
    await cli.line('bid 7k2m --max 95')
    await cli.line('close 7k2n --ack replicated=1')
    expect(replicasOf('open')).to.deep.equal([16])
    expect(replicasOf('bid')).to.deep.equal([2, undefined, undefined])
    expect(replicasOf('close')).to.deep.equal([1])
  })

  for (const text of ['replicated', 'replicated=', 'replicated=0', 'replicated=17', 'replicated=x', 'all']) {
    it(`is not "${text}"`, async () => {
      const { code, stderr } = await cli.run(['bid', '7k2m', '80', '--ack', text])
      expect(code).to.equal(2)
      expect(stderr).to.contain('must be local, or replicated=N with N from 1 to 16')
      expect(replicasOf('bid')).to.deep.equal([])
    })
  }

  it('says how to ask again, with its id and as many replicas, where too few have stored it', async () => {
    cli.api.failures.set('bid', new NodeError('NOT_REPLICATED', 'only 1 of 2 replicas have stored it'))
    const { code, stderr } = await cli.line('bid 7k2m 80 --ack replicated=2')
    expect(code).to.equal(4)
    expect(stderr).to.match(/vendue bid 7k2m 80 --ack replicated=2 --id bid_\w+/)
  })
})
