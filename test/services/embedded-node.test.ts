import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createNode, type EmbeddedNode, NodeError, type NodeEvent } from 'vendue'
import { HomeMeshAdmin } from '../../services/mesh/mesh-admin.js'
import { eventually } from '../support/eventually.js'
import { exifSegment, jpegWith, sha256 } from '../support/pictures.js'
import { makeTempHome } from '../support/temp-home.js'

describe('a node inside another program', () => {
  const { home, remove } = makeTempHome()
  const nodes: EmbeddedNode[] = []
  let shop: EmbeddedNode
  let anna: EmbeddedNode

  const start = async (name: string, more: Partial<Parameters<typeof createNode>[0]> = {}) => {
    const bootstrap = nodes.flatMap(({ dhtAddress }) => dhtAddress ?? [])
    const node = createNode({ name, mesh: 'embedded-test', home, bootstrap, ...more })
    nodes.push(node)
    return node.start()
  }

  before(async () => {
    shop = await start('shop')
    anna = await start('anna', { budgets: { requests: 64, 'log-bytes': '1GiB' } })
    await eventually('they see each other', async () => (await anna.api.peers()).some(({ state }) => state === 'alive'))
  })

  after(async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    remove()
  })

  it('reports its own auctions and the others’, each event once and in order', async () => {
    const heard = new Map<string, NodeEvent[]>()
    for (const node of [shop, anna]) {
      const events: NodeEvent[] = []
      heard.set(node.name, events)
      node.on('auction_opened', (event) => events.push(event))
      node.on('bid_placed', (event) => events.push(event))
      node.on('auction_closed', (event) => events.push(event))
    }
    const opened = await shop.open({ title: 'Pic#1', currency: 'USDT', start: '75', increment: '0.5' })
    if (opened.status !== 'accepted') throw new Error(opened.reason)
    const { auctionId } = opened.auction
    expect(opened.auction).to.deep.include({ own: true, startPrice: '75.00', minimum: '75.00', winner: null })
    await eventually('anna knows of it', async () => (await anna.list()).auctions.length === 1)
    const low = await anna.bid(auctionId, '74')
    expect(low).to.deep.include({ status: 'rejected', code: 'BID_TOO_LOW' })
    const id = 'bid_embedded0001'
    const first = await anna.bid(auctionId, '80', { commandId: id })
    expect(await anna.bid(auctionId, '80', { commandId: id })).to.deep.include({
      status: 'accepted',
      commandId: id,
    })
    expect(first).to.deep.include({ status: 'accepted', price: '80.00', leads: true })
    expect(first.auction?.own).to.equal(false)
    const closed = await shop.close(auctionId)
    expect(closed.auction).to.deep.include({ status: 'closed', finalPrice: '80.00' })
    expect(closed.auction?.winner).to.deep.equal({ id: anna.id, name: 'anna' })
    for (const node of [shop, anna]) {
      const events = heard.get(node.name) ?? []
      await eventually(`${node.name} has heard of all`, () => events.length >= 3)
      expect(events.map(({ type, seq, own }) => [type, seq, own])).to.deep.equal([
        ['auction_opened', 1, node === shop],
        ['bid_placed', 2, node === shop],
        ['auction_closed', 3, node === shop],
      ])
      const winner = { id: anna.id, name: 'anna' }
      expect(events[1]).to.deep.include({ price: '80.00', amount: '80.00', bidder: winner, leader: winner })
      expect(events[2]).to.have.property('result').that.deep.includes({ sold: true, price: '80.00', winner })
    }
  })

  it('shows pictures of its lots, and gives those of others', async () => {
    const { hash, removed } = await shop.addPicture(jpegWith(exifSegment(1)))
    expect(removed).to.include('EXIF')
    const opened = await shop.open({
      title: 'Pic#3',
      currency: 'EUR',
      start: '5',
      pictures: [{ hash, alt: 'A chair' }],
    })
    expect(opened.auction?.pictures).to.have.length(1)
    const id = opened.auction?.auctionId ?? ''
    await eventually('anna knows of it', async () => (await anna.show(id)).pictures[0]?.alt === 'A chair')
    const { bytes, type } = await anna.picture(hash)
    expect([sha256(bytes), type]).to.deep.equal([hash, 'image/jpeg'])
    await shop.cancel(id)
  })

  it('can be iterated, each reader from when it asked on', async () => {
    const events = shop.events()
    const names: string[] = []
    const opened = await shop.open({ title: 'Pic#2', currency: 'EUR', start: '5' })
    await shop.cancel(opened.auction?.auctionId ?? '', { reason: 'broken' })
    for await (const event of events) {
      names.push(event.type)
      if (event.type === 'auction_cancelled') {
        expect(event.reason).to.equal('broken')
        break
      }
    }
    expect(names).to.deep.equal(['auction_opened', 'auction_cancelled'])
  })

  it('rejects with a code what cannot be done', async () => {
    const error = await anna.show('auc_zzzzzz').then(
      () => null,
      (reason) => reason,
    )
    expect(error).to.be.instanceOf(NodeError)
    expect(error.code).to.equal('AUCTION_NOT_FOUND')
  })

  for (const [what, options, field] of [
    ['a name that is no folder of its own', { name: '..' }, 'name'],
    ['a name with a blank', { name: 'my shop' }, 'name'],
    ['no name', { name: '' }, 'name'],
    ['a name of 33 characters', { name: 'x'.repeat(33) }, 'name'],
    ['a mesh of no name', { name: 'ok', mesh: 'A mesh' }, 'mesh'],
    ['a currency that is none', { name: 'ok', currencies: { usd: 2 } }, 'currencies'],
    ['a budget that nobody has', { name: 'ok', budgets: { bids: 5 } }, 'budgets'],
    ['a port past all', { name: 'ok', ports: { rpc: 70_000 } }, 'ports.rpc'],
  ] as const) {
    it(`refuses ${what}, and writes nothing`, () => {
      const elsewhere = makeTempHome()
      try {
        const make = () => createNode({ home: elsewhere.home, ...options })
        expect(make).to.throw(NodeError).that.includes({ code: 'INVALID_INPUT', field })
        expect(readdirSync(elsewhere.home)).to.deep.equal([])
      } finally {
        elsewhere.remove()
      }
    })
  }

  it('lets others use what its operator has set, and shows it', async () => {
    const limits = new Map((await anna.api.status()).budgets.map(({ name, limit }) => [name, limit]))
    expect([limits.get('requests'), limits.get('log-bytes')]).to.deep.equal([64, 1_024 ** 3])
    const others = (await shop.api.status()).budgets.filter(({ limit, name }) => limits.get(name) !== limit)
    expect(others.map(({ name }) => name)).to.have.members(['requests', 'log-bytes'])
  })

  it('takes amounts as numbers too, and names what it cannot take', async () => {
    const terms = { title: 'Pic#6', currency: 'EUR', start: 5.5, increment: 0.5 }
    const opened = await shop.open(terms)
    expect(opened.auction).to.include({ startPrice: '5.50', minimum: '5.50' })
    const refused = await shop.open({ ...terms, increment: true as never }).then(
      () => null,
      (error) => error,
    )
    expect(refused).to.be.instanceOf(NodeError).that.includes({ code: 'INVALID_INPUT', field: 'increment' })
  })

  it('hears no more once it was taken off', async () => {
    let count = 0
    const off = shop.on('auction_opened', () => {
      count += 1
    })
    const seen: string[] = []
    shop.on('auction_opened', ({ title }) => seen.push(title))
    await shop.open({ title: 'Pic#3', currency: 'EUR', start: '5' })
    await eventually('the first was heard', () => count === 1)
    off()
    await shop.open({ title: 'Pic#4', currency: 'EUR', start: '5' })
    await eventually('the second was heard', () => seen.includes('Pic#4'))
    expect(count).to.equal(1)
  })

  it('joins a mesh of another home with a token, once', async () => {
    const elsewhere = makeTempHome()
    const { token } = await new HomeMeshAdmin({ home }).invite('embedded-test', {
      role: 'node',
      uses: 1,
      lifeMs: 60_000,
      addresses: [shop.address],
    })
    const guest = () => {
      const bootstrap = shop.dhtAddress === null ? [] : [shop.dhtAddress]
      return createNode({ name: 'guest', home: elsewhere.home, joinToken: token, bootstrap })
    }
    const opened = await shop.open({ title: 'Pic#5', currency: 'EUR', start: '5' })
    for (const amount of ['5', '50']) {
      const node = await guest().start()
      try {
        await eventually('it sees the shop', async () =>
          (await node.api.peers()).some(({ nodeId, state }) => nodeId === shop.id && state === 'alive'),
        )
        await eventually('it knows of the auction', async () => {
          const { auctions } = await node.list({ status: ['open'] })
          return auctions.some(({ title }) => title === 'Pic#5')
        })
        const id = opened.auction?.auctionId ?? ''
        const { status } = await node.bid(id, amount, { kind: 'max' })
        expect(status).to.equal('accepted')
      } finally {
        await node.stop()
      }
    }
    elsewhere.remove()
  })

  it('lets go of everything when it stops, and ends what is being iterated; its data can be used again', async () => {
    const reading = (async () => {
      for await (const _ of anna.events());
      return 'ended'
    })()
    await Promise.all([anna.stop(), anna.stop()])
    expect(await reading).to.equal('ended')
    expect(existsSync(join(home, 'nodes', 'anna', 'node.json'))).to.equal(false)
    const again = await start('anna')
    expect(again.id).to.equal(anna.id)
    expect((await again.list({ status: ['closed'] })).auctions.map(({ title }) => title)).to.deep.equal(['Pic#1'])
  })
})
