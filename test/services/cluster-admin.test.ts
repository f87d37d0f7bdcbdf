import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { NodeClusterAdmin } from '../../services/cluster/cluster-admin.js'
import { readClusterKey } from '../../src/adapters/system/cluster-key.js'
import { parseSharedLog } from '../../src/adapters/system/shared-log-address.js'
import { formatClusterToken, parseClusterToken } from '../../src/application/members/cluster-token.js'
import { endSharedServer, type PostgresServer, sharedServer } from '../support/postgres/postgres-server.js'
import { makeTempDir } from '../support/temp-dir.js'

const HOUR_MS = 3_600_000

describe('the key of a cluster', () => {
  let dir: ReturnType<typeof makeTempDir>
  let server: PostgresServer
  let database: string

  before(async () => {
    server = await sharedServer()
  })
  beforeEach(async () => {
    dir = makeTempDir()
    database = await server.createDatabase()
  })
  afterEach(() => dir.remove())
  after(() => endSharedServer())

  const dataDir = (name: string) => join(dir.path, name)
  const admin = (name: string, of = database) =>
    new NodeClusterAdmin({ dataDir: dataDir(name), sharedLog: parseSharedLog(server.url(of)) })
  const keyFile = (name: string) => join(dataDir(name), 'cluster.key')
  const invite = async (uses = 1, lifeMs = HOUR_MS) => (await admin('a').invite({ uses, lifeMs })).token
  const refused = async (work: Promise<unknown>): Promise<{ code: string; message: string }> => {
    try {
      await work
    } catch (error) {
      return error as { code: string; message: string }
    }
    throw new Error('it should have been refused')
  }

  it('reaches a new node by a token that is stored nowhere, and is kept in a file for its owner alone', async () => {
    const made = await admin('a').init()
    expect(made).to.include({ isNew: true, cluster: made.key })
    expect(await admin('a').init()).to.deep.equal({ ...made, isNew: false })
    const token = await invite()
    expect(await admin('b').join(token)).to.include({ cluster: made.cluster, was: 'none' })
    expect(readFileSync(keyFile('b'), 'utf8')).to.equal(readFileSync(keyFile('a'), 'utf8'))
    if (process.platform !== 'win32') expect(statSync(keyFile('b')).mode & 0o777).to.equal(0o600)
    const [stored] = await server.query('SELECT secret_hash, sealed_key FROM vendue.invites', database)
    const { secret } = parseClusterToken(token)
    expect(JSON.stringify(stored)).not.to.contain(secret).and.not.to.contain('PRIVATE')
  })

  it('goes to as many nodes as the token allows, each as often as it asks, and to none after the token expires', async () => {
    await admin('a').init()
    const token = await invite(2)
    expect(await admin('b').join(token)).to.include({ was: 'none' })
    expect(await admin('b').join(token)).to.include({ was: 'same' })
    await admin('c').join(token)
    expect(await refused(admin('d').join(token))).to.include({ code: 'TOKEN_USED', field: 'token' })
    expect(await admin('c').join(token)).to.include({ was: 'same' })
    const short = await invite(1, 1)
    expect(await refused(admin('d').join(short))).to.include({ code: 'TOKEN_EXPIRED' })
    expect(existsSync(keyFile('d'))).to.equal(false)
  })

  it('does not come by an invented token, nor from somebody who can only write to the log', async () => {
    const { cluster } = await admin('a').init()
    const madeUp = formatClusterToken({ cluster, secret: 'A'.repeat(43) })
    expect(await refused(admin('b').join(madeUp))).to.include({ code: 'TOKEN_UNKNOWN' })
    const token = await invite()
    await server.query(`UPDATE vendue.invites SET sealed_key = repeat('A', 100)`, database)
    const forged = await refused(admin('b').join(token))
    expect(forged).to.include({ code: 'TOKEN_UNKNOWN' })
    expect(forged.message).to.contain('is not the key of its cluster')
    expect(existsSync(keyFile('b'))).to.equal(false)
  })

  it('never replaces the key of another cluster, and claims no log of another one', async () => {
    await admin('a').init()
    const token = await invite()
    const other = await server.createDatabase()
    await admin('b', other).init()
    expect(await refused(admin('b').join(token))).to.include({ code: 'OTHER_CLUSTER' })
    const foreign = await refused(admin('c').init())
    expect(foreign.code).to.equal('LOG_OF_ANOTHER_CLUSTER')
    expect(foreign.message).to.contain('give each cluster a database of its own')
    expect(existsSync(keyFile('c')), 'a key for nothing').to.equal(false)
    expect(await refused(admin('d', other).join(token))).to.include({ code: 'LOG_OF_ANOTHER_CLUSTER' })
  })

  it('is exchanged for one that it signs, if others may have seen it', async () => {
    const { cluster, key } = await admin('a').init()
    await admin('b').join(await invite())
    const rotated = await admin('a').rotateKey({ uses: 1, lifeMs: HOUR_MS })
    expect(rotated.cluster).to.equal(cluster)
    expect(rotated.key).not.to.equal(key)
    expect(readClusterKey(dataDir('b'))?.rotations).to.have.length(0)
    expect(await admin('b').join(rotated.token)).to.include({ key: rotated.key, was: 'older' })
    // A token of before brings no older key in the place of the new one.
    const late = await admin('b').rotateKey({ uses: 1, lifeMs: HOUR_MS })
    expect(await admin('b').join(rotated.token)).to.include({ key: late.key, was: 'same' })
  })

  it('is given up by a node that leaves, if nothing needs that node any more', async () => {
    await admin('a').init()
    await admin('b').join(await invite())
    await admin('b').leave()
    expect(existsSync(keyFile('b'))).to.equal(false)
    expect(await refused(admin('b').leave())).to.include({ code: 'NO_CLUSTER' })
    expect(await refused(admin('b').invite({ uses: 1, lifeMs: HOUR_MS }))).to.include({ code: 'NO_CLUSTER' })
  })

  it('is kept by a node that wants to leave if nobody takes its auctions over', async () => {
    const { nodeId } = await admin('a').init()
    const heads = '(auction_id, seq, hash, home_node_id, needs_home)'
    await server.query(`INSERT INTO vendue.heads ${heads} VALUES ('auc_1', 1, 'x', '${nodeId}', true)`, database)
    const sharedLog = parseSharedLog(server.url(database))
    const leaving = new NodeClusterAdmin({ dataDir: dataDir('a'), sharedLog, takenOverMs: 0 }).leave()
    expect(await refused(leaving)).to.include({ code: 'NOBODY_TAKES_OVER' })
    expect(existsSync(keyFile('a'))).to.equal(true)
  })

  it('is not handed out if its file is damaged or the log cannot be used, and no error shows a secret', async () => {
    await admin('a').init()
    const [sharedLog, password] = [parseSharedLog(server.url('nowhere')), 'never shown']
    const wrongDatabase = await refused(new NodeClusterAdmin({ dataDir: dataDir('a'), sharedLog }).init())
    expect(wrongDatabase.code).to.equal('LOG_NO_DATABASE')
    const wrongPassword = { ...parseSharedLog(server.url(database)), password }
    const stranger = await refused(new NodeClusterAdmin({ dataDir: dataDir('a'), sharedLog: wrongPassword }).init())
    expect(stranger.code).to.equal('LOG_CREDENTIALS')
    expect(stranger.message).not.to.contain(password)
    expect(existsSync(keyFile('a')), 'its own key stays').to.equal(true)
    writeFileSync(keyFile('a'), '{}')
    expect(await refused(invite())).to.include({ code: 'CLUSTER_KEY_INVALID' })
  })
})
