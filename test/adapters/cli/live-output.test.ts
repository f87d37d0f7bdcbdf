import { expect } from 'chai'
import { peerLines } from '../../../src/adapters/cli/commands/peers.js'
import { Output } from '../../../src/adapters/cli/render/output.js'
import type { PeerView } from '../../../src/ports/node/node-info.js'

const OPTIONS = { json: false, color: false, timeZone: 'UTC', now: () => 10_000 }

function sink(more: object = {}): { text: string; write(text: string): void } {
  return {
    text: '',
    write(text: string) {
      this.text += text
    },
    ...more,
  }
}

describe('live output', () => {
  it('takes the place of what it wrote before, wrapped lines counted, on a terminal', () => {
    const stdout = sink({ isTTY: true, columns: 10, rows: 24 })
    const out = new Output({ stdout, stderr: sink() }, OPTIONS)
    out.live(['a', 'x'.repeat(25)])
    stdout.text = ''
    out.live(['b'])
    expect(stdout.text).to.equal('\u001b[4A\r\u001b[Jb\n')
    stdout.text = ''
    out.note('a remark')
    out.live(['c'])
    expect(stdout.text, 'after a remark it begins anew').to.equal('c\n')
  })

  it('leaves out what does not fit the screen, and says how much', () => {
    const stdout = sink({ isTTY: true, columns: 80, rows: 5 })
    new Output({ stdout, stderr: sink() }, OPTIONS).live(['1', '2', '3', '4', '5', '6'])
    expect(stdout.text).to.equal('1\n2\n3\n... and 3 more\n')
  })

  it('writes plain lines where there is no terminal, and nothing beside JSON', () => {
    const stdout = sink()
    const out = new Output({ stdout, stderr: sink() }, OPTIONS)
    out.live(['a'])
    out.live(['b'])
    expect(stdout.text).to.equal('a\nb\n')
    const json = sink()
    new Output({ stdout: json, stderr: sink() }, { ...OPTIONS, json: true }).live(['a'])
    expect(json.text).to.equal('')
  })

  it('shows state, address, last sign of life, round trip and version of each peer', () => {
    const { look } = new Output({ stdout: sink(), stderr: sink() }, OPTIONS)
    const peer: PeerView = {
      nodeId: 'node_1',
      name: 'ada\u001b[2J',
      publicKey: 'k',
      version: '0.1.0',
      address: '127.0.0.1:1',
      dhtAddress: null,
      incarnation: 1,
      state: 'suspect',
      lastSeenAt: 7_000,
      roundTripMs: 1.234,
    }
    const [, row] = peerLines([peer], look)
    for (const part of ['suspect', '127.0.0.1:1', '3 s ago', '1.2 ms', '0.1.0', 'node_1']) {
      expect(row).to.include(part)
    }
    expect(row).to.not.include('\u001b')
  })
})
