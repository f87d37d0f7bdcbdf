import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { addWhole, readWhole } from '../../src/application/pictures/picture-transfer.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected, vendue } from '../support/node-process.js'
import { noise, sha256 } from '../support/pictures.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
/** Grapes of one machine find each other: whatever else is announced there is no peer of these. */
const MESH = { VENDUE_MESH: `repair-${process.pid}` }
const PAGE_BYTES = 4_096
const PICTURE = noise(1)
const REPLICAS = 20
/** Of the peer's, in the middle of the file. */
const LOTS = [12, 11, 13, 10, 14, 9, 15, 8, 16]

interface Repaired {
  readonly damage: string | null
  readonly moved_to: string | null
  readonly saved: { readonly auctions: string[]; readonly events: number; readonly outcomes: number }
  readonly lost: {
    readonly auctions: { readonly auction_id: string; readonly why: string }[]
    readonly commits: number
    readonly incomplete: string[]
  }
}

describe('a node whose database is damaged', () => {
  const { home, remove } = makeTempHome()
  let damaged: NodeProcess
  let peer: NodeProcess
  let own = ''
  const replicas: string[] = []
  const file = () => join(damaged.dataDir, 'vendue.db')

  before(async () => {
    damaged = await NodeProcess.start({ home, name: 'damaged', args: FREE_PORTS, env: MESH })
    peer = await NodeProcess.start({ home, name: 'peer', args: FREE_PORTS, env: MESH })
    await untilConnected([damaged, peer])
    const { hash } = await addWhole(damaged.api, PICTURE)
    own = await open(damaged, 0, { reserve: '50', pictures: [{ hash }] })
    await eventually('the peer knows it', () => peer.api.show({ auction: own }))
    for (const n of [1, 2, 3]) await bid(n)
    for (let n = 1; n <= REPLICAS; n++) replicas.push(await open(peer, n))
    await eventually('all are copied', () => sameHeads())
  })

  after(async () => {
    await Promise.all([damaged.end(), peer.end()])
    remove()
  })

  async function open(node: NodeProcess, n: number, more: object = {}): Promise<string> {
    const { outcome } = await node.api.open({
      commandId: `cmd_repair${String(n).padStart(4, '0')}`,
      title: `Lot ${n}`,
      currency: 'EUR',
      start: '1',
      description: `[lot ${n}]`.repeat(150),
      increment: '1',
      ...more,
    })
    return outcome.auctionId
  }

  async function bid(n: number) {
    const commandId = `bid_repair${n}`
    const { outcome } = await peer.api.bid({ auction: own, commandId, kind: 'max', amount: `${60 + n}` })
    return outcome
  }

  async function sameHeads(): Promise<boolean> {
    for (const auction of replicas) {
      const [here, there] = await Promise.all([damaged.api.show({ auction }), peer.api.show({ auction })])
      if (here.head.hash !== there.head.hash) return false
    }
    return true
  }

  /**
   * Overwrites each page of the file on which one of the lots is described. How rows share pages depends on when what
   * was copied: it is the first lot that shares none with the auctions that are to stay whole.
   */
  function overwrite(lots: readonly number[], whole: readonly string[]): void {
    const bytes = readFileSync(file())
    const pagesOf = (text: string) => {
      const pages = new Set<number>()
      for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1))
        pages.add(Math.floor(at / PAGE_BYTES))
      return pages
    }
    const kept = new Set(whole.flatMap((text) => [...pagesOf(text)]))
    const lot = lots.find((n) => {
      const pages = [...pagesOf(`[lot ${n}]`)]
      return pages.length > 0 && pages.every((page) => !kept.has(page))
    })
    if (lot === undefined) throw new Error('every lot shares a page with what is to stay whole')
    for (const page of pagesOf(`[lot ${lot}]`)) bytes.fill(0xa5, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
    writeFileSync(file(), bytes)
  }

  async function repair(): Promise<{ code: number | null; result: Repaired }> {
    const run = await vendue(home, ['repair', '--name', 'damaged', '--json'])
    return { code: run.code, result: JSON.parse(run.stdout) as Repaired }
  }

  it('is not repaired while it runs, nor where nothing is damaged', async () => {
    const running = await vendue(home, ['repair', '--name', 'damaged'])
    expect(running.code).to.equal(3)
    expect(running.stderr).to.include('in use by another node')
    await damaged.end()
    const before = readFileSync(file())
    const { code, result } = await repair()
    expect({ code, damage: result.damage }).to.deep.equal({ code: 0, damage: null })
    expect(readFileSync(file()).equals(before)).to.equal(true)
    await damaged.start()
  })

  it('refuses to start, is repaired, goes on with its own auctions, and has the others again', async () => {
    await damaged.end()
    overwrite(LOTS, [own])
    const before = readFileSync(file())
    const start = await vendue(home, ['start', '--name', 'damaged', ...FREE_PORTS])
    expect(start.code).to.equal(3)
    expect(start.stderr).to.include(file()).and.include('vendue repair')
    expect(readFileSync(file()).equals(before), 'nothing is repaired silently').to.equal(true)

    const { code, result } = await repair()
    expect(result.saved).to.deep.include({ auctions: [own], events: 4 })
    expect(result.lost.auctions).to.deep.equal([])
    expect(result.lost.commits).to.be.greaterThan(0)
    expect(code).to.equal(result.lost.incomplete.length > 0 ? 1 : 0)
    expect(readFileSync(result.moved_to ?? '').equals(before)).to.equal(true)

    await damaged.start()
    await untilConnected([damaged, peer])
    await eventually('the replicas are back', () => sameHeads(), 20_000)
    expect(readdirSync(join(damaged.dataDir, 'pictures', 'own'))).to.deep.equal([sha256(PICTURE)])
    expect(sha256((await readWhole(damaged.api, sha256(PICTURE))).bytes)).to.equal(sha256(PICTURE))
    // The first outcome is still the only one, and secrets are where they were.
    expect(await bid(3)).to.deep.include({ status: 'accepted', seq: 4 })
    expect(await bid(4)).to.deep.include({ status: 'accepted', seq: 5 })
    await damaged.api.close({ auction: own, commandId: 'cmd_repairclose' })
    const closed = await eventually('the peer knows the end', async () => {
      const { state } = await peer.api.show({ auction: own })
      return state.status === 'closed' ? state : null
    })
    expect(closed.result).to.deep.include({ sold: true, price: 5_000 })
  })

  it('has as its own what was handed to it, and leaves to its peers what it handed on', async () => {
    // Between others, so that no page holds it together with what is to stay whole.
    const others = async (...lots: number[]) => {
      for (const n of lots) replicas.push(await open(peer, n))
      await eventually('they are copied', () => sameHeads())
    }
    await others(41, 42, 43, 44, 45)
    const handedOn = await open(damaged, 50)
    await eventually('the peer knows it', () => peer.api.show({ auction: handedOn }))
    await others(51, 52, 53, 54, 55)
    await damaged.api.handover({ auction: handedOn, peer: 'peer' })
    const handedHere = await open(peer, 60, { reserve: '15' })
    await eventually('it is known', () => damaged.api.show({ auction: handedHere }))
    const bidding = { auction: handedHere, commandId: 'bid_repairmoved', kind: 'max', amount: '30' } as const
    const first = await damaged.api.bid(bidding)
    expect(first.outcome.status).to.equal('accepted')
    await peer.api.handover({ auction: handedHere, peer: 'damaged' })
    await damaged.end()
    await peer.api.bid({ auction: handedOn, commandId: 'bid_repairaway', kind: 'plain', amount: '3' })
    overwrite(LOTS, [own, handedOn, handedHere])
    const { result } = await repair()
    expect(result.saved.auctions).to.have.members([own, handedHere])
    expect(result.lost.auctions).to.deep.equal([])
    replicas.push(handedOn, handedHere)

    await damaged.start()
    await untilConnected([damaged, peer])
    await eventually('the replicas are back', () => sameHeads(), 20_000)
    expect((await damaged.api.show({ auction: handedOn })).homeName).to.equal('peer')
    expect((await damaged.api.show({ auction: handedHere })).homeState).to.equal('self')
    expect((await damaged.api.bid(bidding)).outcome).to.deep.equal(first.outcome)
    await peer.api.close({ auction: handedHere, commandId: 'cmd_repairmoved' })
    const { state } = await damaged.api.show({ auction: handedHere })
    expect(state).to.have.nested.property('result.price', 1_500)
    // It is the node's own from here on: damage that strikes it as well would not bring it back.
    replicas.splice(replicas.indexOf(handedHere), 1)
  })

  describe('and that was restored from an old backup', () => {
    const DONE = 0
    const NOT_HELD = 2
    const UNREACHABLE = 3
    let lots: string[]
    const repairing = (...args: string[]) => vendue(home, ['repair', '--name', 'damaged', ...args])
    /** Of these two: others were lost before. */
    const held = async () => {
      const ids = (await damaged.api.status()).held.map(({ auctionId }) => auctionId)
      return lots.filter((lot) => ids.includes(lot))
    }

    before(async () => {
      lots = [await open(damaged, 71), await open(damaged, 72)]
      await damaged.end()
      const backup = readFileSync(file())
      await damaged.start()
      await untilConnected([damaged, peer])
      for (const [i, auction] of lots.entries())
        await peer.api.bid({ auction, commandId: `bid_repairbackup${i}`, kind: 'plain', amount: '5' })
      await eventually('the peer has the bids', async () => {
        const shown = await Promise.all(lots.map((auction) => peer.api.show({ auction })))
        return shown.every(({ state }) => state.bidCount === 1)
      })
      await damaged.end()
      writeFileSync(file(), backup)
      for (const suffix of ['-wal', '-shm']) rmSync(file() + suffix, { force: true })
    })

    it('is not repaired so while it does not run', async () => {
      const [back, up] = [await repairing('--take-back', 'all'), await repairing('--give-up', lots[0] ?? '')]
      expect([back.code, up.code]).to.deep.equal([UNREACHABLE, UNREACHABLE])
      await damaged.start()
      await untilConnected([damaged, peer])
      await eventually('both auctions are held', async () => (await held()).length === 2)
    })

    it('takes an auction back from its peers by command while it runs, and goes on with it', async () => {
      const [auction = ''] = lots
      const { code, stdout } = await repairing('--take-back', auction, '--json')
      expect(code, stdout).to.equal(DONE)
      expect(await held()).to.deep.equal([lots[1]])
      expect((await damaged.api.show({ auction })).state.bidCount).to.equal(1)
      await peer.api.bid({ auction, commandId: 'bid_repairbackup9', kind: 'plain', amount: '9' })
      expect((await repairing('--take-back', auction)).code, 'it is held no more').to.equal(NOT_HELD)
    })

    it('gives an auction up by command while it runs, and its peers see it', async () => {
      const [other = '', auction = ''] = lots
      const { code, stderr } = await repairing('--give-up', auction, '--reason', 'disk lost')
      expect(code, stderr).to.equal(DONE)
      expect(await held()).to.deep.equal([])
      await eventually('the peer sees it', async () => {
        const { state } = await peer.api.show({ auction })
        return state.status === 'cancelled'
      })
      const refused = await repairing('--give-up', other)
      expect(refused.code).to.equal(NOT_HELD)
      expect(refused.stderr).to.include('not held')
      expect((await peer.api.show({ auction: other })).state.status).to.equal('open')
    })
  })

  it('does not go on with an own auction of which a part is lost, and says so', async () => {
    const second = await open(damaged, 99)
    await eventually('the peer knows it', () => peer.api.show({ auction: second }))
    await damaged.end()
    overwrite([99], [])
    const { code, result } = await repair()
    expect(code).to.equal(1)
    expect(result.lost.auctions.map(({ auction_id }) => auction_id)).to.include(second)
    expect(result.saved.auctions).to.not.include(second)
    await damaged.start()
    await untilConnected([damaged, peer])
    await eventually('the replicas are back', () => sameHeads(), 20_000)
    expect((await peer.api.show({ auction: second })).head.seq).to.equal(1)
    expect(readdirSync(damaged.dataDir).filter((name) => /\.damaged-[^.]*$/.test(name))).to.have.length(3)
  })
})
