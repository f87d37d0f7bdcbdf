import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { makeTempDir } from '../../support/temp-dir.js'

const BUF = 'node_modules/@bufbuild/buf/bin/buf'
/** As clients that are in use know them: written anew by `npm run proto:publish`, with a release. */
const PUBLISHED = 'test/adapters/connect/published.binpb'
const AUCTIONS = 'vendue/v1/auctions.proto'

function buf(...args: string[]): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, [BUF, ...args], { encoding: 'utf8' })
}

describe('the files that gRPC clients are made from', () => {
  const dir = makeTempDir()

  after(() => dir.remove())

  it('are written in the usual form', () => {
    expect(buf('lint')).to.include({ status: 0, stdout: '' })
  })

  it('break no client that was made from those published before', () => {
    expect(buf('breaking', '--against', PUBLISHED)).to.include({ status: 0, stdout: '' })
  })

  it('would not pass with a field less, a field of another type or a call less', () => {
    for (const file of ['buf.yaml', 'proto']) cpSync(file, join(dir.path, file), { recursive: true })
    const path = join(dir.path, 'proto', AUCTIONS)
    const text = readFileSync(path, 'utf8')
    const changes: [RegExp, string][] = [
      [/ {2}string next = 3;\n/, ''],
      [/string price = 7;/, 'int64 price = 7;'],
      [/ {2}rpc BuyNow.*\n/, ''],
    ]
    for (const [what, instead] of changes) {
      writeFileSync(path, text.replace(what, instead))
      expect(buf('breaking', dir.path, '--against', PUBLISHED).status, String(what)).to.equal(100)
    }
  })
})
