import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { ConnectionLimits } from '../../../../src/adapters/grenache/transport/connection-limits.js'
import { testBudgets } from '../../../support/test-budgets.js'

const MAX_CONNECTIONS_PER_MEMBER = 5

describe('the limits on connections', () => {
  let nextPort: number
  let dropped: string[]
  let limits: ConnectionLimits
  beforeEach(() => {
    nextPort = 1
    dropped = []
    const ofMembers = testBudgets({ connections: MAX_CONNECTIONS_PER_MEMBER }).of('connections')
    limits = new ConnectionLimits({
      maxStrangers: 4,
      ofMembers,
      onDropped: (address) => dropped.push(address),
    })
  })

  function from(remoteAddress: string): Socket {
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress,
      remotePort: nextPort++,
      destroyed: false,
      destroy: () => {
        socket.destroyed = true
        socket.emit('close')
      },
    })
    return socket as unknown as Socket
  }
  function arrive(address: string): Socket {
    const socket = from(address)
    limits.add(socket)
    return socket
  }

  it('let the oldest stranger make room, of the address that has most of them', () => {
    const lone = arrive('10.0.0.1')
    const crowd = [arrive('10.0.0.2'), arrive('10.0.0.2'), arrive('10.0.0.2')]
    crowd.push(arrive('10.0.0.2'))
    expect(lone.destroyed).to.equal(false)
    expect(crowd.map(({ destroyed }) => destroyed)).to.deep.equal([true, false, false, false])
    expect(dropped).to.deep.equal(['10.0.0.2'])
    expect(limits.strangers).to.equal(4)
  })

  it('leave out of it who has shown who he is, and forget who has gone', () => {
    const member = arrive('10.0.0.1')
    limits.know(member)
    for (let i = 0; i < 4; i++) arrive('10.0.0.1').destroy()
    const others = Array.from({ length: 5 }, () => arrive('10.0.0.1'))
    expect(limits.isKnown(member)).to.equal(true)
    expect(member.destroyed).to.equal(false)
    expect(others.filter(({ destroyed }) => destroyed)).to.have.lengthOf(1)
    member.destroy()
    expect(limits.isKnown(member)).to.equal(false)
  })

  it('give a member its share and no more, and have it back when connections end', () => {
    const open = Array.from({ length: MAX_CONNECTIONS_PER_MEMBER }, () => from('10.0.0.1'))
    for (const socket of open) expect(limits.takeMember(socket, 'node_a')).to.equal(true)
    expect(limits.takeMember(from('10.0.0.1'), 'node_a')).to.equal(false)
    expect(limits.takeMember(from('10.0.0.1'), 'node_b')).to.equal(true)
    open[0]?.destroy()
    expect(limits.takeMember(from('10.0.0.1'), 'node_a')).to.equal(true)
  })
})
