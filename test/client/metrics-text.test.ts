import { expect } from 'chai'
import { readMetrics } from '../../src/client/metrics-text.js'

describe('what a gateway measures, as the client reads it', () => {
  it('has names, labels and values, whatever signs are in them', () => {
    const text = [
      '# HELP vendue_peers Peers of the node by state.',
      '# TYPE vendue_peers gauge',
      'vendue_peers{state="alive"} 2',
      'vendue_replication_backlog_commits{peer="a \\"b\\", {c}\\\\ \\nd"} 7',
      'vendue_commit_seconds_bucket{le="+Inf",job="x"} 1.5e3',
      'vendue_wal_bytes 4096',
      'vendue_odd NaN',
      'vendue_most +Inf',
      '',
      'not a line of it',
    ].join('\n')
    expect(readMetrics(text)).to.deep.equal([
      { name: 'vendue_peers', labels: { state: 'alive' }, value: 2 },
      { name: 'vendue_replication_backlog_commits', labels: { peer: 'a "b", {c}\\ \nd' }, value: 7 },
      { name: 'vendue_commit_seconds_bucket', labels: { le: '+Inf', job: 'x' }, value: 1_500 },
      { name: 'vendue_wal_bytes', labels: {}, value: 4_096 },
      { name: 'vendue_odd', labels: {}, value: Number.NaN },
      { name: 'vendue_most', labels: {}, value: Number.POSITIVE_INFINITY },
    ])
  })
})
