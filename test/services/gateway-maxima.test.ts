import { expect } from 'chai'
import { type GatewayAccounts, openAccounts } from '../../services/gateway/accounts.js'
import { limitsSetting } from '../../src/application/gateway/limit-rules.js'
import { type Member, type Message, memberOf, PASSWORD, register } from '../support/account-client.js'
import { eventually } from '../support/eventually.js'
import { silentLogger } from '../support/silent-logger.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const TERMS = { title: 'Lot', start_price: '10', currency: 'EUR', increment: '1' }
const PSEUDONYMS = { bidder_names: 'pseudonyms' }

describe('the maximum of whoever leads', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  let elsewhere: TestGateway
  let onTrust: TestGateway
  let accounts: GatewayAccounts
  const dir = makeTempDir()

  before(async () => {
    mesh = await createTestMesh(2)
    const limits = limitsSetting.parse('registrations_per_address:1000/1h')
    accounts = await openAccounts(dir.path, { limits }, { logger: silentLogger })
    gateway = await TestGateway.start(mesh.nodes[0]!, {}, accounts.parts)
    onTrust = await TestGateway.start(mesh.nodes[0]!)
    elsewhere = await TestGateway.start(mesh.nodes[1]!)
  })
  after(async () => {
    await Promise.all([gateway?.stop(), onTrust?.stop(), elsewhere?.stop()])
    await accounts?.close()
    await mesh?.stop()
    dir.remove()
  })

  const openAt = async (place: TestGateway, terms: object, headers = {}): Promise<string> => {
    const request = { ...TERMS, ...terms, ...(place === gateway ? {} : { user_id: 'sam' }) }
    const { status, body } = await place.post('/api/v1/auctions', request, headers)
    expect(status, JSON.stringify(body)).to.equal(201)
    await eventually(
      'the gateway has it',
      async () => (await gateway.get(`/api/v1/auctions/${body.id}`)).status === 200,
    )
    return body.id
  }
  const leave = async ({ headers }: Member, auction: string, amount: string) => {
    const { status, body } = await gateway.post(`/api/v1/auctions/${auction}/bids`, { amount, kind: 'max' }, headers)
    expect(status, JSON.stringify(body)).to.equal(201)
  }
  const maximumOf = async ({ headers }: Member, auction: string) => {
    const { status, body } = await gateway.get('/api/v1/me/bids', headers)
    expect(status, JSON.stringify(body)).to.equal(200)
    return body.auctions.find(({ id }: Message) => id === auction)?.your_maximum
  }
  const eventuallyIs = (member: Member, auction: string, maximum: string | null) =>
    eventually(`the maximum is ${maximum}`, async () => (await maximumOf(member, auction)) === maximum)

  for (const [where, terms, place] of [
    ['at a home of the gateway’s own', {}, () => gateway],
    ['at a home elsewhere', {}, () => elsewhere],
    ['under a pseudonym', PSEUDONYMS, () => gateway],
    ['under a pseudonym, at a home elsewhere', PSEUDONYMS, () => elsewhere],
  ] as const) {
    it(`is shown on each of their devices, and to nobody else, ${where}`, async () => {
      const tag = `${where.length}${place() === gateway ? 'a' : 'b'}`
      const [seller, anna, ben] = [
        await register(gateway, `sel-${tag}`),
        await register(gateway, `anna-${tag}`),
        await register(gateway, `ben-${tag}`),
      ]
      const auction = await openAt(place(), terms, seller.headers)
      await leave(anna, auction, '50')
      await eventuallyIs(anna, auction, '50.00')
      const login = await gateway.post('/auth/login', { username: `anna-${tag}`, password: PASSWORD })
      const phone = memberOf(login.body)
      await leave(phone, auction, '60.50')
      for (const device of [anna, phone]) await eventuallyIs(device, auction, '60.50')

      await leave(ben, auction, '20')
      await eventuallyIs(ben, auction, null)
      await eventuallyIs(anna, auction, '60.50')
      const shown = await gateway.get(`/api/v1/auctions/${auction}`, seller.headers)
      const all = await gateway.get('/api/v1/auctions', ben.headers)
      for (const { body } of [shown, all]) expect(JSON.stringify(body)).not.to.contain('60.5')

      const label = { label: 'reader', scopes: ['read'] }
      const { body: key } = await gateway.post('/api/v1/me/api-keys', label, anna.headers)
      const withKey = await gateway.get('/api/v1/me/bids', { 'x-api-key': key.api_key })
      expect(withKey.body.auctions.find(({ id }: Message) => id === auction).your_maximum).to.equal(null)

      await leave(ben, auction, '70')
      await eventuallyIs(ben, auction, '70.00')
      await eventuallyIs(anna, auction, null)
      expect(await maximumOf(seller, auction)).to.equal(undefined)
    })
  }

  it('is not shown if anybody could ask in their name', async () => {
    const auction = await openAt(onTrust, {})
    const bid = { user_id: 'anna', amount: '50', kind: 'max' }
    expect((await onTrust.post(`/api/v1/auctions/${auction}/bids`, bid)).status).to.equal(201)
    const { body } = await onTrust.get('/api/v1/me/bids?user_id=anna')
    const [mine] = body.auctions
    expect(mine).to.include({ id: auction, you: 'leading', your_maximum: null })
  })
})
