import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import { openChannels } from '../../../services/notifier/open-channels.js'
import { parseSmtp } from '../../../src/adapters/mail/smtp-address.js'
import { networkOf } from '../../../src/adapters/system/ip-address.js'
import { systemClock } from '../../../src/adapters/system/system-clock.js'
import type { NoticeTarget } from '../../../src/ports/notices/notice-channel.js'
import { testDelivery } from '../../support/notices.js'
import { Receiver } from '../../support/receiver.js'
import { makeTempDir } from '../../support/temp-dir.js'

const NEVER = new AbortController().signal
const NOTHING = { mail: null, webPush: null, allowedNetworks: [], terminal: null }
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`

describe('the channels of a notifier', () => {
  const clock = systemClock
  const dir = makeTempDir()
  const receiver = new Receiver()
  before(() => receiver.start())
  after(async () => {
    await receiver.stop()
    dir.remove()
  })

  it('are those that are set up, and webhooks, which need nothing', () => {
    expect(openChannels(NOTHING, { clock }).map(({ kind }) => kind)).to.deep.equal(['webhook'])
    const from = { name: 'House', address: 'house@auctions.example' }
    const all = {
      mail: { server: parseSmtp('smtp://mail.example'), passwordFile: null, from },
      webPush: { dataDir: dir.path, contact: 'mailto:house@auctions.example' },
      allowedNetworks: [],
      terminal: () => {},
    }
    const kinds = openChannels(all, { clock }).map(({ kind }) => kind)
    expect(kinds).to.have.members(['mail', 'web-push', 'webhook', 'terminal'])
    expect(readdirSync(dir.path)).to.deep.equal(['web-push.keys'])
  })

  it('reach no network of the operator unless it is allowed', async () => {
    const target: NoticeTarget = { channel: 'webhook', url: receiver.url(), secrets: [SECRET] }
    const [closed] = openChannels(NOTHING, { clock })
    expect(await closed?.send(testDelivery(target), NEVER)).to.include({ result: 'refused' })
    expect(receiver.connections).to.equal(0)
    const allowedNetworks = [networkOf('127.0.0.0/8')].filter((network) => network !== null)
    const [open] = openChannels({ ...NOTHING, allowedNetworks }, { clock })
    expect(await open?.send(testDelivery(target), NEVER)).to.deep.equal({ result: 'delivered' })
  })
})
