import { expect } from 'chai'
import { ClientAddresses } from '../../../src/adapters/http/client-addresses.js'

describe('client addresses', () => {
  const of = (trusted: string[], remoteAddress: string, forwarded?: string) =>
    new ClientAddresses(trusted).of({
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
      socket: { remoteAddress },
    })

  it('are those of connections where no proxy is trusted, whatever a header says', () => {
    expect(of([], '192.0.2.1', '203.0.113.5')).to.equal('192.0.2.1')
    expect(of(['10.0.0.1'], '192.0.2.1', '203.0.113.5')).to.equal('192.0.2.1')
  })

  it('are what trusted proxies say, back to the first that is not trusted', () => {
    expect(of(['127.0.0.1'], '127.0.0.1', '203.0.113.5')).to.equal('203.0.113.5')
    expect(of(['127.0.0.1'], '::ffff:127.0.0.1', '203.0.113.5')).to.equal('203.0.113.5')
    expect(of(['127.0.0.1'], '127.0.0.1', '1.2.3.4, 203.0.113.5'), 'made up').to.equal('203.0.113.5')
    expect(of(['10.0.0.0/8'], '10.1.2.3', '203.0.113.5, 10.9.9.9')).to.equal('203.0.113.5')
    expect(of(['2001:db8::/32'], '2001:db8::7', '2001:db9::1')).to.equal('2001:db9::1')
  })

  for (const [forwarded, address] of [
    ['203.0.113.5:51234', '203.0.113.5'],
    ['1.2.3.4:80, 203.0.113.5:51234', '203.0.113.5'],
    ['[2001:db8::5]:443', '2001:db8::5'],
    ['[2001:db8::5]', '2001:db8::5'],
    ['2001:db8::5', '2001:db8::5'],
    ['"[2001:db8::5]:443"', '2001:db8::5'],
    ['203.0.113.5:51234, 127.0.0.1:9', '203.0.113.5'],
  ] as const)
    it(`are read from ${forwarded}, as some proxies write it`, () =>
      expect(of(['127.0.0.1'], '127.0.0.1', forwarded)).to.equal(address))

  it('are the nearest that is known where a proxy says nothing of use', () => {
    for (const forwarded of [
      undefined,
      '',
      'unknown',
      '_hidden',
      '<script>',
      '203.0.113.5, nonsense',
      '203.0.113.5:x',
      '[::1',
    ])
      expect(of(['127.0.0.1'], '127.0.0.1', forwarded)).to.equal('127.0.0.1')
  })

  it('are taken from a trusted network however its addresses are written', () => {
    expect(of(['10.0.0.0/8'], '::ffff:10.1.2.3', '203.0.113.5')).to.equal('203.0.113.5')
    expect(of(['::ffff:10.0.0.0/104'], '10.1.2.3', '203.0.113.5')).to.equal('203.0.113.5')
    expect(of(['::ffff:10.0.0.0/104'], '11.1.2.3', '203.0.113.5')).to.equal('11.1.2.3')
    expect(of(['0.0.0.0/0'], '2001:db8::7', '203.0.113.5')).to.equal('2001:db8::7')
  })
})
