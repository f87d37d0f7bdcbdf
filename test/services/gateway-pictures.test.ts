import { expect } from 'chai'
import { type GatewayAccounts, openAccounts } from '../../services/gateway/accounts.js'
import { problemSchema } from '../../src/adapters/http/resources.js'
import { limitsSetting } from '../../src/application/gateway/limit-rules.js'
import { createClient, RequestRefused } from '../../src/client/node.js'
import { register } from '../support/account-client.js'
import { eventually } from '../support/eventually.js'
import { exifSegment, JPEG, jpegWith, noise, PNG, sha256 } from '../support/pictures.js'
import { silentLogger } from '../support/silent-logger.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const LARGE = noise(3, 700, 600)

describe('pictures at a gateway', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  let elsewhere: TestGateway

  before(async () => {
    mesh = await createTestMesh(2)
    gateway = await TestGateway.start(mesh.nodes[0]!)
    elsewhere = await TestGateway.start(mesh.nodes[1]!)
  })
  after(async () => {
    await gateway?.stop()
    await elsewhere?.stop()
    await mesh?.stop()
  })

  async function post(body: Uint8Array | string, type: string, more: Record<string, string> = {}, at = gateway) {
    const headers = { 'content-type': type, ...more }
    const answer = await fetch(`${at.url}/api/v1/pictures?user_id=sam`, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : new Uint8Array(body),
    })
    // biome-ignore lint/suspicious/noExplicitAny: tests look at what a server said, whatever it is.
    const json: any = await answer.json()
    return { status: answer.status, headers: answer.headers, body: json }
  }

  async function show(hash: string, at = gateway, headers: Record<string, string> = {}) {
    const answer = await fetch(`${at.url}/api/v1/pictures/${hash}`, { headers })
    return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
  }

  function refused({ status, body }: { status: number; body: unknown }, expected: number, code: string) {
    expect(status, JSON.stringify(body)).to.equal(expected)
    const problem = problemSchema.parse(body)
    expect(problem.code).to.equal(code)
    expect(problem.next).to.be.a('string')
    return problem
  }

  it('are added clean, named by an auction, and shown through any gateway of the mesh', async () => {
    const { status, headers, body } = await post(jpegWith(exifSegment(6)), 'image/jpeg')
    expect(status, JSON.stringify(body)).to.equal(201)
    expect(body).to.deep.include({ type: 'image/jpeg', width: 8, height: 16 })
    expect(body.removed).to.include('EXIF')
    expect(headers.get('location')).to.equal(`/api/v1/pictures/${body.hash}`)
    const id = await gateway.open({ pictures: [{ hash: body.hash, alt: 'A chair' }] })
    const { hash, bytes, type, width, height } = body
    const shown = { hash, bytes, type, width, height, alt: 'A chair' }
    expect((await gateway.get(`/api/v1/auctions/${id}`)).body.pictures).to.deep.equal([shown])
    await eventually('the other node has the auction', async () => {
      const { body: copy } = await elsewhere.get(`/api/v1/auctions/${id}`)
      return copy.pictures?.[0]?.hash === hash
    })
    const there = await show(hash, elsewhere)
    expect(there.status).to.equal(200)
    expect(sha256(there.bytes)).to.equal(hash)
    expect(there.bytes.includes('GPS')).to.equal(false)
  })

  it('are shown with their own type, for good, and in a sandbox', async () => {
    const { body } = await post(PNG, 'image/png')
    const { headers } = await show(body.hash)
    expect(headers.get('content-type')).to.equal('image/png')
    expect(headers.get('x-content-type-options')).to.equal('nosniff')
    expect(headers.get('content-security-policy')).to.equal("default-src 'none'; sandbox")
    expect(headers.get('cache-control')).to.equal('public, max-age=31536000, immutable')
    expect(headers.get('content-disposition')).to.equal(`inline; filename="${body.hash}.png"`)
    const etag = String(headers.get('etag'))
    const again = await show(body.hash, gateway, { 'if-none-match': etag })
    expect([again.status, again.bytes.length]).to.deep.equal([304, 0])
    const head = await fetch(`${gateway.url}/api/v1/pictures/${body.hash}`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-type')]).to.deep.equal([200, 'image/png'])
  })

  it('may be as large as several messages between nodes', async () => {
    const { body } = await post(LARGE, 'image/png')
    expect(body).to.include({ hash: sha256(LARGE), bytes: LARGE.length })
    expect(sha256((await show(body.hash)).bytes)).to.equal(body.hash)
  })

  it('are refused where they are something else, whatever they call themselves', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    refused(await post(svg, 'image/svg+xml'), 415, 'UNSUPPORTED_MEDIA_TYPE')
    refused(await post('<html>', 'text/html'), 415, 'UNSUPPORTED_MEDIA_TYPE')
    const wrong = refused(await post(svg, 'image/png'), 422, 'PICTURE_REFUSED')
    expect(wrong.detail).to.equal('the content type is image/png, and the file is no JPEG, PNG or WebP')
    expect(refused(await post(JPEG, 'image/png'), 422, 'PICTURE_REFUSED').detail).to.match(/the file is image\/jpeg$/)
    expect(refused(await post(JPEG.subarray(0, 300), 'image/jpeg'), 422, 'PICTURE_REFUSED').detail).to.match(/cut off/)
    refused(await post('', 'image/png'), 400, 'INVALID_INPUT')
    refused(await post(new Uint8Array(9_000_000), 'image/png'), 413, 'BODY_TOO_LARGE')
  })

  it('with a page behind their end are kept without it', async () => {
    const { body } = await post(Buffer.concat([JPEG, Buffer.from('<script>alert(1)</script>')]), 'image/jpeg')
    expect(body.removed).to.include('data behind its end')
    expect((await show(body.hash)).bytes.includes('script')).to.equal(false)
  })

  it('have no names but hashes, and are not there where nobody has added them', async () => {
    for (const name of ['..%2f..%2fnode.key', 'A'.repeat(64), `${'a'.repeat(63)}g`, `${'a'.repeat(64)}.png`])
      refused(await gateway.get(`/api/v1/pictures/${name}`), 400, 'INVALID_INPUT')
    refused(await gateway.get(`/api/v1/pictures/${'a'.repeat(64)}`), 404, 'PICTURE_NOT_FOUND')
  })

  it('are named by auctions within the rules, which say what is wrong', async () => {
    const open = (pictures: unknown) =>
      gateway.post('/api/v1/auctions', {
        title: 'Lot',
        currency: 'EUR',
        start_price: '1',
        user_id: 'sam',
        pictures,
      })
    const missing = refused(await open([{ hash: 'b'.repeat(64) }]), 404, 'PICTURE_NOT_FOUND')
    expect(missing.field).to.equal('pictures.0')
    const { hash } = (await post(PNG, 'image/png')).body
    const twice = refused(await open([{ hash }, { hash }]), 422, 'TERMS_INVALID')
    expect(twice.problems).to.deep.equal([{ field: 'pictures.1', rule: 'is there twice' }])
    const long = refused(await open([{ hash, alt: 'x'.repeat(301) }]), 422, 'TERMS_INVALID')
    expect(long.detail).to.match(/alt text must be at most 300 characters/)
    const many = []
    for (let i = 0; i < 13; i++) many.push({ hash: (await post(noise(100 + i), 'image/png')).body.hash })
    expect(refused(await open(many), 422, 'TERMS_INVALID').detail).to.match(/must be 12 at most/)
    expect((await open(many.slice(0, 12))).status).to.equal(201)
  })

  it('are not taken as anything else by other routes', async () => {
    const answer = await fetch(`${gateway.url}/api/v1/auctions`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: new Uint8Array(PNG),
    })
    expect(answer.status).to.equal(415)
  })

  it('are added by the client library, which removes what nobody shall see before it sends them', async () => {
    const sent: Uint8Array[] = []
    const client = createClient({
      gateways: [gateway.url],
      user: 'sam',
      fetch: (url, init) => {
        if (init.body instanceof Uint8Array) sent.push(init.body)
        return fetch(url, init)
      },
    })
    try {
      const added = await client.addPicture(new Blob([new Uint8Array(jpegWith(exifSegment(1)))]))
      expect(added.removed).to.include('EXIF')
      expect(sent).to.have.length(1)
      expect(sent.some((bytes) => Buffer.from(bytes).includes('GPS'))).to.equal(false)
      const opened = await client.open({
        title: 'Lot',
        start_price: '1',
        currency: 'EUR',
        pictures: [{ hash: added.hash, alt: 'A chair' }],
      })
      expect(opened.status === 'accepted' && opened.auction.pictures[0]?.hash).to.equal(added.hash)
      expect((await fetch(client.pictureUrl(added.hash))).status).to.equal(200)
      const error = await client.addPicture(Buffer.from('<svg/>')).catch((failure) => failure)
      expect(error).to.be.instanceOf(RequestRefused)
      expect(error).to.include({ code: 'PICTURE_REFUSED', status: 422 })
    } finally {
      client.close()
    }
  })
})

describe('pictures of accounts', () => {
  const dir = makeTempDir()
  let mesh: TestMesh
  let gateway: TestGateway
  let accounts: GatewayAccounts

  before(async () => {
    mesh = await createTestMesh(1)
    const limits = limitsSetting.parse('pictures_per_account:3/1h')
    accounts = await openAccounts(dir.path, { limits }, { logger: silentLogger })
    gateway = await TestGateway.start(mesh.nodes[0]!, { auth: 'accounts' }, accounts.parts)
  })
  after(async () => {
    await gateway?.stop()
    await accounts?.close()
    await mesh?.stop()
    dir.remove()
  })

  const post = (headers: Record<string, string>, seed: number) =>
    fetch(`${gateway.url}/api/v1/pictures`, {
      method: 'POST',
      headers: { 'content-type': 'image/png', ...headers },
      body: new Uint8Array(noise(seed)),
    })

  it('are added by sellers alone, and seen by everybody', async () => {
    expect((await post({}, 1)).status).to.equal(401)
    const { headers } = await register(gateway, 'anna')
    const answer = await post(headers, 1)
    expect(answer.status).to.equal(201)
    const { hash } = (await answer.json()) as { hash: string }
    expect((await fetch(`${gateway.url}/api/v1/pictures/${hash}`)).status).to.equal(200)
  })

  it('are so many an hour for each account, and no fewer for others', async () => {
    const eve = await register(gateway, 'eve')
    const ben = await register(gateway, 'ben')
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await post(eve.headers, 10 + i)).status)
    expect(statuses).to.deep.equal([201, 201, 201, 429])
    expect((await post(ben.headers, 20)).status).to.equal(201)
  })
})
