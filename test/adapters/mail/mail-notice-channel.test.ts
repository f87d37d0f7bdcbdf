import { createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { isMailAddress, MailNoticeChannel } from '../../../src/adapters/mail/mail-notice-channel.js'
import { parseSmtp } from '../../../src/adapters/mail/smtp-address.js'
import { testDelivery, WICKED_TITLE } from '../../support/notices.js'
import { type ReceivedMail, readMail } from '../../support/received-mail.js'
import { makeServerCertificate } from '../../support/server-certificate.js'

const NEVER = new AbortController().signal
const TARGET = { channel: 'mail', address: 'ann@example.org' } as const
const FROM = { name: 'The house', address: 'notices@auctions.example' }

function smtpError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}

describe('MailNoticeChannel', () => {
  const mails: ReceivedMail[] = []
  const closes: (() => Promise<unknown>)[] = []
  let tls: { key: string; cert: string }

  /** A real SMTP server. */
  const serve = async (options: SMTPServerOptions = {}): Promise<number> => {
    const server = new SMTPServer({
      ...tls,
      authOptional: true,
      logger: false,
      closeTimeout: 100,
      onData(stream, _session, done) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          mails.push(readMail(Buffer.concat(chunks).toString('utf8')))
          done()
        })
      },
      ...options,
    })
    server.on('error', () => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    closes.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
    const address = server.server.address()
    return typeof address === 'object' && address ? address.port : 0
  }
  /** One that says what it likes. */
  const talk = async (listener: (socket: Socket) => void): Promise<number> => {
    const sockets = new Set<Socket>()
    const server: Server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      listener(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closes.push(() => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    })
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }
  const channelTo = (url: string, more: { password?: () => string | null; timeoutMs?: number; ca?: string } = {}) =>
    new MailNoticeChannel({ server: parseSmtp(url), password: () => null, from: FROM, ca: tls.cert, ...more })
  const plainTo = (port: number, timeoutMs = 20_000) => channelTo(`smtp://127.0.0.1:${port}?tls=none`, { timeoutMs })
  const last = () => mails.at(-1) as ReceivedMail

  before(async () => {
    tls = await makeServerCertificate()
  })
  afterEach(async () => {
    for (const close of closes.splice(0)) await close()
    mails.length = 0
  })

  it('hands over a mail in plain text and HTML, over TLS that the server is asked to begin', async () => {
    let isSecure = false
    const onSecure: SMTPServerOptions['onSecure'] = (_socket, _session, done) => {
      isSecure = true
      done()
    }
    const port = await serve({ onSecure })
    const result = await channelTo(`smtp://127.0.0.1:${port}`).send(testDelivery(TARGET), NEVER)
    expect(result).to.deep.equal({ result: 'delivered' })
    expect(isSecure).to.equal(true)
    const { headers, text, html } = last()
    expect(headers.get('to')).to.deep.equal(['ann@example.org'])
    expect(headers.get('from')).to.deep.equal(['The house <notices@auctions.example>'])
    expect(headers.get('subject')).to.deep.equal(['Outbid at 1,234.50\u00a0EUR · Armchair'])
    for (const part of [text, html]) {
      expect(part).to.contain('Armchair').and.to.contain('Outbid at 1,234.50\u00a0EUR')
      expect(part).to.contain('The next bid is 1,235.00\u00a0EUR or more.')
      expect(part).to.contain('https://auctions.example/lot/auc_1')
    }
  })

  it('hands over a mail over TLS from the start', async () => {
    const port = await serve({ secure: true })
    const result = await channelTo(`smtps://localhost:${port}`).send(testDelivery(TARGET), NEVER)
    expect(result).to.deep.equal({ result: 'delivered' })
  })

  it('says that it is automatic, and how to end such mails by one click (RFC 3834, RFC 8058)', async () => {
    await plainTo(await serve()).send(testDelivery(TARGET), NEVER)
    const { headers } = last()
    expect(headers.get('auto-submitted')).to.deep.equal(['auto-generated'])
    const link = '<https://auctions.example/api/v1/notices/unsubscribe?token=t1>'
    expect(headers.get('list-unsubscribe')).to.deep.equal([link])
    expect(headers.get('list-unsubscribe-post')).to.deep.equal(['List-Unsubscribe=One-Click'])
  })

  it('promises no single click where the link is not encrypted, and no link where there is none', async () => {
    const channel = plainTo(await serve())
    const links = { auction: null, preferences: null, unsubscribe: 'http://auctions.example/u?token=t1' }
    await channel.send(testDelivery(TARGET, { links }), NEVER)
    expect(last().headers.get('list-unsubscribe')).to.deep.equal(['<http://auctions.example/u?token=t1>'])
    expect(last().headers.has('list-unsubscribe-post')).to.equal(false)
    await channel.send(testDelivery(TARGET, { links: { ...links, unsubscribe: null } }), NEVER)
    expect(last().headers.has('list-unsubscribe')).to.equal(false)
  })

  it('gives a delivery the same Message-ID in each attempt, and another one to each delivery', async () => {
    const channel = plainTo(await serve())
    await channel.send(testDelivery(TARGET), NEVER)
    await channel.send({ ...testDelivery(TARGET), attempt: 2 }, NEVER)
    await channel.send({ ...testDelivery(TARGET), id: 'ntc_2' }, NEVER)
    const [first, again, other] = mails.map(({ headers }) => headers.get('message-id')?.join())
    expect(first).to.match(/^<[0-9a-f]{40}@auctions\.example>$/)
    expect(again).to.equal(first)
    expect(other).to.not.equal(first)
  })

  for (const [language, dir] of [
    ['de', 'ltr'],
    ['ar', 'rtl'],
  ] as const)
    it(`writes ${language} from ${dir}`, async () => {
      await plainTo(await serve()).send(testDelivery(TARGET, { language }), NEVER)
      expect(last().html).to.contain(`<html lang="${language}" dir="${dir}">`)
      expect(last().headers.get('subject')?.[0]).to.match(language === 'de' ? /^Überboten/ : /^زايد/)
    })

  it('lets no title, search or currency add a header, a recipient, a part or markup', async () => {
    const recipients: string[] = []
    const onRcptTo: SMTPServerOptions['onRcptTo'] = ({ address }, _session, done) => {
      recipients.push(address)
      done()
    }
    const channel = plainTo(await serve({ onRcptTo }))
    await channel.send(testDelivery(TARGET), NEVER)
    const names = [...last().headers.keys()]
    const wicked = {
      title: WICKED_TITLE,
      search: WICKED_TITLE,
      currency: 'E\r\nX-Evil: 1',
      kind: 'new-auction',
    } as const
    await channel.send(testDelivery(TARGET, wicked), NEVER)
    const { headers, html, text } = last()
    expect([...headers.keys()]).to.deep.equal(names)
    expect([...headers.values()].every((values) => values.length === 1)).to.equal(true)
    expect(recipients).to.deep.equal(['ann@example.org', 'ann@example.org'])
    expect(html).to.contain('&lt;script&gt;').and.to.not.contain('<script')
    expect(text).to.not.match(/^(Bcc|X-Evil):/m)
  })

  it('uses no address that would be more than one, or more than an address', async () => {
    const channel = plainTo(await serve())
    for (const address of ['a@b.example, c@d.example', 'a@b.example\r\nRCPT TO:<c@d.example>', 'a', '<a@b>', '"x y"@b'])
      expect(await channel.send(testDelivery({ channel: 'mail', address }), NEVER), address).to.include({
        result: 'gone',
      })
    expect(mails).to.deep.equal([])
    expect(isMailAddress('übung@bücher.example')).to.equal(true)
    expect(isMailAddress(`${'a'.repeat(250)}@b.example`)).to.equal(false)
  })

  describe('asks', () => {
    const to = async (code: number, message: string, at: 'onRcptTo' | 'onMailFrom' = 'onRcptTo') => {
      const port = await serve({
        [at]: (_address: object, _session: object, done: (e: Error) => void) => done(smtpError(code, message)),
      })
      return plainTo(port).send(testDelivery(TARGET), NEVER)
    }

    it('for another attempt where the server greylists', async () => {
      const result = await to(450, '4.7.1 Greylisted, come back')
      expect(result).to.deep.equal({ result: 'retry', why: '450 4.7.1 Greylisted, come back' })
    })

    it('for no other mail to an address that is not there', async () => {
      for (const message of ['5.1.1 No such user', 'No such user'])
        expect(await to(550, message)).to.deep.equal({ result: 'gone', why: `550 ${message}` })
    })

    it('for no other attempt where the server refuses by its policy, or the mailbox is full', async () => {
      expect(await to(550, '5.7.1 Blocked')).to.include({ result: 'refused' })
      expect(await to(552, '5.2.2 Mailbox full')).to.include({ result: 'refused' })
    })

    it('for another attempt where it is this house that is refused', async () => {
      expect(await to(550, '5.7.1 We do not know you', 'onMailFrom')).to.include({ result: 'retry' })
    })
  })

  it('gives up a mail whose content is refused', async () => {
    const port = await serve({
      onData: (stream, _session, done) => {
        stream.resume()
        stream.on('end', () => done(smtpError(554, '5.7.1 This is spam')))
      },
    })
    expect(await plainTo(port).send(testDelivery(TARGET), NEVER)).to.deep.equal({
      result: 'refused',
      why: '554 5.7.1 This is spam',
    })
  })

  it('sends the same Message-ID again after a connection that broke in the middle of the mail', async () => {
    const seen: string[] = []
    const port = await talk((socket) => {
      let data = ''
      socket.write('220 mail.example ESMTP\r\n')
      socket.on('data', (chunk) => {
        data += chunk.toString()
        const id = /^Message-ID: (.+)\r$/im.exec(data)?.[1]
        if (id !== undefined) {
          seen.push(id)
          socket.destroy()
        } else if (/^DATA\r\n/m.test(data)) socket.write('354 go on\r\n')
        else socket.write('250 ok\r\n')
      })
    })
    const channel = plainTo(port)
    for (const attempt of [1, 2])
      expect(await channel.send({ ...testDelivery(TARGET), attempt }, NEVER)).to.include({ result: 'retry' })
    expect(seen).to.have.length(2)
    expect(seen[1]).to.equal(seen[0])
  })

  it('asks for another attempt where the server hangs, whatever it has said until then', async () => {
    const silent = await talk(() => {})
    const why = 'the server has not answered within 300 ms'
    expect(await plainTo(silent, 300).send(testDelivery(TARGET), NEVER)).to.deep.equal({ result: 'retry', why })
    const dripping = await talk((socket) => {
      const timer = setInterval(() => socket.write('220-wait\r\n'), 20)
      socket.once('close', () => clearInterval(timer))
    })
    expect(await plainTo(dripping, 300).send(testDelivery(TARGET), NEVER)).to.deep.equal({ result: 'retry', why })
  })

  it('ends when it is stopped', async () => {
    const stop = new AbortController()
    const port = await talk(() => stop.abort())
    const result = await plainTo(port).send(testDelivery(TARGET), stop.signal)
    expect(result).to.deep.equal({ result: 'retry', why: 'stopped before the server had answered' })
  })

  it('asks for another attempt where nobody listens', async () => {
    const port = await talk(() => {})
    await closes.splice(0)[0]?.()
    expect(await plainTo(port).send(testDelivery(TARGET), NEVER)).to.include({ result: 'retry' })
  })

  describe('keeps its password:', () => {
    const auths: string[] = []
    const onAuth: SMTPServerOptions['onAuth'] = ({ username, password }, _session, done) => {
      auths.push(`${username} ${password}`)
      if (password === 'right word') done(null, { user: username })
      else done(smtpError(535, '5.7.8 Wrong password'))
    }

    it('logs in with it as it is at that moment, over TLS alone', async () => {
      const port = await serve({ onAuth, authOptional: false })
      let word = 'wrong word'
      const channel = channelTo(`smtp://vendue@127.0.0.1:${port}`, { password: () => word })
      const refused = await channel.send(testDelivery(TARGET), NEVER)
      expect(refused).to.include({ result: 'retry' })
      expect(JSON.stringify(refused)).to.not.contain('wrong word')
      word = 'right word'
      expect(await channel.send(testDelivery(TARGET), NEVER)).to.deep.equal({ result: 'delivered' })
      expect(auths).to.deep.equal(['vendue wrong word', 'vendue right word'])
    })

    it('sends nothing to a server that does not encrypt, or whose certificate is not trusted', async () => {
      auths.length = 0
      const plain = await serve({ onAuth, hideSTARTTLS: true, allowInsecureAuth: true, disabledCommands: ['STARTTLS'] })
      const password = () => 'right word'
      const toPlain = channelTo(`smtp://vendue@127.0.0.1:${plain}`, { password })
      expect(await toPlain.send(testDelivery(TARGET), NEVER)).to.include({ result: 'retry' })
      const other = await makeServerCertificate()
      const toOther = channelTo(`smtp://vendue@127.0.0.1:${await serve({ onAuth })}`, { password, ca: other.cert })
      expect(await toOther.send(testDelivery(TARGET), NEVER)).to.include({ result: 'retry' })
      expect(auths).to.deep.equal([])
      expect(mails).to.deep.equal([])
    })
  })
})
