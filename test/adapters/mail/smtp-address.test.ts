import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseSmtp, shownSmtp, smtpPassword } from '../../../src/adapters/mail/smtp-address.js'
import { makeTempDir } from '../../support/temp-dir.js'

describe('the address of a mail server', () => {
  const READ: Record<string, object> = {
    'smtp://mail.example': { host: 'mail.example', port: 587, tls: 'starttls', user: null, password: null },
    'smtps://u:p%40ss@mail.example': { port: 465, tls: 'implicit', user: 'u', password: 'p@ss' },
    'smtp://u%40x.example@mail.example:2525': { port: 2525, user: 'u@x.example', password: null },
    'smtp://localhost:1025?tls=none': { host: 'localhost', port: 1025, tls: 'none' },
    'smtp://u:p@[::1]?tls=none': { host: '::1', port: 25, tls: 'none', user: 'u' },
  }
  for (const [url, parts] of Object.entries(READ))
    it(`is read from ${url}`, () => expect(parseSmtp(url)).to.deep.include(parts))

  const REFUSED = [
    ...[
      '',
      'mail.example',
      'http://mail.example',
      'smtp://',
      'smtp://mail.example/inbox',
      'smtp://mail.example?tls=no',
    ],
    ...['smtps://mail.example?tls=none', 'smtp://u:hidden@mail.example?tls=none', 'smtp://u:%hidden@mail.example'],
  ]
  for (const url of REFUSED)
    it(`is refused if it is ${url || 'empty'}, in words without a password`, () =>
      expect(() => parseSmtp(url))
        .to.throw(Error)
        .with.property('message')
        .that.does.not.contain('hidden'))

  it('is shown without its password', () => {
    expect(shownSmtp(parseSmtp('smtps://u:hidden@mail.example'))).to.equal('smtps://u@mail.example:465')
    expect(shownSmtp(parseSmtp('smtp://[::1]?tls=none'))).to.equal('smtp://[::1]:25?tls=none')
  })

  it('takes its password from a file, as it is at that moment', () => {
    const { path, remove } = makeTempDir()
    try {
      const file = join(path, 'password')
      const address = parseSmtp('smtp://u:of-the-url@mail.example')
      expect(smtpPassword(address, null)).to.equal('of-the-url')
      expect(() => smtpPassword(address, file))
        .to.throw('is not there')
        .with.property('key', 'smtp_password_file')
      for (const word of ['first', 'second']) {
        writeFileSync(file, `${word}\n`)
        chmodSync(file, 0o600)
        expect(smtpPassword(address, file)).to.equal(word)
      }
    } finally {
      remove()
    }
  })
})
