import { expect } from 'chai'
import { createPinoLogger } from '../../../src/adapters/system/pino-logger.js'
import { REDACTED, redact } from '../../../src/adapters/system/redact.js'

function logger(level: string, format: 'pretty' | 'json') {
  const written: string[] = []
  return { log: createPinoLogger({ level, format, write: (lines) => written.push(lines) }), written }
}

const SECRETS = [
  ...['token', 'operatorToken', 'max', 'limit', 'reserve', 'salt', 'privateKey', 'private_key', 'MAX'],
  ...['secrets', 'endpoint', 'auth', 'p256dh', 'unsubscribe', 'pass', 'smtp_url'],
]

describe('the log', () => {
  it('is written before the call returns, one JSON line each', () => {
    const { log, written } = logger('info', 'json')
    log.info({ peer: 'bob' }, 'a peer answered')
    log.debug({}, 'not at this level')
    expect(written).to.have.length(1)
    const line = JSON.parse(written[0] as string)
    expect(line).to.include({ level: 30, peer: 'bob', msg: 'a peer answered' })
    expect(line.time).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  })

  it('is for people where that is wanted', () => {
    const { log, written } = logger('trace', 'pretty')
    log.warn({ err: Object.assign(new Error('nobody listens'), { code: 'ECONNREFUSED' }) }, 'a push failed')
    expect(written.join('')).to.match(/^\[[\d:.]+\] WARN: a push failed .*ECONNREFUSED: nobody listens"?}?\n$/)
    expect(written.join('')).not.to.contain('    at ')
  })

  for (const name of SECRETS) {
    it(`never holds what is named ${name}, however deep`, () => {
      const { log, written } = logger('trace', 'json')
      log.child({ bound: { [name]: 'hush' } }).info({ [name]: 'hush', a: [{ b: { [name]: 'hush' } }] }, 'x')
      log.error({ err: Object.assign(new Error('y'), { [name]: 'hush' }) }, 'x')
      expect(written.join('')).to.contain(REDACTED).and.not.contain('hush')
    })
  }

  it('holds errors with code, message and causes; stacks where something is broken', () => {
    const { log, written } = logger('info', 'json')
    const err = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'E_OUTER' })
    log.warn({ err }, 'odd')
    log.error({ err }, 'broken')
    const [odd, broken] = written.map((line) => JSON.parse(line).err)
    expect(odd).to.deep.equal({
      code: 'E_OUTER',
      type: 'Error',
      message: 'outer',
      cause: { type: 'Error', message: 'inner' },
    })
    expect(broken.stack).to.contain('outer')
  })

  it('is bounded in size', () => {
    const loop: Record<string, unknown> = { big: 10n, bytes: new Uint8Array(9), list: Array(500).fill(1) }
    loop.self = loop
    const copy = redact({ loop }) as { loop: { list: number[]; bytes: string; big: string } }
    expect(copy.loop.list).to.have.length(100)
    expect(copy.loop).to.include({ bytes: '[9 bytes]', big: '10' })
    expect(JSON.stringify(copy).length).to.be.lessThan(10_000)
  })
})
