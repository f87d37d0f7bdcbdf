import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import pg from 'pg'
import { eventually } from '../support/eventually.js'
import { installedPrograms, RUN_AS } from '../support/postgres/postgres-programs.js'
import { PASSWORD, PostgresServer } from '../support/postgres/postgres-server.js'
import { skipUnless } from '../support/requires.js'
import { makeTempDir } from '../support/temp-dir.js'

const DOCKER = resolve(import.meta.dirname, '../../../docker')
const WITHIN_MS = 30_000

describe('the scripts of the database servers of docker/', function () {
  this.timeout(120_000)
  const programs = installedPrograms()
  const dir = makeTempDir()
  let primary: PostgresServer
  let standby: ChildProcess | null = null
  let output = ''

  before(async function () {
    skipUnless(this, programs !== null, 'no whole PostgreSQL is installed')
    chmodSync(dir.path, 0o777)
    primary = await PostgresServer.start({ programs: programs! })
  })

  after(async () => {
    if (standby !== null && standby.exitCode === null) {
      const ended = new Promise((done) => standby?.once('close', done))
      standby.kill('SIGINT')
      await ended
    }
    await primary?.dispose()
    dir.remove()
  })

  /** As the image's own start would run it, by the user that the server runs as. */
  const optionsOf = (env: NodeJS.ProcessEnv) => ({
    ...RUN_AS,
    cwd: dir.path,
    env: {
      ...process.env,
      PATH: `${programs?.bin}:${process.env.PATH}`,
      POSTGRES_USER: 'postgres',
      POSTGRES_DB: 'postgres',
      POSTGRES_PASSWORD: PASSWORD,
      ...env,
    },
  })
  const script = (name: string) => readFileSync(join(DOCKER, name), 'utf8')

  it('have a standby follow, without which nothing is acknowledged, and go on alone once it is promoted', async () => {
    const asked = { PGHOST: '127.0.0.1', PGPORT: String(primary.port), PGPASSWORD: PASSWORD, PGDATA: primary.dataDir }
    const letIn = spawnSync('sh', ['-s'], {
      ...optionsOf(asked),
      input: script('let-standbys-in.sh'),
      encoding: 'utf8',
    })
    expect(letIn.status, letIn.stderr).to.equal(0)
    primary.configure({ synchronous_standby_names: 'standby' })
    await primary.reload()

    const port = await freePort()
    const command = ['postgres', '-D', join(dir.path, 'data'), '-p', String(port), '-c', 'synchronous_standby_names=']
    const started = ['-c', script('follow-primary.sh'), 'sh', '127.0.0.1', 'standby', ...command]
    standby = spawn('sh', started, { ...optionsOf({ PGPORT: String(primary.port), PGDATA: join(dir.path, 'data') }) })
    for (const stream of [standby.stdout, standby.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output = (output + chunk).slice(-10_000)
      })
    standby.on('error', (error) => {
      output += error.message
    })
    const states = 'SELECT application_name AS name, sync_state AS state FROM pg_stat_replication'
    const isSync = async () =>
      (await primary.query(states)).some(({ name, state }) => name === 'standby' && state === 'sync')
    await eventually('it follows', isSync, WITHIN_MS).catch((error: Error) => {
      throw new Error(`${error.message}: ${output}`)
    })
    await primary.query('CREATE TABLE kept (n int)')
    await primary.query('INSERT INTO kept VALUES (1)')
    await primary.dispose()

    const onStandby = async (sql: string) => {
      const client = new pg.Client({
        host: '127.0.0.1',
        port,
        user: 'postgres',
        password: PASSWORD,
        database: 'postgres',
      })
      client.on('error', () => {})
      await client.connect()
      try {
        return (await client.query(sql)).rows as Record<string, unknown>[]
      } finally {
        await client.end()
      }
    }
    expect(await onStandby('SELECT pg_promote() AS promoted')).to.deep.equal([{ promoted: true }])
    await onStandby('INSERT INTO kept VALUES (2)')
    expect(await onStandby('SELECT n FROM kept ORDER BY n')).to.deep.equal([{ n: 1 }, { n: 2 }])
  })
})

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })
}
