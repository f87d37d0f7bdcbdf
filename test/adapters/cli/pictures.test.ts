import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { cleanPicture } from '../../../src/domain/pictures/clean-picture.js'
import { exifSegment, JPEG, jpegWith, noise, PNG, sha256 } from '../../support/pictures.js'
import { makeTempDir } from '../../support/temp-dir.js'
import { CliHarness } from './support/cli-harness.js'

describe('pictures on the command line', () => {
  let cli: CliHarness
  let dir: { path: string; remove(): void }

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
    dir = makeTempDir()
  })
  afterEach(() => {
    cli.dispose()
    dir.remove()
  })

  function file(name: string, bytes: Uint8Array | string): string {
    const path = join(dir.path, name)
    writeFileSync(path, bytes)
    return path
  }

  const open = (...more: string[]) => cli.run(['open', 'Chair', '--start', '20', '--currency', 'EUR', ...more])

  const clean = (bytes: Uint8Array): Buffer => {
    const cleaned = cleanPicture(bytes)
    if (!cleaned.ok) throw new Error(cleaned.rule)
    return Buffer.from(cleaned.picture.bytes)
  }

  it('are cleaned here, sent, and named in their order with what they show', async () => {
    const photo = file('photo.jpg', jpegWith(exifSegment(6)))
    const large = file('large.png', noise(1, 700, 600))
    const { code, stdout } = await open('--picture', photo, '--picture', large, '--alt', 'From the front')
    expect(code).to.equal(0)
    expect(stdout).to.contain(`removed from ${photo}: EXIF, a colour profile`)
    const request = cli.api.calls.find(({ method }) => method === 'open')?.request
    const hash = sha256(clean(jpegWith(exifSegment(6))))
    expect(request).to.deep.include({
      pictures: [{ hash, alt: 'From the front' }, { hash: sha256(noise(1, 700, 600)) }],
    })
    for (const { bytes } of cli.api.pictures.values()) expect(bytes.includes('GPS')).to.equal(false)
  })

  it('are listed by `show`, with their hashes', async () => {
    await open('--picture', file('a.png', PNG), '--alt', 'A chair')
    const { stdout } = await cli.run(['show', '7k2m'])
    expect(stdout).to.match(new RegExp(`${sha256(clean(PNG))}  png, 16 x 8, [0-9]+ bytes: A chair`))
    const json = JSON.parse((await cli.run(['show', '7k2m', '--json'])).stdout)
    expect(json.pictures).to.deep.include({
      hash: sha256(clean(PNG)),
      bytes: clean(PNG).length,
      type: 'image/png',
      width: 16,
      height: 8,
      alt: 'A chair',
    })
  })

  it('are refused before anything is sent, with the file, the rule and what to do', async () => {
    const cases: [string[], RegExp][] = [
      [['--picture', file('evil.svg', '<svg onload="alert(1)"/>')], /evil\.svg is no JPEG, PNG or WebP/],
      [['--picture', file('half.jpg', JPEG.subarray(0, 400))], /half\.jpg is damaged: it is cut off/],
      [['--picture', join(dir.path, 'none.jpg')], /cannot read --picture .*none\.jpg/],
      [['--picture', dir.path], /cannot read --picture/],
      [['--alt', 'A chair'], /there are 1 --alt, and 0 --picture/],
      [
        Array.from({ length: 13 }, (_, i) => ['--picture', file(`${i}.png`, noise(i))]).flat(),
        /at most 12 pictures, and 13 are given/,
      ],
    ]
    for (const [more, rule] of cases) {
      const { code, stderr } = await open(...more)
      expect(code, stderr).to.equal(2)
      expect(stderr).to.match(rule)
    }
    expect(cli.api.calls).to.deep.equal([])
  })

  it('are written to a file, and to a pipe', async () => {
    await open('--picture', file('a.png', PNG))
    const hash = sha256(clean(PNG))
    const path = join(dir.path, 'out.png')
    expect((await cli.run(['picture', hash, '--out', path])).code).to.equal(0)
    expect(sha256(readFileSync(path))).to.equal(hash)
    expect((await cli.run(['picture', 'nonsense'])).stderr).to.match(/must be a SHA-256/)
    expect((await cli.run(['picture', 'f'.repeat(64)])).code).to.equal(2)
  })

  it('go beside an export, and prove or disprove what was shown', async () => {
    await open('--picture', file('a.png', PNG), '--picture', file('b.jpg', JPEG))
    const shown = join(dir.path, 'shown')
    const names = [`${sha256(clean(PNG))}.png`, `${sha256(clean(JPEG))}.jpg`]
    await cli.run(['export', '7k2m', '--pictures', shown])
    for (const name of names) expect(existsSync(join(shown, name)), name).to.equal(true)
  })
})
