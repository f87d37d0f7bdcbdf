import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { eventually } from '../eventually.js'
import { PostgresServer } from './postgres-server.js'

describe('a PostgreSQL server of the tests', () => {
  it('keeps what it has committed when it is killed and started again', async () => {
    const server = await PostgresServer.start()
    try {
      await server.query('CREATE TABLE kept (a int)')
      await server.query('INSERT INTO kept VALUES (1)')
      await server.kill()
      await server.start()
      expect(await server.query('SELECT a FROM kept')).to.deep.equal([{ a: 1 }])
      expect(await server.query('SHOW fsync')).to.deep.equal([{ fsync: 'on' }])
    } finally {
      await server.dispose()
    }
  })

  it('ends with the process that started it, however that is ended', async () => {
    const module = JSON.stringify(new URL('./postgres-server.js', import.meta.url).href)
    const script = `const { PostgresServer } = await import(${module})
      const server = await PostgresServer.start()
      console.log(server.port, server.dataDir)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}`)))
    const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer]
    ended.catch(() => {})
    const [port, dataDir] = line.toString().trim().split(' ') as [string, string]
    child.kill('SIGKILL')
    await eventually('nobody listens any more', () => PostgresServer.isFree(Number(port)))
    PostgresServer.removeLeft(dataDir)
  })
})
