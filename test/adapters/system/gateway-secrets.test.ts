import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { JoseAccessTokens } from '../../../src/adapters/jose/jose-access-tokens.js'
import { loadGatewaySecrets, rotateTokenKey } from '../../../src/adapters/system/gateway-secrets.js'
import { systemRandom } from '../../../src/adapters/system/system-random.js'
import { codeOf } from '../../support/account-house.js'
import { makeTempDir } from '../../support/temp-dir.js'

describe("a gateway's secrets", () => {
  let dir: ReturnType<typeof makeTempDir>
  const file = () => join(dir.path, 'gateway.keys')
  beforeEach(() => {
    dir = makeTempDir()
  })
  afterEach(() => dir.remove())

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
    const claims = { accountId: 'usr_1', sessionId: 'ses_1' }
    const validity = { now, expiresAt: now + 60_000 }
    const old = await new JoseAccessTokens(before.tokenKeys).issue(claims, validity)
    const after = rotateTokenKey(dir.path, systemRandom)
    const tokens = new JoseAccessTokens(after.tokenKeys)
    expect(await tokens.verify(old, now)).to.deep.equal(claims)
    const fresh = await tokens.issue(claims, validity)
    expect(await tokens.verify(fresh, now)).to.deep.equal(claims)
    expect(await codeOf(new JoseAccessTokens(before.tokenKeys).verify(fresh, now))).to.equal('TOKEN_INVALID')
    expect(after.pseudonymSecret).to.equal(before.pseudonymSecret)
    expect(after.refreshSecret).to.equal(before.refreshSecret)
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
