import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createNetServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import type { PostgresAddress } from '../../../src/adapters/postgres/postgres-address.js'
import { PostgresSharedLog } from '../../../src/adapters/postgres/postgres-shared-log.js'
import { NEWEST_VERSION } from '../../../src/adapters/postgres/shared-log-schema.js'
import type { SharedLog, SharedLogError } from '../../../src/ports/store/shared-log.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { addressOf } from '../../support/postgres/postgres-address-of.js'
import { RUN_AS } from '../../support/postgres/postgres-programs.js'
import { endSharedServer, PASSWORD, PostgresServer, sharedServer } from '../../support/postgres/postgres-server.js'
import { serverCertificate } from '../../support/postgres/server-certificate.js'
import { skipUnless } from '../../support/requires.js'

describe('a shared log in PostgreSQL that cannot be used', () => {
  let server: PostgresServer
  let database: string
  const logs: SharedLog[] = []
  const closes: (() => unknown)[] = []

  before(async () => {
    server = await sharedServer()
  })
  beforeEach(async () => {
    database = await server.createDatabase()
  })
  afterEach(async () => {
    await Promise.all(logs.splice(0).map((log) => log.close()))
    for (const close of closes.splice(0).reverse()) await close()
  })
  after(() => endSharedServer())

  const connect = (address: PostgresAddress, clusterId = 'cluster') => {
    const log = new PostgresSharedLog({ address, clusterId, answerMs: 1_500 })
    logs.push(log)
    return log
  }
  /** The error of opening it, which its status says as well. */
  const refusal = async (address: PostgresAddress, clusterId?: string): Promise<SharedLogError> => {
    const log = connect(address, clusterId)
    const error = await log.open().then(
      () => expect.fail('it was opened'),
      (reason: SharedLogError) => reason,
    )
    expect(error.message).not.to.include(PASSWORD)
    expect(log.status()).to.deep.equal({ connectedTo: null, error })
    return error
  }
  const listening = async (other: Server) => {
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    closes.push(() => other.close())
    return { port: (other.address() as { port: number }).port }
  }

  it('names the host on which nobody listens, and each host with what is wrong with it', async () => {
    const closed = createNetServer()
    const nobody = await listening(closed)
    closed.close()
    const web = createServer((_, response) => response.end('hello'))
    closes.push(() => web.closeAllConnections())
    const silent = createNetServer((socket) => {
      socket.on('error', () => {})
      closes.push(() => socket.destroy())
    })
    const hosts = [nobody, await listening(web as unknown as Server), await listening(silent)]
    const error = await refusal(addressOf(hosts, database))
    expect(error.code).to.equal('LOG_UNREACHABLE')
    for (const { port } of hosts) expect(error.message).to.include(`127.0.0.1:${port}`)
    expect(error.message).to.include('ECONNREFUSED').and.include('no answer within 1000 ms')
  })

  it('names a host that is not known', async () => {
    const hosts = [{ host: 'no-such-host.invalid', port: 5_432 }]
    const error = await refusal(addressOf(server, database, { hosts }))
    expect(error.code).to.equal('LOG_UNREACHABLE')
    expect(error.message).to.include('no-such-host.invalid:5432')
  })

  it('says that the password, or the user, is wrong', async () => {
    const error = await refusal(addressOf(server, database, { password: () => 'a wrong secret' }))
    expect(error.code).to.equal('LOG_CREDENTIALS')
    expect(error.message).to.include('user "postgres"').and.not.include('a wrong secret')
    expect((await refusal(addressOf(server, database, { user: 'nobody_such' }))).code).to.equal('LOG_CREDENTIALS')
  })

  it('says that the database is not there, and how to create it', async () => {
    const error = await refusal(addressOf(server, 'not_there'))
    expect(error.code).to.equal('LOG_NO_DATABASE')
    expect(error.message).to.include('createdb not_there')
  })

  it('says which rights are missing, to create the log and to write to it', async () => {
    await server.query(`CREATE ROLE guest_${database} LOGIN PASSWORD '${PASSWORD}'`)
    const address = addressOf(server, database, { user: `guest_${database}` })
    const error = await refusal(address)
    expect(error.code).to.equal('LOG_NO_RIGHTS')
    expect(error.message).to.include(`ALTER DATABASE ${database} OWNER TO guest_${database}`)
    await connect(addressOf(server, database)).open()
    expect((await refusal(address)).code).to.equal('LOG_NO_RIGHTS')
    await server.query(`GRANT USAGE ON SCHEMA vendue TO guest_${database}`, database)
    await server.query(`GRANT SELECT ON ALL TABLES IN SCHEMA vendue TO guest_${database}`, database)
    const guest = connect(address)
    await guest.open()
    const append = guest.append([new CommitBuilder().open()])
    expect(await append.catch(({ code }: SharedLogError) => code)).to.equal('LOG_NO_RIGHTS')
    await server.query(`GRANT ALL ON ALL TABLES IN SCHEMA vendue TO guest_${database}`, database)
    expect(await guest.append([new CommitBuilder().open()])).to.deep.equal([{ appended: true }])
    expect(guest.status().error).to.equal(null)
  })

  it('refuses a log of another cluster, and of a version before or after this one', async () => {
    await connect(addressOf(server, database)).open()
    const other = await refusal(addressOf(server, database), 'another')
    expect(other.code).to.equal('LOG_OF_ANOTHER_CLUSTER')
    expect(other.message).to.include('cluster').and.include('another').and.include('a database of its own')
    for (const [version, code] of [
      [NEWEST_VERSION + 1, 'LOG_TOO_NEW'],
      [0, 'LOG_TOO_OLD'],
    ] as const) {
      await server.query(`UPDATE vendue.log SET version = ${version}`, database)
      const error = await refusal(addressOf(server, database))
      expect(error.code).to.equal(code)
      expect(error.message).to.include(`schema ${version}`)
    }
  })

  it('refuses schemas of the same name that are not its own, or that lack a part', async () => {
    await server.query('CREATE SCHEMA vendue', database)
    expect((await refusal(addressOf(server, database))).code).to.equal('LOG_FOREIGN')
    await server.query('DROP SCHEMA vendue', database)
    const log = connect(addressOf(server, database))
    await log.open()
    await server.query('DROP TABLE vendue.commits', database)
    const append = log.append([new CommitBuilder().open()])
    expect(await append.catch(({ code }: SharedLogError) => code)).to.equal('LOG_FOREIGN')
    await server.query('DELETE FROM vendue.log', database)
    expect((await refusal(addressOf(server, database))).code).to.equal('LOG_FOREIGN')
  })

  it('refuses a server that would lose what it has acknowledged, or that cannot hold every text', async () => {
    await server.query(`ALTER DATABASE ${database} SET synchronous_commit = off`)
    const lossy = await refusal(addressOf(server, database))
    expect(lossy.code).to.equal('LOG_UNSAFE')
    expect(lossy.message).to.include('synchronous_commit')
    await server.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    const narrow = await refusal(addressOf(server, 'latin'))
    expect(narrow.code).to.equal('LOG_UNSAFE')
    expect(narrow.message).to.include('LATIN1')
  })

  it('opens a new log from many nodes at once, for one of two clusters', async () => {
    const many = Array.from({ length: 12 }, (_, i) => connect(addressOf(server, database), i % 2 ? 'odd' : 'even'))
    const codes = await Promise.all(
      many.map((log) =>
        log.open().then(
          () => 'OPEN',
          ({ code }: SharedLogError) => code,
        ),
      ),
    )
    const [first, second] = [0, 1].map((k) => [...new Set(codes.filter((_, i) => i % 2 === k))])
    expect([first, second]).to.have.deep.members([['OPEN'], ['LOG_OF_ANOTHER_CLUSTER']])
  })

  it('says that the disk is full there, stores nothing, and goes on when there is room', async function () {
    const room = join(dirname(server.dataDir), `small_${database}`)
    mkdirSync(room)
    if (RUN_AS.uid !== undefined && RUN_AS.gid !== undefined) chownSync(room, RUN_AS.uid, RUN_AS.gid)
    const options = `size=6m,mode=700,uid=${RUN_AS.uid},gid=${RUN_AS.gid}`
    const mounted =
      process.getuid?.() === 0 &&
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', room], { stdio: 'ignore' }).status === 0
    skipUnless(this, mounted, 'a small disk can be mounted by root on Linux only')
    closes.push(() => spawnSync('umount', ['-l', room]))
    await server.query(`CREATE TABLESPACE small LOCATION '${room}'`)
    await server.query(`ALTER DATABASE ${database} SET default_tablespace = small`)
    closes.push(async () => {
      await server.query(`DROP DATABASE ${database} WITH (FORCE)`)
      await server.query('DROP TABLESPACE small')
    })
    const log = connect(addressOf(server, database))
    const auction = new CommitBuilder()
    await log.append([auction.open()])
    const large = () => Array.from({ length: 60 }, () => new CommitBuilder({ description: noise(9_000) }).open())
    const codes: string[] = []
    for (let i = 0; i < 50 && codes.at(-1) !== 'LOG_FULL'; i++)
      codes.push(
        await log.append(large()).then(
          () => 'APPENDED',
          ({ code }: SharedLogError) => code,
        ),
      )
    expect([...new Set(codes)]).to.deep.equal(['APPENDED', 'LOG_FULL'])
    expect(log.status().error?.code).to.equal('LOG_FULL')
    expect(await log.heads([auction.auctionId])).to.deep.equal(new Map([[auction.auctionId, auction.head]]))
    expect(spawnSync('mount', ['-o', 'remount,size=24m', room]).status).to.equal(0)
    expect(await log.append(large())).to.deep.equal(Array(60).fill({ appended: true }))
    expect(log.status().error).to.equal(null)
    await log.close()
  })

  it('encrypts, and talks only to a server whose certificate the authority has signed', async () => {
    const { ca, certificate, key } = await serverCertificate('127.0.0.1')
    const stranger = await serverCertificate('127.0.0.1')
    const elsewhere = await serverCertificate('127.0.0.2')
    const tls = (verifies: boolean, authority: string | null) => ({ tls: { verifies, ca: authority } })
    const plain = await refusal(addressOf(server, database, tls(true, ca)))
    expect(plain.code).to.equal('LOG_CERTIFICATE')
    expect(plain.message).to.include('does not support SSL')
    const safe = await PostgresServer.start()
    closes.push(() => safe.dispose())
    const install = async (pem: { certificate: string; key: string }) => {
      for (const [name, text] of [
        ['server.crt', pem.certificate],
        ['server.key', pem.key],
      ] as const) {
        const path = join(safe.dataDir, name)
        writeFileSync(path, text, { mode: 0o600 })
        if (RUN_AS.uid !== undefined && RUN_AS.gid !== undefined) chownSync(path, RUN_AS.uid, RUN_AS.gid)
      }
      safe.configure({ ssl: 'on' })
      await safe.reload()
    }
    await install({ certificate, key })
    const log = connect(addressOf(safe, 'postgres', tls(true, ca)))
    await log.open()
    const encrypted = await safe.query(
      "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a ON a.pid = s.pid WHERE application_name = 'vendue'",
    )
    expect(encrypted).to.deep.equal([{ ssl: true }])
    expect((await refusal(addressOf(safe, 'postgres', tls(true, stranger.ca)))).code).to.equal('LOG_CERTIFICATE')
    expect((await refusal(addressOf(safe, 'postgres', tls(true, null)))).code).to.equal('LOG_CERTIFICATE')
    await connect(addressOf(safe, 'postgres', tls(false, null))).open()
    await install(elsewhere)
    const misnamed = await refusal(addressOf(safe, 'postgres', tls(true, elsewhere.ca)))
    expect(misnamed.code).to.equal('LOG_CERTIFICATE')
    expect(misnamed.message).to.include('127.0.0.1')
  })
})

/** Text that no compression makes smaller. */
function noise(length: number): string {
  let state = 1
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647
    return (state % 36).toString(36)
  }).join('')
}
