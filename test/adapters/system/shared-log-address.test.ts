import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createNode } from '../../../services/node/embedded-node.js'
import { loadSettings, nodeSettings, type SettingsInput } from '../../../src/adapters/system/settings.js'
import { SettingsError } from '../../../src/adapters/system/settings-error.js'
import { parseSharedLog, sharedLogPassword, shownSharedLog } from '../../../src/adapters/system/shared-log-address.js'
import { makeTempDir } from '../../support/temp-dir.js'

const SECRET = 'hunter2'

describe('the address of a shared log', () => {
  let dir: ReturnType<typeof makeTempDir>
  beforeEach(() => {
    dir = makeTempDir()
  })
  afterEach(() => dir.remove())

  const load = ({ env, ...input }: Partial<SettingsInput>) =>
    loadSettings({ flags: {}, userHome: dir.path, env: { VENDUE_HOME: dir.path, ...env }, ...input })
  const refusal = (input: Partial<SettingsInput>): SettingsError => {
    try {
      load(input)
    } catch (error) {
      expect(error).to.be.instanceOf(SettingsError)
      return error as SettingsError
    }
    throw new Error('these settings should have been refused')
  }
  const file = (text: string, name = 'password') => {
    const path = join(dir.path, name)
    writeFileSync(path, text)
    return path
  }

  it('names several hosts, a user, a database, and a password if necessary', () => {
    const read = parseSharedLog(
      `postgres://ven%40due:${SECRET}%2F@db1.example,[2001:db8::1]:6000,192.0.2.7:5433/the%20log`,
    )
    expect(read).to.deep.equal({
      hosts: [
        { host: 'db1.example', port: 5_432 },
        { host: '2001:db8::1', port: 6_000 },
        { host: '192.0.2.7', port: 5_433 },
      ],
      user: 'ven@due',
      password: `${SECRET}/`,
      passwordFile: null,
      database: 'the log',
      tls: { mode: 'verify-full', rootCertificateFile: null },
    })
    const shown = shownSharedLog(read)
    expect(shown).not.to.contain(SECRET)
    expect(parseSharedLog(shown)).to.deep.equal({ ...read, password: null })
  })

  it('is encrypted, and its server proven, unless it is on this machine or the URL says otherwise', () => {
    const tls = (rest: string) => parseSharedLog(`postgresql://u@${rest}`).tls
    expect(tls('127.0.0.1,localhost,[::1]/d').mode).to.equal('disable')
    expect(tls('127.0.0.1,192.0.2.7/d').mode).to.equal('verify-full')
    expect(tls('db/d?sslmode=disable').mode).to.equal('disable')
    expect(tls('localhost/d?sslmode=require').mode).to.equal('require')
    expect(tls('db/d?sslrootcert=/etc/ca.pem')).to.deep.equal({
      mode: 'verify-full',
      rootCertificateFile: '/etc/ca.pem',
    })
  })

  const wrong: readonly (readonly [url: string, words: string])[] = [
    [`mysql://u:${SECRET}@db/d`, 'must be a URL such as postgres://'],
    [`postgres:/u:${SECRET}@db/d`, 'must be a URL such as postgres://'],
    ['postgres://db/d', 'must name a user'],
    [`postgres://u:${SECRET}`, 'must name a user'],
    [`postgres://:${SECRET}@db/d`, 'must name a user'],
    [`postgres://u:${SECRET}@db`, 'must name a database'],
    [`postgres://u:${SECRET}@db/`, 'must name a database'],
    [`postgres://u:${SECRET}@/d`, 'must name 1 to 16 hosts'],
    [`postgres://u:${SECRET}@${Array.from({ length: 17 }, () => 'db').join()}/d`, 'must name 1 to 16 hosts'],
    [`postgres://u:${SECRET}@db:0/d`, 'the host "db:0"'],
    [`postgres://u:${SECRET}@db:65536/d`, 'the host "db:65536"'],
    [`postgres://u:${SECRET}@db1,,db3/d`, 'host 2 of 3 ""'],
    [`postgres://u:${SECRET}@db1,d b/d`, 'host 2 of 2 "d b"'],
    [`postgres://u:@${SECRET}@db/d`, 'a password with characters that must be written as %XX'],
    [`postgres://u:/${SECRET}@db/d`, 'a password with characters that must be written as %XX'],
    [`postgres://u:?${SECRET}@db/d`, 'must name a user'],
    [`postgres://u:%zz${SECRET}@db/d`, 'a password with characters that must be written as %XX'],
    [`postgres://u:${SECRET}@db/d?sslmode=prefer`, 'an sslmode that is none of disable, require, verify-full'],
    [`postgres://u@db/d?password=${SECRET}`, 'an option password: it may have sslmode and sslrootcert'],
    [`postgres://u@db/d?${SECRET}`, 'an option that is not known'],
    [`postgres://u@db/d?sslmode=require&sslmode=disable`, 'an option sslmode'],
    [
      'postgres://u@db/d?sslmode=require&sslrootcert=/ca',
      'an sslrootcert, which counts with sslmode=verify-full alone',
    ],
    [`postgres://u:${SECRET.repeat(1_000)}@db/d`, 'must be a URL such as postgres://'],
  ]
  for (const [url, words] of wrong) {
    it(`is refused without being shown: ${words} (${url.replaceAll(SECRET, '…').slice(0, 60)})`, () => {
      for (const [input, where] of [
        [{ flags: { shared_log: url } }, '--shared-log'],
        [{ env: { VENDUE_SHARED_LOG: url } }, 'VENDUE_SHARED_LOG'],
      ] as const) {
        const { message, next, key } = refusal(input)
        expect(message).to.contain(`${where}: `).and.contain(words)
        expect(key).to.equal('shared_log')
        expect(message + next).not.to.contain(SECRET)
      }
      const error = (() => {
        try {
          createNode({ name: 'a', home: dir.path, sharedLog: url })
          return null
        } catch (reason) {
          return reason as Error
        }
      })()
      expect(error).to.include({ code: 'INVALID_INPUT', field: 'sharedLog' })
      expect(error?.message).to.contain(words).and.not.contain(SECRET)
    })
  }

  it('reaches the node from flag, variable and file', () => {
    const url = 'postgres://u@127.0.0.1/d'
    writeFileSync(join(dir.path, 'config.json'), JSON.stringify({ shared_log: url }))
    for (const input of [{}, { env: { VENDUE_SHARED_LOG: url } }, { flags: { shared_log: url } }])
      expect(nodeSettings(load(input)).sharedLog).to.deep.equal({ ...parseSharedLog(url), passwordFile: null })
    writeFileSync(join(dir.path, 'config.json'), JSON.stringify({ shared_log: 7 }))
    expect(refusal({}).message).to.contain('shared_log: must be a string')
  })

  it('takes the password from a file, which is read again each time', () => {
    const path = file(`${SECRET}\n`)
    const flags = { shared_log: 'postgres://u@127.0.0.1/d', shared_log_password_file: path }
    const address = nodeSettings(load({ flags })).sharedLog
    if (address === undefined) throw new Error('there is no address')
    expect(sharedLogPassword(address)).to.equal(SECRET)
    file('another')
    expect(sharedLogPassword(address)).to.equal('another')
    expect(sharedLogPassword({ ...address, passwordFile: null })).to.equal(undefined)
    const bad = [
      [file('', 'empty'), 'is empty'],
      [file('a\nb\n', 'two'), 'has more than one line'],
      [file('a'.repeat(5_000), 'large'), 'at most 4096 are read'],
      [join(dir.path, 'none'), 'is not there'],
      [dir.path, 'cannot be read'],
    ] as const
    for (const [passwordFile, words] of bad) {
      expect(() => sharedLogPassword({ ...address, passwordFile }))
        .to.throw(SettingsError, words)
        .with.property('key', 'shared_log_password_file')
    }
  })

  it('takes a password from one place, and a password file with a log alone', () => {
    const path = file(SECRET)
    const both = { shared_log: `postgres://u:${SECRET}@db/d`, shared_log_password_file: path }
    expect(refusal({ flags: both }).message).to.equal(
      '--shared-log and --shared-log-password-file both name a password',
    )
    const alone = { shared_log_password_file: path }
    expect(refusal({ flags: alone }).message).to.contain('is of use with a shared log alone')
  })

  it('warns of a password that others see among the processes, and of no other', () => {
    const url = `postgres://u:${SECRET}@db/d`
    const warnings = load({ flags: { shared_log: url } }).warnings.join()
    expect(warnings).to.contain('among its processes').and.not.contain(SECRET)
    expect(load({ env: { VENDUE_SHARED_LOG: url } }).warnings).to.deep.equal([])
    expect(load({ flags: { shared_log: 'postgres://u@db/d' } }).warnings).to.deep.equal([])
  })

  it('is not quoted from a config file that is no JSON', () => {
    const path = join(dir.path, 'config.json')
    for (const text of [`{"shared_log": "u:p@", x${SECRET}}`, `${SECRET}`, `{"a": "${SECRET}`]) {
      writeFileSync(path, text)
      expect(refusal({}).message).to.contain('is not JSON').and.not.contain(SECRET)
    }
  })
})
