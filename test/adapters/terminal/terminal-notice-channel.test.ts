import { expect } from 'chai'
import { TerminalNoticeChannel } from '../../../src/adapters/terminal/terminal-notice-channel.js'
import { testDelivery, WICKED_TITLE } from '../../support/notices.js'

const TARGET = { channel: 'terminal' } as const

describe('TerminalNoticeChannel', () => {
  it('writes one line with the title, what happened, and where to go', async () => {
    const lines: string[] = []
    const channel = new TerminalNoticeChannel({ write: (line) => lines.push(line) })
    expect(await channel.send(testDelivery(TARGET))).to.deep.equal({ result: 'delivered' })
    expect(lines).to.deep.equal(['Armchair: Outbid at 1,234.50\u00a0EUR · https://auctions.example/lot/auc_1'])
  })

  it('lets no title move the cursor, start a line, or turn the text around', async () => {
    const lines: string[] = []
    const channel = new TerminalNoticeChannel({ write: (line) => lines.push(line) })
    await channel.send(testDelivery(TARGET, { title: WICKED_TITLE }))
    expect(lines).to.have.length(1)
    expect(lines[0])
      .to.contain('Chair')
      .and.to.not.match(/[\p{Cc}\u2028\u202e]/u)
  })

  it('asks for another attempt where the terminal is gone', async () => {
    const write = () => {
      throw new Error('write EPIPE')
    }
    const result = await new TerminalNoticeChannel({ write }).send(testDelivery(TARGET))
    expect(result).to.deep.equal({ result: 'retry', why: 'the terminal takes no line: write EPIPE' })
  })
})
