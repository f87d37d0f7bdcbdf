import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openAccounts } from '../../../services/gateway/accounts.js'
import type { CliDeps } from '../../../src/adapters/cli/session/cli-deps.js'
import { silentLogger } from '../../support/silent-logger.js'
import { CliHarness } from './support/cli-harness.js'

const PASSWORD = 'correct horse battery'

describe('vendue user and vendue api-key', () => {
  let dir: string
  const deps: Pick<CliDeps, 'openAccounts'> = {
    openAccounts: (dataDir) => openAccounts(dataDir, {}, { logger: silentLogger }),
  }

  /** One command with its own stdin, as each process has. */
  async function run(words: string, stdin = '') {
    const cli = new CliHarness()
    try {
      cli.stdin.end(stdin)
      const result = await cli.run([...words.split(' '), '--data', dir], { deps })
      return { ...result, all: result.stdout + result.stderr }
    } finally {
      cli.dispose()
    }
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'vendue-users-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('add, list, change, disable and enable accounts beside a running gateway', async () => {
    const gateway = await deps.openAccounts(dir)
    expect((await run('user list')).stdout).to.contain('There are no accounts yet')
    const added = await run('user add alice --email a@example.org --json', `${PASSWORD}\n`)
    expect(added.code, added.stderr).to.equal(0)
    expect(JSON.parse(added.stdout)).to.deep.include({
      name: 'alice',
      email: 'a@example.org',
      roles: ['bidder', 'seller'],
      disabled_at: null,
    })
    expect((await run('user add boss admin', PASSWORD)).stdout).to.contain('boss can log in now, as admin')
    expect((await run('user role a@example.org bidder')).code).to.equal(0)
    expect((await gateway.accounts.get('alice')).roles).to.deep.equal(['bidder'])
    await run('user disable alice')
    expect((await gateway.accounts.get('alice')).disabledAt).not.to.equal(null)
    const listed = (await run('user list')).stdout
    expect(listed)
      .to.match(/alice .*bidder .*disabled/)
      .and.match(/boss .*admin/)
    await run('user enable alice')
    expect((await gateway.accounts.get('alice')).disabledAt).to.equal(null)
    await gateway.close()
  })

  it('set a password from stdin, and never say or store it', async () => {
    const before = await run('user add alice', PASSWORD)
    const { passwordHash } = await read('alice')
    const after = await run('user password alice', 'another passphrase\n')
    expect(after.code).to.equal(0)
    expect((await read('alice')).passwordHash).not.to.equal(passwordHash)
    const stored = readdirSync(dir).map((file) => readFileSync(join(dir, file), 'latin1'))
    for (const text of [before.all, after.all, ...stored])
      expect(text).not.to.contain(PASSWORD).and.not.to.contain('another passphrase')
  })

  it('show an API key once, list it without, and revoke it', async () => {
    await run('user add alice', PASSWORD)
    const { stdout } = await run('api-key create alice --label robot --scopes read,bid')
    expect(stdout).to.match(/^vk_[0-9a-z]{16}_[A-Za-z0-9_-]{43}\n$/)
    const listed = await run('api-key list alice')
    expect(listed.stdout).to.match(/key_[0-9a-z]{16} +robot +read, bid/)
    expect(listed.all).not.to.contain(stdout.trim().slice(-43))
    const [key] = JSON.parse((await run('api-key list alice --json')).stdout).api_keys
    expect((await run(`api-key revoke ${key.id}`)).stdout).to.contain('is revoked')
    const [revoked] = JSON.parse((await run('api-key list alice --json')).stdout).api_keys
    expect(revoked.revoked_at).to.be.a('string')
  })

  it('show an operator whose pseudonym it is', async () => {
    const { id } = JSON.parse((await run('user add alice --json', PASSWORD)).stdout)
    const gateway = await openAccounts(dir, {}, { logger: silentLogger })
    for (let i = 0; i < 600; i++) await gateway.pseudonyms.bids.note('usr_other', `auc_${i}`)
    await gateway.pseudonyms.bids.note(id, 'auc_lot')
    const pseudonym = gateway.pseudonyms.of(id, 'auc_lot').id
    await gateway.close()
    expect((await run(`user who ${pseudonym}`)).stdout).to.equal(`${pseudonym} is alice (${id}), in auc_lot.\n`)
    const json = JSON.parse((await run(`user who ${pseudonym} --json`)).stdout)
    expect(json).to.deep.include({ pseudonym, auction_id: 'auc_lot' })
    expect(json.user).to.include({ id, name: 'alice' })
  })

  it('exchange the key for access tokens, and say what becomes of those that are out', async () => {
    const first = JSON.parse((await run('user rotate-key --json')).stdout)
    expect(first.retired).to.have.length(1)
    expect(Date.parse(first.retired[0].good_until)).to.be.within(Date.now() + 14 * 60_000, Date.now() + 15 * 60_000)
    const words = (await run('user rotate-key')).stdout
    expect(words).to.match(/^Key \S{16} signs access tokens from now on\.\nThose that are out stay good until/)
    expect(words).to.contain('Nobody has to log in again.')
    const now = await run('user rotate-key --now')
    expect(now.stdout).to.contain('Those that were out are refused')
    const last = JSON.parse((await run('user rotate-key --now --json')).stdout)
    expect(last.retired).to.deep.equal([])
    expect(last.dropped).to.have.length(1).and.not.to.include(last.key_id)
    const text = readFileSync(join(dir, 'gateway.keys'), 'utf8')
    expect(now.all).not.to.contain('PRIVATE')
    writeFileSync(join(dir, 'gateway.keys'), text.slice(0, -9))
    const damaged = await run('user rotate-key')
    expect(damaged.stderr).to.contain("cannot be used as the gateway's keys")
    expect(damaged.code).to.equal(3)
    expect(readFileSync(join(dir, 'gateway.keys'), 'utf8')).to.equal(text.slice(0, -9))
  })

  for (const [words, stdin, complaint] of [
    ['user fire alice', '', 'ACTION "fire" must be one of add, list, role, disable, enable, password, who, rotate-key'],
    ['user add', PASSWORD, 'USER is missing'],
    ['user add alice', '', 'no password was given'],
    ['user add alice', 'short', 'password must have at least 8 characters'],
    ['user add a', PASSWORD, 'name must have 2 to 32 characters'],
    ['user add alice king', PASSWORD, 'must be of bidder, seller, admin'],
    ['user role alice', '', 'ROLES is missing'],
    ['user who', '', 'USER is missing'],
    ['user who alice', '', 'USER must be the id of a pseudonym'],
    ['user who anon_00000000000000000000000000', '', 'no account of this gateway has bid as anon_0'],
    ['user rotate-key alice', '', '"user rotate-key" takes no name'],
    ['user list --now', '', '--now goes with rotate-key alone'],
    ['user disable nobody', '', 'there is no account "nobody"'],
    ['user add alice --password hunter22', '', '--password is not an option of "user"'],
    ['api-key create nobody', '', 'there is no account "nobody"'],
    ['api-key revoke alice', '', 'WHO must be the id of a key'],
    ['api-key revoke key_0000000000000000', '', 'there is no such API key'],
  ] as const) {
    it(`exit 2 for "${words}": ${complaint}`, async () => {
      const { code, stderr, stdout } = await run(words, stdin)
      expect(stderr).to.contain(complaint)
      expect(code).to.equal(2)
      expect(stdout).to.equal('')
    })
  }

  async function read(name: string) {
    const handle = await deps.openAccounts(dir)
    const account = await handle.accounts.get(name)
    await handle.close()
    return account
  }
})
