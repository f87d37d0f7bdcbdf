import { expect } from 'chai'
import type { ClusterStatus } from '../../../../src/ports/node/cluster-status.js'
import { ALICE, BOB, CAROL, MINUTE, T0 } from '../../../support/auction-scenario.js'
import { CliHarness } from '../support/cli-harness.js'
import { SELF } from '../support/fake-node-api.js'

const PIC1 = { title: 'Pic#1', currency: 'USDT', start: '75', increment: '0.5' }
const bid = (auction: string, commandId: string, amount: string, kind: 'plain' | 'max' = 'plain') => ({
  auction,
  commandId,
  amount,
  kind,
})

describe('what commands print', () => {
  let cli: CliHarness

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
  })
  afterEach(() => cli.dispose())

  it('open: what was opened, what comes next, and a receipt', async () => {
    const { stdout } = await cli.run(['open', 'Pic#1', '--start', '75', '--currency', 'usdt', '--id', 'cmd_12345678'])
    expect(stdout).to.equal(
      [
        'Opened Pic#1 (auc_7k2m) at 75.00 USDT, until you close it.',
        'next: others bid with `vendue bid auc_7k2m AMOUNT`; you close it with `vendue close auc_7k2m`',
        'receipt: seq 1 at 2030-01-01T12:00:00.000Z, cmd_12345678',
        '',
      ].join('\n'),
    )
  })

  it('open: passes every term on', async () => {
    const terms =
      '--start 75 --currency USDT --reserve 90 --increment 0.5 --buy-now 200 --opens-at +5m --closes-in 1h --soft-close 30s/1m --hard-stop +10m --description old'
    expect((await cli.run(['open', 'Pic #1', ...terms.split(' ')])).code).to.equal(0)
    const [call] = cli.api.calls
    const { commandId, ...request } = (call as { request: { commandId: string } }).request
    expect(commandId).to.match(/^cmd_/)
    expect(request).to.deep.equal({
      title: 'Pic #1',
      description: 'old',
      currency: 'USDT',
      start: '75',
      reserve: '90',
      increment: '0.5',
      buyNow: '200',
      opensInMs: 5 * MINUTE,
      closesInMs: 60 * MINUTE,
      softClose: { windowMs: 30_000, extensionMs: 60_000 },
      hardStopInMs: 10 * MINUTE,
    })
  })

  it('bid: the new standing', async () => {
    cli.api.openAs(BOB, { ...PIC1, closesAt: T0 + 9 * MINUTE })
    const { stdout } = await cli.line('bid 7k2m 75 --id bid_12345678')
    expect(stdout).to.equal(
      [
        'You lead Pic#1 (auc_7k2m) at 75.00 USDT.',
        'ends 13:09:00 CET (in 9 min)',
        'receipt: seq 2 at 2030-01-01T12:00:00.000Z, bid_12345678',
        '',
      ].join('\n'),
    )
  })

  it('bid: sends each kind of bid as what it is', async () => {
    cli.api.openAs(BOB, { ...PIC1, buyNow: '200' })
    await cli.line('bid 7k2m 80')
    await cli.line('bid 7k2m --max 90')
    await cli.line('bid 7k2m --up-to 95')
    await cli.line('bid 7k2m --buy-now')
    const sent = cli.api.calls.filter(({ method }) => ['bid', 'autoBid', 'buyNow'].includes(method))
    expect(sent.map(({ method, request }) => ({ method, ...(request as object), commandId: '' }))).to.deep.equal([
      { method: 'bid', auction: '7k2m', kind: 'plain', amount: '80', commandId: '' },
      { method: 'bid', auction: '7k2m', kind: 'max', amount: '90', commandId: '' },
      { method: 'autoBid', auction: '7k2m', limit: '95', commandId: '' },
      { method: 'buyNow', auction: '7k2m', commandId: '' },
    ])
  })

  it('bid: says where the leader answered at once', async () => {
    cli.api.openAs(BOB, PIC1)
    cli.api.bidAs(CAROL, bid('7k2m', 'bid_carol', '100', 'max'))
    const { stdout, code } = await cli.line('bid 7k2m 80')
    expect(stdout).to.contain('Outbid at once on Pic#1 (auc_7k2m)').and.contain('The price is 80.50 USDT now.')
    expect(stdout).to.contain('next: `vendue bid auc_7k2m 81.00`')
    expect(code).to.equal(0)
  })

  it('bid: names the option whose amount is wrong', async () => {
    cli.api.openAs(BOB, PIC1)
    for (const [words, option] of [
      ['bid 7k2m 1e3', 'AMOUNT'],
      ['bid 7k2m -5', 'AMOUNT'],
      ['bid 7k2m --max NaN', '--max'],
      ['bid 7k2m --up-to x', '--up-to'],
    ] as const) {
      const { stderr, code } = await cli.line(words)
      expect(stderr, words).to.contain(`vendue bid: ${option} "`).and.contain('next: ')
      expect(code).to.equal(2)
    }
  })

  it('a rejection: code, sentence, what to do, and the very command', async () => {
    cli.api.openAs(BOB, PIC1)
    cli.api.bidAs(CAROL, bid('7k2m', 'bid_carol', '75'))
    const { stdout, stderr, code } = await cli.line('bid 7k2m 75.2 --name main')
    expect(stdout).to.equal('')
    expect(stderr).to.equal(
      [
        'BID_TOO_LOW: The price is 75.00 USDT, and the next bid must be at least 75.50 USDT.',
        'next: Bid 75.50 USDT or more.',
        '      vendue bid auc_7k2m 75.50 --name main',
        '',
      ].join('\n'),
    )
    expect(code).to.equal(1)
  })

  it('a rejection for programs: the outcome, with amounts and currency', async () => {
    cli.api.openAs(BOB, PIC1)
    const { stdout, stderr, code } = await cli.line('bid 7k2m 70 --json')
    const { status, rejection, auction } = JSON.parse(stdout)
    expect(status).to.equal('rejected')
    expect(rejection).to.deep.equal({
      code: 'BID_TOO_LOW',
      message: 'The first bid must be at least 75.00 USDT.',
      next: 'Bid 75.00 USDT or more.',
      minimum: '75.00',
      price: null,
      currency: 'USDT',
    })
    expect(auction).to.include({ status: 'open', price: null, minimum: '75.00', currency: 'USDT', you: null })
    expect(stderr).to.equal('')
    expect(code).to.equal(1)
  })

  it('close: the winner, in the reply', async () => {
    cli.api.openAs(SELF, PIC1)
    cli.api.bidAs(BOB, bid('7k2m', 'bid_bob', '80'))
    expect((await cli.line('close 7k2m')).stdout).to.contain('Closed Pic#1 (auc_7k2m): won by Bob at 80.00 USDT.\n')
  })

  it('cancel and extend: what was done', async () => {
    await cli.line('open Pic#1 --start 75 --currency USDT --closes-in 10m')
    expect((await cli.line('extend 7k2m --by 10m')).stdout).to.contain(
      'Extended Pic#1 (auc_7k2m): it ends 13:20:00 CET (in 20 min).',
    )
    const cancelled = await cli.run(['cancel', '7k2m', '--reason', 'broken in transport'])
    expect(cancelled.stdout).to.contain('Cancelled Pic#1 (auc_7k2m): broken in transport.')
  })

  it('list: an aligned table with short ids, standing and end', async () => {
    cli.api.openAs(BOB, { ...PIC1, closesAt: T0 + 9 * MINUTE })
    cli.api.openAs(SELF, { title: 'A vase \u200bred', currency: 'USD', start: '5' })
    cli.api.bidAs(SELF, bid('7k2m', 'bid_self', '80'))
    const { stdout } = await cli.line('list')
    expect(stdout).to.equal(
      [
        'ID        TITLE             STATUS       PRICE  BIDS  LEADER  SELLER  ENDS                     YOU',
        'auc_7k2n  A vase \\u200bred  open      5.00 USD     0          alice                            seller',
        'auc_7k2m  Pic#1             open    80.00 USDT     1  alice   Bob     13:09:00 CET (in 9 min)  winning',
        '',
      ].join('\n'),
    )
  })

  it('list: filters, limits, and says where there is more', async () => {
    for (const title of ['Map', 'Vase', 'Old map']) cli.api.openAs(BOB, { ...PIC1, title })
    const some = await cli.line('list --limit 2')
    expect(some.stdout).to.contain('auc_7k2n00').and.contain('there are more')
    expect((await cli.line('list --search map --status open')).stdout.split('\n')).to.have.length(4)
    const all = JSON.parse((await cli.line('list --all --json')).stdout)
    expect(all.auctions.map(({ title }: { title: string }) => title)).to.deep.equal(['Old map', 'Vase', 'Map'])
    expect(all.more).to.equal(false)
    expect((await cli.line('list --search nothing')).stdout).to.equal('No auction is like that.\n')
  })

  it('list: says how to begin where there is nothing', async () => {
    expect((await cli.line('list')).stdout).to.contain('No auctions yet. Open one: vendue open TITLE')
  })

  it('show: everything about one auction, with the description made harmless', async () => {
    cli.api.openAs(BOB, {
      ...PIC1,
      description: 'two\nlines\u200b',
      reserve: '90',
      closesAt: T0 + 9 * MINUTE,
      softClose: { windowMs: 30_000, extensionMs: 60_000 },
    })
    cli.api.bidAs(ALICE, bid('7k2m', 'bid_alice', '80'))
    expect((await cli.line('show 7k2m')).stdout).to.equal(
      [
        'Pic#1  auc_7k2m',
        '  id          auc_7k2m0000000000000000000000',
        '  status      open',
        '  seller      Bob',
        '  price       80.00 USDT, 1 bid, led by Alice',
        '  next bid    80.50 USDT or more',
        '  reserve     not met yet',
        '  ends        13:09:00 CET (in 9 min)',
        '  soft close  a bid in the last 30 s moves the end to 1 min after it',
        '  increments  0.50 USDT',
        '  home        Bob (alive), node_bob',
        '  log         seq 2, head abababababababab',
        '',
        'two',
        'lines\\u200b',
        '',
      ].join('\n'),
    )
  })

  it('show: the pseudonym that has won, and how to learn whose it is, to the seller alone', async () => {
    const hidden = { id: 'anon_7k2m9x4c0h3t5v8w2d6f0g1j3k', name: 'Bidder 7K2M' }
    for (const [seller, winner, shown] of [
      [SELF, hidden, true],
      [BOB, hidden, false],
      [SELF, ALICE, false],
    ] as const) {
      const { outcome } = cli.api.openAs(seller, { ...PIC1, bidderNames: 'pseudonyms' })
      const { auctionId: auction } = outcome
      const asked = () => cli.line(`show ${auction}`)
      cli.api.bidAs(winner, bid(auction, `bid_${auction}`, '80'))
      expect((await asked()).stdout, 'while it is open').not.to.contain('winner ')
      cli.api.closeAs(seller, { auction, commandId: `cmd_${auction}` })
      const { stdout } = await asked()
      if (shown) expect(stdout).to.match(new RegExp(`winner +${hidden.id}; .*vendue user who`))
      else expect(stdout).not.to.contain('winner ')
    }
  })

  it('show: as JSON, one document with decimal amounts and UTC times', async () => {
    cli.api.openAs(BOB, { ...PIC1, reserve: '90', buyNow: '200', closesAt: T0 + 9 * MINUTE })
    cli.api.bidAs(ALICE, bid('7k2m', 'bid_alice', '80'))
    const { stdout } = await cli.line('show 7k2m --json')
    expect(JSON.parse(stdout)).to.deep.equal({
      auction_id: 'auc_7k2m0000000000000000000000',
      seq: 2,
      sync: {
        state: 'synced',
        since: '2030-01-01T12:00:00.000Z',
        done: 12,
        total: 12,
        events_per_second: 0,
        ms_left: null,
        refused: 0,
        refused_auctions: [],
        doubted_auctions: [],
      },
      hash: 'ab'.repeat(32),
      status: 'open',
      title: 'Pic#1',
      description: '',
      disputed: false,
      currency: 'USDT',
      start_price: '75.00',
      price: '80.00',
      minimum: '80.50',
      leader: { id: 'node_alice', name: 'Alice' },
      bid_count: 1,
      has_reserve: true,
      reserve_met: false,
      buy_now: '200.00',
      bidder_names: 'public',
      gives_time_back: true,
      pictures: [],
      buy_now_available: true,
      increments: [{ from: '0.00', step: '0.50' }],
      seller: { id: 'node_bob', name: 'Bob' },
      home: { node_id: 'node_bob', name: 'Bob', public_key: 'key', state: 'alive', in_cluster: false },
      maxima_lost_since: null,
      opened_at: '2030-01-01T12:00:00.000Z',
      opens_at: null,
      closes_at: '2030-01-01T12:09:00.000Z',
      soft_close: null,
      closed_at: null,
      closed_by: null,
      result: null,
      cancelled_at: null,
      cancelled_by: null,
      cancel_reason: null,
      you: null,
      auto_bid: null,
    })
    expect(stdout).not.to.contain('reserve_amount')
  })

  it('history: bids newest first, secret ones without their amount', async () => {
    cli.api.openAs(BOB, PIC1)
    cli.api.bidAs(ALICE, bid('7k2m', 'bid_1', '75'))
    cli.api.bidAs(CAROL, bid('7k2m', 'bid_2', '90', 'max'))
    cli.api.bidAs(ALICE, bid('7k2m', 'bid_3', '80'))
    expect((await cli.line('history 7k2m')).stdout).to.equal(
      [
        'Pic#1 (auc_7k2m)',
        'SEQ  TIME          BIDDER           BID  PRICE AFTER',
        '  4  13:00:00 CET  Alice     80.00 USDT   80.50 USDT  did not lead',
        '  3  13:00:00 CET  Carol   max (secret)   75.50 USDT',
        '  2  13:00:00 CET  Alice     75.00 USDT   75.00 USDT',
        '',
      ].join('\n'),
    )
    const { bids, more } = JSON.parse((await cli.line('history 7k2m --limit 2 --json')).stdout)
    expect(bids.map(({ seq, amount }: { seq: number; amount: string | null }) => [seq, amount])).to.deep.equal([
      [4, '80.00'],
      [3, null],
    ])
    expect(more).to.equal(true)
    expect((await cli.line('history 7k2m --before 3')).stdout)
      .to.contain('75.00 USDT')
      .and.not.contain('secret')
  })

  it('status and peers: addresses, states, and names made harmless', async () => {
    const { stdout } = await cli.line('status')
    expect(stdout)
      .to.contain('grape     http://127.0.0.1:30001 (connected)')
      .and.contain('up        1 min 5 s, process 42')
    const peer = {
      nodeId: 'node_bob',
      publicKey: 'k',
      version: '1',
      address: '127.0.0.1:1',
      dhtAddress: null,
      incarnation: T0,
    }
    cli.api.peerList = [{ ...peer, name: 'b\u001bb', state: 'alive', lastSeenAt: T0 - 3_000, roundTripMs: 1.25 }]
    expect((await cli.line('peers')).stdout).to.equal(
      [
        'NAME    STATE  ADDRESS      LAST SEEN  ROUND TRIP  VERSION  NODE',
        'b\\x1bb  alive  127.0.0.1:1  3 s ago        1.3 ms  1        node_bob',
        '',
      ].join('\n'),
    )
    expect(JSON.parse((await cli.line('peers --json')).stdout).peers[0]).to.include({
      last_seen_at: '2030-01-01T11:59:57.000Z',
      round_trip_ms: 1.25,
    })
  })

  it('status: the cluster, its log, and since when and why that does not answer', async () => {
    const cluster: ClusterStatus = {
      cluster: 'key',
      log: { connectedTo: 'db1:5432', outage: null },
      nodes: [
        { nodeId: 'node_a', name: 'ann', address: '127.0.0.1:1', state: 'alive', beatAgeMs: 400 },
        { nodeId: 'node_b', name: 'b\u001bn', address: '127.0.0.1:2', state: 'dead', beatAgeMs: 7_000 },
        { nodeId: 'node_c', name: 'cid', address: '', state: 'left', beatAgeMs: null },
      ],
      takeovers: [{ auctionId: 'auc_1', at: T0, from: { nodeId: 'node_b', name: 'b\u001bn' }, why: 'no beat for 3 s' }],
      takenOver: 1,
      disputed: [],
      healed: 2,
    }
    expect((await cli.line('status')).stdout).not.to.contain('cluster')
    cli.api.cluster = cluster
    const { stdout } = await cli.line('status')
    expect(stdout)
      .to.contain('cluster     1 of 2 nodes alive, took over 1, put back 2 commits\n')
      .and.contain('shared log  db1:5432\n')
    const json = JSON.parse((await cli.line('status --json')).stdout)
    expect(json.cluster.nodes[1]).to.include({ name: 'b\u001bn', state: 'dead', beat_age_ms: 7_000 })
    expect(json.cluster.takeovers[0]).to.include({ auction_id: 'auc_1', at: '2030-01-01T12:00:00.000Z' })
    expect(json.cluster.log).to.deep.equal({ connected_to: 'db1:5432', outage: null })
    const outage = { since: T0, code: 'LOG_UNREACHABLE', why: 'db1\u001b is away' }
    cli.api.cluster = { ...cluster, log: { connectedTo: null, outage } }
    expect((await cli.line('status')).stdout).to.contain(
      'shared log  LOG_UNREACHABLE since 2030-01-01T12:00:00.000Z: db1\\x1b is away. Nothing is acknowledged meanwhile',
    )
  })

  it('status, list and show: how far a sync is, while what they show may be behind', async () => {
    cli.api.openAs(BOB, PIC1)
    const progress = { done: 40_000, total: 1_000_000, eventsPerSecond: 110_000, msLeft: 8_700 }
    cli.api.sync = { ...cli.api.sync, ...progress, state: 'syncing' }
    const said = 'syncing, 40,000 of 1,000,000 events, 110,000/s, 9 s left'
    expect((await cli.line('status')).stdout).to.contain(`sync      ${said}`)
    for (const command of ['list', 'show 7k2m']) {
      expect((await cli.line(command)).stdout).to.contain(`${said}: what is shown may lack the latest\n`)
      const { sync } = JSON.parse((await cli.line(`${command} --json`)).stdout)
      expect(sync).to.include({ state: 'syncing', done: 40_000, total: 1_000_000, ms_left: 8_700 })
    }
    cli.api.sync = { ...cli.api.sync, state: 'synced' }
    expect((await cli.line('list')).stdout).not.to.contain('sync')
  })

  it('status: which auctions cannot go on, whose fault it is, and what peers refuse of this node', async () => {
    cli.api.openAs(BOB, PIC1)
    const refused = {
      auctionId: 'auc_1',
      seq: 3,
      reason: 'a reason is too long\u001b[2J',
      home: 'node_carol',
    }
    cli.api.sync = {
      ...cli.api.sync,
      state: 'incomplete',
      refusedAuctions: [{ ...refused, homeName: 'carol' }],
      doubtedAuctions: [{ auctionId: 'auc_2', seq: 7, reason: 'it is dated ahead', peers: ['bob', 'dave'] }],
    }
    const { stdout } = await cli.line('status')
    expect(stdout).to.contain('sync      incomplete: 1 auction cannot go on here\n')
    expect(stdout).to.contain(
      'auc_1 from event 3 on: a reason is too long\\x1b[2J; signed by its home, carol (node_carol)',
    )
    expect(stdout).to.contain('auc_2 of this node, from event 7 on, by bob, dave: it is dated ahead')
    expect((await cli.line('list')).stdout).to.contain('what is shown may lack the latest')
    const { sync } = JSON.parse((await cli.line('status --json')).stdout)
    expect(sync.refused_auctions[0].home).to.deep.equal({ node_id: 'node_carol', name: 'carol' })
    expect(sync.doubted_auctions[0].peers).to.deep.equal(['bob', 'dave'])
  })

  it('autobids: what the node bids on, and how to stop it', async () => {
    cli.api.openAs(BOB, PIC1)
    expect((await cli.line('autobids')).stdout).to.equal('Your node bids on nothing for you.\n')
    await cli.line('bid 7k2m --up-to 95')
    expect((await cli.line('autobids')).stdout).to.contain('95.00 USDT  active')
    expect((await cli.line('autobid-stop 7k2m')).stdout).to.contain('no longer bids on Pic#1')
  })

  it('has colours on a terminal only, and never against the user’s word', async () => {
    cli.api.openAs(BOB, PIC1)
    const { stdout, stderr } = await cli.line('bid 7k2m 75')
    expect(stdout + stderr).not.to.contain('\u001b')
  })
})
