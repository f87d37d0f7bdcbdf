import { chmodSync, existsSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { JoseAccessTokens } from '../../../src/adapters/jose/jose-access-tokens.js'
import {
  type GatewaySecrets,
  loadGatewaySecrets,
  rotateTokenKey,
} from '../../../src/adapters/system/gateway-secrets.js'
import { GatewayTokenKeys, RECHECK_MS } from '../../../src/adapters/system/gateway-token-keys.js'
import { systemRandom } from '../../../src/adapters/system/system-random.js'
import { codeOf, fixedKeys } from '../../support/account-house.js'
import { silentLogger } from '../../support/silent-logger.js'
import { makeTempDir } from '../../support/temp-dir.js'

const LIFETIME_MS = 60_000
const CLAIMS = { accountId: 'usr_1', sessionId: 'ses_1' }

describe("a gateway's secrets", () => {
  let dir: ReturnType<typeof makeTempDir>
  const file = () => join(dir.path, 'gateway.keys')
  beforeEach(() => {
    dir = makeTempDir()
  })
  afterEach(() => dir.remove())

  const tokensOf = ({ tokenKeys }: GatewaySecrets) =>
    new JoseAccessTokens(fixedKeys(tokenKeys), { lifetimeMs: LIFETIME_MS })
  const rotate = (options: { now?: number; dropOld?: boolean }) =>
    rotateTokenKey(dir.path, { now: Date.now(), lifetimeMs: LIFETIME_MS, dropOld: false, ...options }, systemRandom)

  it('are made once, for their owner alone, and read again', () => {
    const made = loadGatewaySecrets(dir.path, systemRandom)
    const read = loadGatewaySecrets(dir.path, systemRandom)
    expect(read.tokenKeys[0].id).to.equal(made.tokenKeys[0].id)
    expect(read.refreshSecret).to.equal(made.refreshSecret).and.not.to.equal(made.pseudonymSecret)
    expect(readdirSync(dir.path)).to.deep.equal(['gateway.keys'])
    if (process.platform === 'win32') return
    expect(statSync(file()).mode & 0o777).to.equal(0o600)
    chmodSync(file(), 0o644)
    loadGatewaySecrets(dir.path, systemRandom)
    expect(statSync(file()).mode & 0o777).to.equal(0o600)
  })

  it('let a new key sign while tokens of the old one are still good, and keep pseudonyms', async () => {
    const before = loadGatewaySecrets(dir.path, systemRandom)
    const now = Date.now()
    const old = await tokensOf(before).issue(CLAIMS, { now, expiresAt: now + LIFETIME_MS })
    const forged = await tokensOf(before).issue(CLAIMS, { now, expiresAt: now + 100 * LIFETIME_MS })
    const rotated = rotate({ now })
    const after = loadGatewaySecrets(dir.path, systemRandom)
    expect(rotated).to.deep.equal({
      keyId: after.tokenKeys[0].id,
      retired: [{ keyId: before.tokenKeys[0].id, goodUntil: now + LIFETIME_MS }],
      dropped: [],
    })
    const tokens = tokensOf(after)
    expect(await tokens.verify(old, now)).to.deep.equal(CLAIMS)
    expect(await tokens.verify(forged, now)).to.deep.equal(CLAIMS)
    expect(await codeOf(tokens.verify(forged, now + LIFETIME_MS)), 'known as good').to.equal('TOKEN_INVALID')
    expect(await codeOf(tokensOf(after).verify(forged, now + LIFETIME_MS))).to.equal('TOKEN_INVALID')
    const fresh = await tokens.issue(CLAIMS, { now, expiresAt: now + LIFETIME_MS })
    expect(await tokens.verify(fresh, now)).to.deep.equal(CLAIMS)
    expect(await codeOf(tokensOf(before).verify(fresh, now))).to.equal('TOKEN_INVALID')
    expect(after.pseudonymSecret).to.equal(before.pseudonymSecret)
    expect(after.refreshSecret).to.equal(before.refreshSecret)
  })

  it('forget old keys whose tokens have all expired, at once if asked to, and more than a few', () => {
    const now = Date.now()
    const first = loadGatewaySecrets(dir.path, systemRandom).tokenKeys[0].id
    const second = rotate({ now }).keyId
    const later = rotate({ now: now + LIFETIME_MS })
    expect(later.dropped).to.deep.equal([first])
    expect(later.retired.map(({ keyId }) => keyId)).to.deep.equal([second])
    expect(rotate({ now: now + LIFETIME_MS, dropOld: true })).to.deep.include({
      retired: [],
      dropped: [later.keyId, second],
    })
    for (let i = 0; i < 9; i++) rotate({ now })
    const { tokenKeys } = loadGatewaySecrets(dir.path, systemRandom)
    expect(new Set(tokenKeys.map(({ id }) => id)).size).to.equal(8)
    if (process.platform !== 'win32') expect(statSync(file()).mode & 0o777).to.equal(0o600)
  })

  it('are read again by who runs on them, and a file that is gone or damaged changes nothing', () => {
    const secrets = loadGatewaySecrets(dir.path, systemRandom)
    let monotonic = 0
    const clock = { now: () => Date.now(), monotonicMs: () => monotonic }
    const errors: unknown[] = []
    const logger = { ...silentLogger, error: (fields: unknown) => errors.push(fields) }
    const keys = new GatewayTokenKeys(dir.path, { clock, logger, random: systemRandom }, secrets.tokenKeys)
    expect(keys.current()).to.equal(secrets.tokenKeys)
    const { keyId } = rotate({ dropOld: true })
    expect(keys.current()[0].id, 'not looked at for each token').to.equal(secrets.tokenKeys[0].id)
    expect(keys.latest()[0].id, 'but for each that is signed').to.equal(keyId)
    const next = rotate({ dropOld: true })
    monotonic += RECHECK_MS
    expect(keys.current().map(({ id }) => id)).to.deep.equal([next.keyId])
    const whole = readFileSync(file(), 'utf8')
    writeFileSync(file(), whole.slice(0, -20))
    expect(keys.latest()[0].id).to.equal(next.keyId)
    expect(errors).to.have.length(1)
    unlinkSync(file())
    expect(keys.latest()[0].id).to.equal(next.keyId)
    expect(existsSync(file()), 'no other keys are made').to.equal(false)
    writeFileSync(file(), whole)
    expect(keys.latest()[0].id).to.equal(next.keyId)
    expect(errors).to.have.length(1)
  })

  it('are never made anew over a damaged file, and the complaint does not quote it', () => {
    loadGatewaySecrets(dir.path, systemRandom)
    const whole = readFileSync(file(), 'utf8')
    for (const damaged of [whole.slice(0, -20), '{}', '', whole.replace('PRIVATE', 'PUBLIC')]) {
      writeFileSync(file(), damaged)
      let error: Error | undefined
      try {
        loadGatewaySecrets(dir.path, systemRandom)
      } catch (cause) {
        error = cause as Error
      }
      expect(error).to.have.property('code', 'GATEWAY_KEYS_INVALID')
      const said = `${error?.stack} ${(error?.cause as Error | undefined)?.stack}`
      for (const secret of Object.values(JSON.parse(whole)).flat())
        expect(said).not.to.contain(String(secret).slice(0, 60))
      expect(readFileSync(file(), 'utf8')).to.equal(damaged)
    }
  })
})
