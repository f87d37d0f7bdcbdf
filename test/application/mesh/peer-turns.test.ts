import { expect } from 'chai'
import { PeerTable } from '../../../src/application/mesh/peer-table.js'

describe('the changes that a node remembers of its peers', () => {
  let now = 1_000
  const clock = { now: () => now++, monotonicMs: () => now }
  const info = (name: string) => ({
    nodeId: `node_${name}`,
    name,
    address: `127.0.0.1:${name.length}`,
    dhtAddress: '127.0.0.1:9',
    version: '1',
    incarnation: 5,
    publicKey: '',
  })

  it('say of each what it is by now, when, and why', () => {
    const table = new PeerTable({ clock })
    table.admit(info('kim'), 1)
    table.suspect('node_kim')
    table.answered('node_kim', 5, 1)
    table.suspect('node_kim')
    table.refuted('node_kim', 6)
    table.suspect('node_kim')
    table.dead('node_kim')
    // No news.
    table.dead('node_kim')
    table.admit({ ...info('kim'), incarnation: 7 }, 1)
    table.left('node_kim', 7)
    table.admit(info('sam'), 1)
    table.remove('node_sam')
    expect(table.turns.map(({ name, state, why }) => `${name} ${state}: ${why}`).reverse()).to.deep.equal([
      'kim alive: proven',
      'kim suspect: no-answer',
      'kim alive: answered',
      'kim suspect: no-answer',
      'kim alive: refuted',
      'kim suspect: no-answer',
      'kim dead: silent',
      'kim alive: proven',
      'kim left: goodbye',
      'sam alive: proven',
      'sam left: revoked',
    ])
    const times = table.turns.map(({ at }) => at)
    expect(times).to.deep.equal([...times].sort((a, b) => b - a))
  })

  it('are the last fifty alone', () => {
    const table = new PeerTable({ clock })
    table.admit(info('kim'), 1)
    for (let i = 0; i < 100; i++) {
      table.suspect('node_kim')
      table.answered('node_kim', 5, 1)
    }
    expect(table.turns).to.have.length(50)
    expect(table.turns[0]?.why).to.equal('answered')
  })
})
