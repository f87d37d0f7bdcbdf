import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { gatewaySettings } from '../../../src/adapters/system/gateway-settings.js'
import { nearest } from '../../../src/adapters/system/nearest.js'
import { listRunningNodes, readRunningNode } from '../../../src/adapters/system/running-nodes.js'
import {
  describeSource,
  loadSettings,
  nodeSettings,
  type SettingsInput,
} from '../../../src/adapters/system/settings.js'
import { SettingsError } from '../../../src/adapters/system/settings-error.js'

let home: string

function makeHome() {
  home = mkdtempSync(join(tmpdir(), 'vendue-settings-'))
}

function removeHome() {
  rmSync(home, { recursive: true, force: true })
}

function load(input: Partial<SettingsInput> = {}) {
  return loadSettings({ flags: {}, userHome: home, ...input, env: { VENDUE_HOME: home, ...input.env } })
}

function config(content: unknown, name = 'config.json'): string {
  const path = join(home, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

function failure(input: Partial<SettingsInput> = {}): SettingsError {
  try {
    load(input)
  } catch (error) {
    expect(error).to.be.instanceOf(SettingsError)
    return error as SettingsError
  }
  throw new Error('these settings should have been refused')
}

/** A node's own note, as one that runs on `dht` would write it. */
function addNode(name: string, dht: string, pid = process.pid): string {
  const dataDir = join(home, 'nodes', name)
  mkdirSync(dataDir, { recursive: true })
  const node = {
    nodeId: `node_${name}`,
    name,
    pid,
    address: '127.0.0.1:7',
    dhtAddress: dht,
    grapeUrl: 'http://x',
    startedAt: '2030',
    version: '1',
  }
  writeFileSync(join(dataDir, 'node.json'), JSON.stringify(node))
  return dataDir
}

/** Far beyond the largest process id there is. */
const DEAD_PID = 2 ** 30

describe('settings', () => {
  beforeEach(makeHome)
  afterEach(removeHome)

  it('have defaults that need nothing', () => {
    expect(nodeSettings(load())).to.deep.equal({
      name: 'main',
      dataDir: join(home, 'nodes', 'main'),
      mesh: 'local',
      meshNamed: false,
      meshesDir: join(home, 'meshes'),
      rpc: { host: '127.0.0.1', port: 0 },
      grape: {
        mode: 'embedded',
        host: '127.0.0.1',
        apiPort: 30_001,
        dhtPort: 20_001,
        ports: 'preferred',
        bootstrap: ['127.0.0.1:20001', '127.0.0.1:20002'],
      },
      log: { level: 'info', format: 'auto' },
      auditKeepMs: 400 * 86_400_000,
      budgets: {},
      consumers: { analytics: true, database: null },
      currencies: {},
      peerWaitMs: 30_000,
      pictures: { ownLimit: 8 * 2 ** 30, copyLimit: 2 ** 30 },
    })
  })

  it('come from flags, then the environment, then the config file, then defaults', () => {
    const path = config({ name: 'from-file', mesh: 'from-file', log_level: 'error', log_format: 'json' })
    const env = { VENDUE_NAME: 'from-env', VENDUE_MESH: 'from-env', VENDUE_LOG_LEVEL: '' }
    const { values, sources } = load({ flags: { name: 'from-flag' }, env })
    expect(values).to.include({ name: 'from-flag', mesh: 'from-env', log_level: 'error', log_format: 'json' })
    expect(describeSource(sources.name)).to.equal('--name')
    expect(describeSource(sources.mesh)).to.equal('VENDUE_MESH')
    expect(describeSource(sources.log_level)).to.equal(path)
    expect(describeSource(sources.rpc)).to.equal('default')
  })

  it('take another config file where one is named, which must exist then', () => {
    const path = config({ name: 'other' }, 'other.json')
    expect(load({ configFile: path }).values.name).to.equal('other')
    expect(load({ env: { VENDUE_CONFIG: path } }).values.name).to.equal('other')
    expect(failure({ configFile: join(home, 'none.json') }).message).to.contain('there is no such file')
  })

  it('put the data directory under the home, by name', () => {
    expect(load({ flags: { name: 'alice' } }).values.data).to.equal(join(home, 'nodes', 'alice'))
    expect(load({ flags: { data: join(home, 'x', '..', 'y') } }).values.data).to.equal(join(home, 'y'))
    expect(loadSettings({ flags: {}, env: {}, userHome: home }).home).to.equal(join(home, '.vendue'))
  })

  it('take no directory that is named like an option, whatever names it', () => {
    for (const directory of ['--exit', './--exit', '/srv/-data', '-'])
      for (const key of ['data', 'accounts_dir'] as const) {
        const variable = `VENDUE_${key.toUpperCase()}`
        for (const input of [{ flags: { [key]: directory } }, { env: { [variable]: directory } }])
          expect(() => load(input), `${key} ${directory}`).to.throw('must not be named like an option')
      }
    expect(load({ flags: { data: '/srv/a-b--c' } }).values.data).to.equal('/srv/a-b--c')
  })

  it('have accounts lie with the rest of the data, unless another directory is named', () => {
    const accounts = (flags: SettingsInput['flags']) => gatewaySettings(load({ flags })).dataDir
    expect(accounts({ name: 'alice' })).to.equal(join(home, 'nodes', 'alice'))
    expect(accounts({ data: join(home, 'y') })).to.equal(join(home, 'y'))
    expect(accounts({ accounts_dir: join(home, 'x', '..', 'shared') })).to.equal(join(home, 'shared'))
  })

  it('insist on ports that somebody named, and leave the other one free', () => {
    const grape = (input: Partial<SettingsInput>) => nodeSettings(load(input)).grape
    expect(grape({ flags: { grape_port: '31000' } })).to.include({
      apiPort: 31_000,
      dhtPort: 0,
      ports: 'exact',
    })
    expect(grape({ env: { VENDUE_DHT_PORT: '21000' } })).to.include({
      apiPort: 0,
      dhtPort: 21_000,
      ports: 'exact',
    })
    config({ grape_port: 31_000, dht_port: 21_000 })
    expect(grape({})).to.include({ apiPort: 31_000, dhtPort: 21_000, ports: 'exact' })
  })

  it('take a Grape elsewhere by its URL', () => {
    expect(nodeSettings(load({ flags: { grape: 'http://127.0.0.1:30001' } })).grape).to.deep.equal({
      mode: 'url',
      url: 'http://127.0.0.1:30001',
    })
  })

  it('bootstrap from the nodes of this home that run, unless the settings say otherwise', () => {
    addNode('alice', '127.0.0.1:20777')
    addNode('dead', '127.0.0.1:20778', DEAD_PID)
    expect(load().values.bootstrap).to.deep.equal(['127.0.0.1:20001', '127.0.0.1:20002', '127.0.0.1:20777'])
    expect(load({ flags: { bootstrap: '192.0.2.1:20001, 192.0.2.2:20001' } }).values.bootstrap).to.deep.equal([
      '192.0.2.1:20001',
      '192.0.2.2:20001',
    ])
    expect(load({ flags: { bootstrap: '' } }).values.bootstrap).to.deep.equal([])
  })

  it('read lists and tables as text and as JSON', () => {
    expect(load({ env: { VENDUE_CURRENCIES: 'GOLD:3, POINT:0' } }).values.currencies).to.deep.equal({
      GOLD: 3,
      POINT: 0,
    })
    config({ currencies: { GOLD: 3 }, bootstrap: ['[::1]:20001'] })
    expect(load().values).to.deep.include({ currencies: { GOLD: 3 }, bootstrap: ['[::1]:20001'] })
  })

  it('take budgets of senders with their units, and name the budget, its unit and its least that is not right', () => {
    const budgets = (given: string) => nodeSettings(load({ flags: { budgets: given } })).budgets
    expect(budgets('log-bytes:8GiB, work:4s,requests:64,openings:1000')).to.deep.equal({
      'log-bytes': 8 * 1_024 ** 3,
      work: 4_000,
      requests: 64,
      openings: 1_000,
    })
    config({ budgets: { work: 250, parcels: '16MiB' } })
    expect(nodeSettings(load()).budgets).to.deep.equal({ work: 250, parcels: 16 * 1_024 ** 2 })
    for (const [given, words] of [
      ['bids:5', 'there are connections, requests,'],
      ['requests', 'it counts requests at once, and must be a whole number, of at least 16'],
      ['requests:64KiB', 'must be a whole number, of at least 16'],
      ['requests:15', 'of at least 16'],
      ['work:1h', 'it counts ms of the thread, and must be a whole number, or one with ms, s'],
      ['log-bytes:1MB', 'or one with KiB, MiB, GiB, TiB, of at least 8,388,608'],
      ['openings:0', 'of at least 1'],
      ['openings:-5', 'of at least 1'],
    ] as const)
      expect(failure({ flags: { budgets: given } }).message, given).to.contain(words)
  })

  it('warn of listening beyond this machine, and of variables that mean nothing', () => {
    expect(load()).to.deep.include({ warnings: [], exposures: [] })
    const flags = { rpc: '0.0.0.0:7000', grape_host: '192.0.2.7' }
    const { warnings, exposures } = load({ flags, env: { VENDUE_GRAEP: 'x', VENDUE_TOKEN: 'x' } })
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.contain('VENDUE_GRAEP is not a variable')
    expect(exposures).to.have.length(2)
    expect(exposures[0]).to.contain('RPC listens on 0.0.0.0 (--rpc)')
    expect(exposures[1]).to.contain('the Grape listens on 192.0.2.7 (--grape-host)')
    expect(load({ flags: { rpc: '[::1]:7000' } }).exposures).to.deep.equal([])
  })
})

describe('bad settings', () => {
  beforeEach(makeHome)
  afterEach(removeHome)

  const flags: readonly (readonly [SettingsInput['flags'], string])[] = [
    [{ name: 'Ä' }, '--name "Ä": must be 1 to 32 characters of a-z, 0-9'],
    [{ name: '' }, '--name "": must be 1 to 32 characters'],
    [{ name: '../x' }, '--name "../x": must be'],
    [{ rpc: '7000' }, '--rpc "7000": must be HOST:PORT'],
    [{ rpc: '127.0.0.1:70000' }, '--rpc "127.0.0.1:70000": must be HOST:PORT'],
    [{ grape: 'localhost:30001' }, '--grape "localhost:30001": must be "embedded" or the URL'],
    [{ grape_port: '1e3' }, '--grape-port "1e3": must be a port, 0 to 65535'],
    [{ dht_port: '-1' }, '--dht-port "-1": must be a port'],
    [{ bootstrap: 'x' }, '--bootstrap "x": must be up to 64 addresses HOST:PORT'],
    [{ bootstrap: '127.0.0.1:0' }, '--bootstrap "127.0.0.1:0": must be'],
    [{ log_level: 'loud' }, '--log-level "loud": must be one of trace, debug'],
    [{ currencies: 'GOLD' }, '--currencies "GOLD": must name codes with their decimals, 0 to 9'],
    [{ currencies: 'gold:3' }, '--currencies "gold:3": must name codes'],
  ]
  for (const [given, complaint] of flags) {
    it(`say the flag, the value and the rule: ${complaint}`, () => {
      const error = failure({ flags: given })
      expect(error.message).to.contain(complaint)
      expect(error.next).not.to.equal('')
    })
  }

  it('say which variable to correct or unset', () => {
    const error = failure({ env: { VENDUE_GRAPE_PORT: 'abc' } })
    expect(error.message).to.contain('VENDUE_GRAPE_PORT "abc": must be a port')
    expect(error.next).to.equal('correct VENDUE_GRAPE_PORT, or unset it')
  })

  it('say which file and key', () => {
    const path = config({ grape_port: 'many' })
    expect(failure().message).to.contain(`${path}: grape_port "many": must be a port`)
    config({ name: 7 })
    expect(failure().message).to.equal(`${path}: name 7: must be a string`)
    config({ bootstrap: [7] })
    expect(failure().message).to.contain('bootstrap [7]: must be up to 64 addresses')
  })

  it('refuse a key that is no setting, and name the one that was meant', () => {
    config({ grap_port: 30_001 })
    expect(failure()).to.include({ next: 'did you mean "grape_port"?' })
    config({ colour: 'red' })
    expect(failure().next).to.contain('the settings are name, data')
  })

  it('refuse a file that is no JSON object', () => {
    for (const content of ['{', '[]', 'null', '3']) {
      config(content)
      expect(failure().message, content).to.match(/is not JSON|must hold a JSON object/)
    }
    config(`{"name": "${'x'.repeat(1024 * 1024)}"}`)
    expect(failure().message).to.contain('at most 1 MB')
  })
})

describe('running nodes', () => {
  beforeEach(makeHome)
  afterEach(removeHome)

  it('are those whose process lives', () => {
    const alice = addNode('alice', '127.0.0.1:1')
    const dead = addNode('dead', '127.0.0.1:2', DEAD_PID)
    expect(readRunningNode(alice)).to.include({ name: 'alice', dataDir: alice })
    expect(readRunningNode(dead)).to.equal(null)
    expect(listRunningNodes(home).map(({ name }) => name)).to.deep.equal(['alice'])
  })

  it('are none where there is no home, and none in half a file', () => {
    expect(listRunningNodes(join(home, 'nowhere'))).to.deep.equal([])
    const dataDir = addNode('half', '127.0.0.1:1')
    writeFileSync(join(dataDir, 'node.json'), '{"nodeId": "nod')
    expect(readRunningNode(dataDir)).to.equal(null)
  })
})

describe('the nearest word', () => {
  it('is what a typing mistake meant', () => {
    const words = ['open', 'close', 'cancel', 'history']
    expect(['opne', 'clos', 'histroy', 'cancell'].map((word) => nearest(word, words))).to.deep.equal([
      'open',
      'close',
      'history',
      'cancel',
    ])
    expect(nearest('sell', words)).to.equal(undefined)
  })

  it('is one that the word begins, where none is closer and the word is long enough to mean it', () => {
    const words = ['start', 'closes-at', 'closes-in', 'close']
    expect(['closes', 'closes-', 'sta'].map((word) => nearest(word, words))).to.deep.equal([
      'close',
      'closes-at',
      undefined,
    ])
    expect(nearest('closes', ['closes-at'])).to.equal('closes-at')
  })

  describe('of a gateway', () => {
    beforeEach(makeHome)
    afterEach(removeHome)
    const auth = (flags: SettingsInput['flags']) => gatewaySettings(load({ flags })).auth

    it('take names on trust on loopback alone, unless somebody says otherwise', () => {
      expect(auth({})).to.equal('open')
      expect(auth({ http_host: '127.0.0.1' })).to.equal('open')
      expect(auth({ http_host: '0.0.0.0' })).to.equal('accounts')
      expect(auth({ http_host: '::' })).to.equal('accounts')
      expect(auth({ http_host: '0.0.0.0', auth_open_anywhere: 'yes' })).to.equal('open')
      expect(auth({ http_host: '0.0.0.0', auth_open_anywhere: 'yes', auth: 'accounts' })).to.equal('accounts')
      expect(auth({ auth: 'accounts' })).to.equal('accounts')
      expect(failure({ flags: { auth: 'none' } }).message).to.contain('open or accounts')
    })

    it('count nothing where all callers are one user on one machine, unless limits are named', () => {
      const limits = (flags: SettingsInput['flags']) => gatewaySettings(load({ flags })).limits
      expect(limits({})).to.equal(null)
      expect(limits({ limits: 'bids_per_address:5/1s' })?.rates.bids_per_address.count).to.equal(5)
      expect(limits({ auth: 'accounts' })).not.to.equal(null)
      expect(limits({ http_host: '0.0.0.0', auth_open_anywhere: 'yes' })).not.to.equal(null)
    })

    it('warn of names on trust where other machines reach it', () => {
      const exposures = (flags: SettingsInput['flags']) =>
        load({ flags: { http_host: '0.0.0.0', ...flags } }).exposures.join()
      expect(exposures({})).to.contain('reaches it').and.not.to.contain('anybody')
      expect(exposures({ auth_open_anywhere: 'yes' })).to.contain('may bid as anybody')
    })
  })
})
