import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { openAudit, readAudit } from '../../../services/audit/open-audit.js'
import { parseLine } from '../../../src/application/audit/audit-line.js'
import type { AuditTrail } from '../../../src/application/audit/audit-trail.js'
import type { Act } from '../../../src/ports/audit/audit.js'
import type { Logger } from '../../../src/ports/system/logger.js'
import { ManualTime } from '../../support/manual-time.js'
import { silentLogger } from '../../support/silent-logger.js'
import { makeTempDir } from '../../support/temp-dir.js'

const DAY_MS = 86_400_000
const CLOSE: Act = {
  act: 'auction.close',
  via: 'http',
  from: '203.0.113.7',
  who: 'usr_1',
  auction: 'auc_1',
  code: 'ok',
}

describe('the audit record', () => {
  let dir: ReturnType<typeof makeTempDir>
  let time: ManualTime
  const trails: AuditTrail[] = []
  const errors: string[] = []
  const logger: Logger = { ...silentLogger, error: (_, message) => errors.push(message) }

  beforeEach(() => {
    dir = makeTempDir()
    time = new ManualTime()
  })
  afterEach(() => {
    for (const trail of trails.splice(0)) trail.close()
    errors.length = 0
    dir.remove()
  })

  function open(keepMs: number | null = null, clock: ManualTime = time): AuditTrail {
    const { trail } = openAudit(dir.path, { logger, keepMs, clock, timers: clock })
    trails.push(trail)
    return trail
  }

  function reading<T>(read: (record: NonNullable<ReturnType<typeof readAudit>>) => T): T {
    const record = readAudit(dir.path)
    if (record === null) throw new Error('there is no record')
    try {
      return read(record)
    } finally {
      record.close()
    }
  }

  const check = () => reading((record) => record.check())
  const lines = () => reading((record) => record.query({ limit: 1_000 }).lines.map(({ text }) => parseLine(text)))
  const acts = () => lines().map((line) => line?.act)

  function tamper(sql: string): void {
    const db = new Database(join(dir.path, 'audit.db'))
    db.exec(sql)
    db.close()
  }

  /** Three seals, with two acts before each. */
  async function sealed(): Promise<void> {
    const trail = open()
    for (let i = 0; i < 3; i++) {
      trail.record({ ...CLOSE, command: `cmd_${i}a` })
      await time.advance(300)
      trail.record({ ...CLOSE, who: 'usr_2', command: `cmd_${i}b` })
      await time.advance(60_000)
    }
    trail.close()
  }

  it('holds what was done, by whom and from where, and is as it was written', async () => {
    await sealed()
    expect(check()).to.include({ finding: null, lines: 9, seals: 3, unsealed: 0, firstSeq: 1 })
    expect(lines()[0]).to.include({ act: 'auction.close', via: 'http', from: '203.0.113.7', who: 'usr_1', code: 'ok' })
    expect(lines()[0]?.commands).to.deep.equal(['cmd_0a'])
  })

  for (const [what, sql, fault, line] of [
    [
      'a line that was changed',
      "UPDATE lines SET text = replace(text, 'usr_2', 'usr_9') WHERE seq = 5",
      'LINE_CHANGED',
      5,
    ],
    ['a line that was cut out', 'DELETE FROM lines WHERE seq = 4', 'LINE_MISSING', 4],
    [
      'a cut that was closed again',
      'DELETE FROM lines WHERE seq = 4; UPDATE lines SET seq = seq - 1 WHERE seq > 4',
      'LINE_CHANGED',
      4,
    ],
    [
      'two lines that changed places',
      'UPDATE lines SET seq = -1 WHERE seq = 1; UPDATE lines SET seq = 1 WHERE seq = 2; UPDATE lines SET seq = 2 WHERE seq = -1',
      'LINE_CHANGED',
      1,
    ],
    ['lines that were cut off the start', 'DELETE FROM lines WHERE seq < 3', 'START_CUT', 3],
    ['lines and seals that were cut off the end', 'DELETE FROM lines WHERE seq > 6', 'END_CUT', 7],
    ['a line that is none', "UPDATE lines SET text = 'x' WHERE seq = 2", 'LINE_UNREADABLE', 2],
  ] as const)
    it(`finds ${what}, and says where`, async () => {
      await sealed()
      tamper(sql)
      expect(check().finding).to.include({ fault, seq: line })
    })

  it('finds a line that was changed together with all hashes after it, by the seal', async () => {
    await sealed()
    const { hashAfter } = await import('../../../src/application/audit/audit-line.js')
    const db = new Database(join(dir.path, 'audit.db'))
    const rows = db.prepare('SELECT seq, text FROM lines ORDER BY seq').all() as { seq: number; text: string }[]
    let hash = '0'.repeat(64)
    for (const { seq, text } of rows) {
      const made = seq === 4 ? text.replace('usr_1', 'usr_9') : text
      hash = hashAfter(hash, made)
      db.prepare('UPDATE lines SET text = ?, hash = ? WHERE seq = ?').run(made, hash, seq)
    }
    db.close()
    expect(check().finding).to.include({ fault: 'SEAL_WRONG', seq: 6 })
  })

  it('finds a seal by another key than that of the node', async () => {
    await sealed()
    rmSync(join(dir.path, 'audit.key'))
    open().close()
    expect(check().finding).to.include({ fault: 'SEAL_OF_ANOTHER', seq: 3 })
  })

  it('says of a file that is missing altogether that it was sealed', async () => {
    await sealed()
    for (const name of readdirSync(dir.path)) if (name.startsWith('audit.db')) rmSync(join(dir.path, name))
    expect(() => readAudit(dir.path)).to.throw('is missing')
  })

  it('gathers the bids of one sender into a line with their ids, and leaves none out', async () => {
    const trail = open()
    for (let i = 0; i < 450; i++)
      trail.record({
        act: 'bid',
        via: 'ws',
        from: '203.0.113.7',
        who: 'usr_1',
        auction: 'auc_1',
        command: `bid_${i}`,
        code: 'ok',
      })
    await time.advance(300)
    const bids = lines()
    expect(bids).to.have.length(3)
    expect(bids.flatMap((line) => line?.commands ?? [])).to.have.length(450)
    expect(bids.reduce((sum, line) => sum + (line?.count ?? 1), 0)).to.equal(450)
  })

  it('counts refusals that repeat, writes the first at once, and the others with the seal', async () => {
    const trail = open()
    const refusal: Act = { act: 'account.log-in', via: 'http', from: '203.0.113.7', who: null, code: 'LOGIN_FAILED' }
    for (let second = 0; second < 50; second++) {
      for (let i = 0; i < 20; i++) trail.record(refusal)
      await time.advance(1_000)
    }
    expect(lines().map((line) => line?.count ?? 1)).to.deep.equal([1])
    await time.advance(11_000)
    expect(
      lines()
        .filter((line) => line?.act === 'account.log-in')
        .map((line) => line?.count ?? 1),
    ).to.deep.equal([1, 999])
  })

  it('stays small under a flood from many addresses', async () => {
    const trail = open()
    for (let i = 0; i < 30_000; i++)
      trail.record({
        act: 'account.log-in',
        via: 'http',
        from: `2001:db8::${i.toString(16)}`,
        who: null,
        code: 'LOGIN_FAILED',
      })
    await time.advance(61_000)
    expect(check().lines).to.be.lessThan(2_010)
    const counted = reading((record) => {
      let sum = 0
      for (let afterSeq = 0; ; ) {
        const page = record.query({ afterSeq, limit: 1_000 })
        for (const { text } of page.lines)
          sum += parseLine(text)?.act === 'account.log-in' ? (parseLine(text)?.count ?? 1) : 0
        if (page.next === null) return sum
        afterSeq = page.next
      }
    })
    expect(counted).to.equal(30_000)
  })

  it('removes whole sealed segments when they are too old, and what is left can be verified', async () => {
    const trail = open(10 * DAY_MS)
    for (let day = 0; day < 20; day++) {
      trail.record({ ...CLOSE, command: `cmd_day${day}` })
      await time.advance(DAY_MS)
    }
    await time.advance(120_000)
    trail.close()
    const { finding, firstSeq } = check()
    expect(finding).to.equal(null)
    expect(firstSeq).to.be.greaterThan(10)
    expect(acts()[0]).to.equal('audit.seal')
    expect(
      lines()
        .flatMap((line) => line?.commands ?? [])
        .includes('cmd_day19'),
    ).to.equal(true)
    tamper(`DELETE FROM lines WHERE seq = ${firstSeq}`)
    expect(check().finding?.fault).to.equal('START_CUT')
  })

  it('says when the clock was set back, and finds nothing wrong in that', async () => {
    await sealed()
    const before = new ManualTime(time.now() - DAY_MS)
    const trail = open(null, before)
    trail.record(CLOSE)
    trail.close()
    const { finding, notes } = check()
    expect(finding).to.equal(null)
    expect(notes.join()).to.include('the clock was set back')
  })

  it('is one chain where two processes write to it', async () => {
    const [one, two] = [open(), open()]
    for (let i = 0; i < 20; i++) {
      one.record({ ...CLOSE, command: `cmd_one${i}` })
      two.record({ ...CLOSE, who: 'usr_2', command: `cmd_two${i}` })
      await time.advance(300)
    }
    one.close()
    two.close()
    expect(check()).to.include({ finding: null, unsealed: 0 })
    expect(lines().flatMap((line) => line?.commands ?? [])).to.have.length(40)
  })

  it('waits while another process writes, without a word, and loses nothing', async () => {
    const trail = open()
    const db = new Database(join(dir.path, 'audit.db'))
    db.exec('BEGIN IMMEDIATE')
    trail.record(CLOSE)
    await time.advance(2_000)
    expect(trail.waiting).to.equal(1)
    db.exec('ROLLBACK')
    db.close()
    await time.advance(500)
    expect(acts()).to.deep.equal(['auction.close'])
    expect(errors).to.deep.equal([])
  })

  it('says once that the disk is full, stops nobody, and goes on when there is room', async () => {
    const { trail, store } = openAudit(dir.path, { logger, keepMs: null, clock: time, timers: time })
    trails.push(trail)
    let isFull = true
    const append = store.append.bind(store)
    store.append = (make) => {
      if (isFull) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
      return append(make)
    }
    for (let i = 0; i < 25_000; i++) trail.record({ ...CLOSE, who: `usr_${i}` })
    await time.advance(130_000)
    expect(errors).to.deep.equal(['the audit record cannot be written; acts wait, and nobody else does'])
    isFull = false
    await time.advance(61_000)
    trail.close()
    const { finding, notes } = check()
    expect(finding).to.equal(null)
    expect(notes.join()).to.include('5000 acts could not be written')
  })

  it('sets a damaged file aside, begins anew, and says so for good', async () => {
    await sealed()
    for (const name of readdirSync(dir.path)) if (/^audit\.db-/.test(name)) rmSync(join(dir.path, name))
    writeFileSync(join(dir.path, 'audit.db'), 'x'.repeat(8_192))
    const trail = open()
    trail.record(CLOSE)
    trail.close()
    expect(errors.join()).to.include('begins anew')
    expect(readdirSync(dir.path).some((name) => name.startsWith('audit.db.damaged-'))).to.equal(true)
    const { finding, notes } = check()
    expect(finding).to.equal(null)
    expect(notes.join()).to.include('begins anew')
  })

  it('refuses a file that it may not write to, with what to do', () => {
    mkdirSync(join(dir.path, 'audit.db'))
    expect(() => open()).to.throw('check its owner and permissions')
  })

  it('is found cut where an older copy of it was put back', async () => {
    await sealed()
    copyFileSync(join(dir.path, 'audit.db'), join(dir.path, 'copy'))
    const trail = open()
    trail.record(CLOSE)
    trail.close()
    for (const name of readdirSync(dir.path)) if (/^audit\.db/.test(name)) rmSync(join(dir.path, name))
    copyFileSync(join(dir.path, 'copy'), join(dir.path, 'audit.db'))
    expect(existsSync(join(dir.path, 'audit.seal'))).to.equal(true)
    expect(check().finding?.fault).to.equal('END_CUT')
  })
})
