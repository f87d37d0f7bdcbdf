import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const hasGrpc = spawnSync('python3', ['-c', 'import grpc, grpc_tools'], { stdio: 'ignore' }).status === 0

describe('a gateway over gRPC, from Python', () => {
  const dir = makeTempDir()
  let mesh: TestMesh
  let gateway: TestGateway

  before(async () => {
    mesh = await createTestMesh(1)
    gateway = await TestGateway.start(mesh.nodes[0]!)
  })

  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
    dir.remove()
  })

  const shown = () => /```python\n([\s\S]*?)```/.exec(readFileSync('docs/client.md', 'utf8'))?.[1] ?? ''

  it('is shown with the port and the calls that there are', () => {
    expect(shown()).to.contain('"127.0.0.1:8080"')
    const proto = readFileSync('proto/vendue/v1/auctions.proto', 'utf8')
    const called = [...shown().matchAll(/auctions\.(\w+)\(/g)].map(([, name]) => name)
    expect(called).to.deep.equal(['OpenAuction', 'PlaceBid', 'StreamEvents'])
    for (const name of called) expect(proto).to.contain(`rpc ${name}(`)
  })

  // grpcio is big, and nobody needs it to build this: the client in gateway-grpc.test.ts is always there.
  if (hasGrpc)
    it('is called as docs/client.md shows', async () => {
      const args = [
        '-m',
        'grpc_tools.protoc',
        '-I',
        'proto',
        `--python_out=${dir.path}`,
        `--grpc_python_out=${dir.path}`,
      ]
      const made = spawnSync('python3', [...args, 'proto/vendue/v1/auctions.proto'], { encoding: 'utf8' })
      expect(made.status, made.stderr).to.equal(0)
      const program = join(dir.path, 'client.py')
      writeFileSync(program, shown().replace('127.0.0.1:8080', new URL(gateway.url).host))
      const client = spawn('python3', ['-u', program])
      const ended = new Promise((resolve) => client.once('close', resolve))
      let output = ''
      for (const stream of [client.stdout, client.stderr])
        stream.on('data', (data) => {
          output += data
        })
      try {
        await eventually('both events', () => /1 auction_opened[\s\S]*2 bid_placed/.test(output) || expect.fail(output))
        expect(output).to.contain('price: "25.00"')
      } finally {
        client.kill('SIGKILL')
        await ended
      }
    })
})
