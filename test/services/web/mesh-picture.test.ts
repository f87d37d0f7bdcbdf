import { expect } from 'chai'
import {
  drawPeers,
  figuresOf,
  MAX_DRAWN,
  MAX_NAMED,
  quantile,
} from '../../../services/gateway/web/model/mesh-picture.js'
import type { MetricSample, Peer } from '../../../src/client/exports.js'

const peer = (name: string, state: Peer['state'] = 'alive', ms: number | null = 1): Peer => ({
  node_id: `node_${name}`,
  name,
  address: '127.0.0.1:1',
  version: '1',
  state,
  last_seen_at: null,
  round_trip_ms: ms,
  started_at: '2030-01-01T00:00:00Z',
})
const far = ({ x, y }: { x: number; y: number }) => Math.hypot(x - 100, y - 100)

describe('the picture of the mesh', () => {
  it('puts the quicker nearer, within its two rings, and those out of use on the outer one', () => {
    const drawn = drawPeers(
      [peer('a', 'alive', 0.1), peer('b', 'alive', 20), peer('c', 'alive', 90_000), peer('d', 'dead', 0.1)],
      new Map(),
    )
    const [a, b, c, d] = drawn.map(far)
    expect(a).to.be.closeTo(38, 0.01)
    expect(b)
      .to.be.greaterThan(a as number)
      .and.lessThan(c as number)
    expect([Math.round(c as number), Math.round(d as number)]).to.deep.equal([82, 82])
  })

  it('draws who has more auctions at home larger, and leaves a peer where it is when another one changes', () => {
    const before = drawPeers([peer('a'), peer('b'), peer('c')], new Map([['b', 16]]))
    expect(before[1]?.radius).to.be.greaterThan(before[0]?.radius as number)
    const after = drawPeers([peer('a'), peer('b'), peer('c', 'suspect')], new Map([['b', 16]]))
    expect(after.slice(0, 2)).to.deep.equal(before.slice(0, 2))
  })

  it('names all of a few, but of many only those in trouble', () => {
    const few = Array.from({ length: MAX_NAMED }, (_, i) => peer(`n${i}`))
    expect(drawPeers(few, new Map()).every(({ named }) => named)).to.equal(true)
    const many = drawPeers([...few, peer('slow', 'suspect'), peer('gone', 'left')], new Map())
    expect(many.filter(({ named }) => named).map(({ peer: { name } }) => name)).to.deep.equal(['slow'])
    const broken = drawPeers(
      Array.from({ length: 2 * MAX_NAMED }, (_, i) => peer(`n${i}`, 'dead')),
      new Map(),
    )
    expect(broken.filter(({ named }) => named)).to.have.length(MAX_NAMED)
  })

  it('draws those in trouble first where there are too many', () => {
    const crowd = Array.from({ length: 2 * MAX_DRAWN }, (_, i) => peer(`n${i}`))
    const drawn = drawPeers([...crowd, peer('zz', 'dead')], new Map())
    expect(drawn).to.have.length(MAX_DRAWN)
    expect(drawn.map(({ peer: { name } }) => name)).to.include('zz')
  })
})

describe('an operator’s figures', () => {
  const sample = (name: string, value: number, labels: Record<string, string> = {}): MetricSample => ({
    name,
    labels,
    value,
  })

  it('are what waits, where, and what the disk holds and takes', () => {
    const figures = figuresOf([
      sample('vendue_replication_backlog_commits', 4, { peer: 'kim' }),
      sample('vendue_queue_depth', 0, { queue: 'mailboxes' }),
      sample('vendue_queue_depth', 3, { queue: 'forward' }),
      sample('vendue_database_bytes', 1_000),
      sample('vendue_wal_bytes', 10),
      sample('vendue_commit_seconds_bucket', 99, { le: '0.005' }),
      sample('vendue_commit_seconds_bucket', 100, { le: '+Inf' }),
    ])
    expect(figures).to.deep.include({
      backlog: new Map([['kim', 4]]),
      waiting: [['forward', 3]],
      databaseBytes: 1_000,
      walBytes: 10,
      commitMs: 5,
      replicationDelayMs: null,
      waitingBids: null,
    })
  })

  it('say nothing of what was never measured, or lies above all bounds', () => {
    const buckets = [sample('x_bucket', 1, { le: '1' }), sample('x_bucket', 100, { le: '+Inf' })]
    expect(quantile(buckets, 'x', 0.99)).to.equal(null)
    expect(quantile([sample('x_bucket', 0, { le: '+Inf' })], 'x', 0.5)).to.equal(null)
    expect(quantile([], 'x', 0.5)).to.equal(null)
  })
})
