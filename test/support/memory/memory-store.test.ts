import { expect } from 'chai'
import { LogBrokenError, LogFullError } from '../../../src/ports/store/event-log.js'
import { codeOf } from '../../contract/store-harness.js'
import { CommitBuilder } from '../commit-builder.js'
import { openMemoryStore } from './memory-store.js'

describe('a memory store that is set to fail', () => {
  it('stores nothing of an append that fails, and goes on', async () => {
    let full = true
    const store = openMemoryStore({
      beforeAppend() {
        if (full) throw new LogFullError()
      },
    })
    const opening = new CommitBuilder().open()
    expect(await codeOf(store.eventLog.append(opening))).to.equal('DISK_FULL')
    expect(await store.eventLog.position()).to.equal(0)
    full = false
    expect(await store.eventLog.append(opening)).to.equal(1)
  })

  it('refuses everything after an I/O error', async () => {
    let broken = true
    const store = openMemoryStore({
      async beforeAppend() {
        if (broken) throw new LogBrokenError()
      },
    })
    const appends = [new CommitBuilder(), new CommitBuilder()].map((one) => store.eventLog.append(one.open()))
    expect(await Promise.all(appends.map(codeOf))).to.deep.equal(['LOG_IO_ERROR', 'LOG_IO_ERROR'])
    expect(await store.broken).to.be.instanceOf(LogBrokenError)
    broken = false
    expect(await codeOf(store.eventLog.append(new CommitBuilder().open()))).to.equal('LOG_IO_ERROR')
    expect(await store.eventLog.position()).to.equal(0)
  })
})
