import { expect } from 'chai'
import { shownNodeSettings, startActs } from '../../../services/audit/node-acts.js'
import { parseDatabaseAddress } from '../../../src/adapters/system/database-address.js'
import { loadSettings, nodeSettings } from '../../../src/adapters/system/settings.js'
import { makeTempDir } from '../../support/temp-dir.js'

describe('the line of a start', () => {
  const dir = makeTempDir()
  after(() => dir.remove())

  const settings = (flags: Record<string, string> = {}) =>
    nodeSettings(loadSettings({ flags, env: { VENDUE_HOME: dir.path } }))
  const none = { lastStart: () => null }

  it('holds the settings, and no password of a database', () => {
    const url = 'postgres://vendue:marked-secret@db.example/auctions'
    const database = parseDatabaseAddress(url)
    const given = { ...settings({ shared_log: url }), consumers: { analytics: true, database } }
    const [started] = startActs('node.start', shownNodeSettings(given), none)
    expect(started?.about).to.include('db.example').and.to.include('"meshNamed"')
    expect(started?.about).to.not.include('marked-secret')
  })

  it('is followed by what is another than at the start before', () => {
    const [before] = startActs('node.start', shownNodeSettings(settings()), none)
    const line = {
      seq: 1,
      at: 1,
      act: 'node.start',
      via: 'node',
      who: null,
      from: null,
      code: 'ok',
      about: before?.about,
    }
    const lastStart = () => ({ seq: 1, hash: '', text: JSON.stringify(line) })
    expect(startActs('node.start', shownNodeSettings(settings()), { lastStart })).to.have.length(1)
    const changed = startActs('node.start', shownNodeSettings(settings({ mesh: 'fair' })), { lastStart })[1]
    expect(changed?.act).to.equal('settings.changed')
    expect(changed?.about).to.include('mesh: "local" -> "fair"')
  })
})
