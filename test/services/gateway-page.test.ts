import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { resolve } from 'node:path'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { FakeNodeApi } from '../adapters/cli/support/fake-node-api.js'
import { TestGateway } from '../support/test-gateway.js'

const PAGE = resolve(import.meta.dirname, '../../web')
const OTHER = 'https://two.example'
const MAX_FIRST_VIEW_BYTES = 100_000

interface Raw {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

/** As it comes over the wire: `fetch` would take the compression off. */
function raw(url: string, headers: Record<string, string> = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, body: Buffer.concat(chunks) })
      })
    })
      .on('error', reject)
      .end()
  })
}

describe("a gateway's web page", () => {
  let gateway: TestGateway
  let names: string[]

  before(async () => {
    gateway = await TestGateway.start({ api: new FakeNodeApi() }, { gateways: [OTHER] })
    const { body } = await raw(gateway.url)
    names = [...String(body).matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, name]) => name as string)
  })
  after(() => gateway?.stop())

  it('is served at the address, and at that of each of its views', async () => {
    const { body: document } = await raw(gateway.url)
    expect(String(document)).to.match(/^<!doctype html>[\s\S]*<div id="app">/)
    for (const path of ['/lot/auc_abc', '/sell', '/mine', '/account', '/mesh']) {
      const { status, headers, body } = await raw(gateway.url + path)
      expect(status, path).to.equal(200)
      expect(headers['content-type'], path).to.equal('text/html; charset=utf-8')
      expect(body.equals(document), path).to.equal(true)
    }
    expect(names.some((name) => name.endsWith('.js'))).to.equal(true)
    expect(names.some((name) => name.endsWith('.css'))).to.equal(true)
  })

  it('forbids whatever is inline or from elsewhere, but for the gateways beside it', async () => {
    const { headers, body } = await raw(gateway.url)
    const policy = String(headers['content-security-policy'])
    expect(policy).to.not.match(/unsafe|\*|https?:(?!\/\/two\.example)/)
    expect(policy).to.include("default-src 'none'").and.include("script-src 'self'").and.include("style-src 'self'")
    expect(policy).to.include(`connect-src 'self' ${OTHER} wss://two.example;`)
    expect(policy).to.include("frame-ancestors 'none'")
    expect(headers['x-content-type-options']).to.equal('nosniff')
    expect(String(body)).to.not.match(/<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=/i)
  })

  it('lets the pages of the gateways beside it use the API', async () => {
    const { headers } = await raw(`${gateway.url}/api/v1/gateway`, { origin: OTHER })
    expect(headers['access-control-allow-origin']).to.equal(OTHER)
    const { body } = await gateway.get('/api/v1/gateway')
    expect(body).to.include({ auth: 'open', default_currency: 'USD' })
    expect(body.gateways).to.deep.equal([OTHER])
  })

  it('has names that change with the content, and are kept for ever', async () => {
    for (const name of names) {
      expect(name).to.match(/-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/)
      const { headers } = await raw(gateway.url + name)
      expect(headers['cache-control'], name).to.equal('public, max-age=31536000, immutable')
    }
    const { headers } = await raw(gateway.url)
    expect(headers['cache-control']).to.equal('no-cache')
    const again = await raw(gateway.url, { 'if-none-match': String(headers.etag) })
    expect([again.status, again.body.length]).to.deep.equal([304, 0])
  })

  it('comes as it was compressed at build time, in what the browser takes', async () => {
    const url = gateway.url + names.find((name) => name.endsWith('.js'))
    const plain = await raw(url)
    expect(plain.headers['content-encoding']).to.equal(undefined)
    expect(plain.headers.vary).to.include('accept-encoding')
    const asked = async (accepted: string) => {
      const { headers, body } = await raw(url, { 'accept-encoding': accepted })
      return { encoding: headers['content-encoding'], body }
    }
    const brotli = await asked('gzip, deflate, br, zstd')
    expect(brotli.encoding).to.equal('br')
    expect(brotliDecompressSync(brotli.body).equals(plain.body)).to.equal(true)
    const gzip = await asked('gzip, br;q=0')
    expect(gzip.encoding).to.equal('gzip')
    expect(gunzipSync(gzip.body).equals(plain.body)).to.equal(true)
    expect((await asked('zstd')).encoding).to.equal(undefined)
  })

  it('needs less than 100 kB for its first view, gzipped', () => {
    const read = (name: string) => readFileSync(resolve(PAGE, `.${name}`))
    const styles = names.filter((name) => name.endsWith('.css')).map((name) => String(read(name)))
    const fonts = styles.flatMap((css) =>
      [...css.matchAll(/url\(["']?(\/assets\/[^)"']+)/g)].map(([, url]) => url as string),
    )
    // Browsers load only the part of a font that has the letters they need: the Latin one.
    const first = new Set(['/index.html', ...names, ...fonts.filter((name) => !name.includes('-ext-'))])
    const bytes = [...first].reduce((sum, name) => sum + gzipSync(read(name), { level: 9 }).length, 0)
    expect(bytes).to.be.greaterThan(500)
    expect(bytes).to.be.lessThan(MAX_FIRST_VIEW_BYTES)
  })

  it('can be installed, with an icon of each size that it names', async () => {
    const { headers, body } = await raw(`${gateway.url}/app.webmanifest`)
    expect(headers['content-type']).to.equal('application/manifest+json')
    const manifest = JSON.parse(String(body))
    expect(manifest).to.include({ start_url: '/', scope: '/', display: 'standalone' })
    expect(manifest.icons.map(({ purpose }: { purpose: string }) => purpose)).to.include('maskable')
    for (const { src, sizes, type } of manifest.icons) {
      const icon = await raw(gateway.url + src)
      expect([icon.status, icon.headers['content-type']], src).to.deep.equal([200, type])
      if (type !== 'image/png') continue
      // Width and height stand in a PNG's first chunk.
      expect(`${icon.body.readUInt32BE(16)}x${icon.body.readUInt32BE(20)}`, src).to.equal(sizes)
    }
    for (const { url } of manifest.shortcuts) expect((await raw(gateway.url + url)).status, url).to.equal(200)
  })

  it('hands out a worker that is asked for anew each time, and all that this names', async () => {
    const { status, headers, body } = await raw(`${gateway.url}/sw.js`)
    expect(status).to.equal(200)
    expect(headers['content-type']).to.equal('text/javascript; charset=utf-8')
    expect(headers['cache-control']).to.equal('no-cache')
    expect(String(headers['content-security-policy'])).to.not.match(/unsafe|\*/)
    // As a list, or as one text: whichever is shorter to the minifier.
    const files = [
      ...String(body).matchAll(/(?<=[`"',])(\/(?:assets\/)?[\w.-]+\.(?:js|css|woff2|svg|webmanifest))(?=[`"',])/g),
    ]
    expect(files.length).to.be.greaterThan(8)
    for (const [, path] of files) expect((await raw(gateway.url + path)).status, path).to.equal(200)
  })

  it('says in the API which version of it is served', async () => {
    const { body: document } = await raw(gateway.url)
    const [, id] = /name="vendue-page" content="([^"]+)"/.exec(String(document)) ?? []
    expect(id).to.match(/^[\w-]{22}$/)
    expect((await gateway.get('/api/v1/gateway')).body.page).to.equal(id)
  })

  it('does not hand out what was built beside it', async () => {
    for (const path of ['/.vendue-build', '/.vite/manifest.json', '/index.html.br', '/assets/../package.json'])
      expect((await raw(gateway.url + path)).status, path).to.equal(404)
  })
})
