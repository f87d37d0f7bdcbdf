import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { openStore } from '../../../src/adapters/sqlite/open-store.js'
import { CommitBuilder } from '../../support/commit-builder.js'

// A process to be killed: appends to several auctions at once, and says so after each acknowledgement. Arguments: data
// directory, bids per commit, how synchronous (FULL). Ends by itself only when the log refuses, telling how.

const AUCTIONS = 6
async function appendUntilRefused(dataDir: string, bidsPerCommit = '1', synchronous = 'FULL'): Promise<void> {
  const store = await openStore(dataDir, {
    test: { synchronous: synchronous === 'NORMAL' ? 'NORMAL' : 'FULL' },
  })

  async function appendForever(auction: CommitBuilder): Promise<never> {
    for (let entry = auction.open(); ; entry = auction.bids(Number(bidsPerCommit))) {
      const position = await store.eventLog.append(entry)
      const { auctionId, lastSeq, hash } = entry.commit
      process.stdout.write(`ack ${position} ${auctionId} ${lastSeq} ${hash}\n`)
    }
  }

  const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error)
  const auctions = Array.from({ length: AUCTIONS }, () => new CommitBuilder({ tag: randomUUID() }))
  const ends = await Promise.allSettled(auctions.map(appendForever))
  for (const end of ends) if (end.status === 'rejected') process.stdout.write(`refused ${codeOf(end.reason)}\n`)
  process.stdout.write(`broken ${(await store.broken).code}\n`)
  const again = await store.eventLog
    .append(new CommitBuilder({ tag: randomUUID() }).open())
    .then(() => 'RESOLVED', codeOf)
  process.stdout.write(`again ${again}\n`)
  await store.close()
}

// Only as a program of its own: whoever loads all files below test/ has other arguments, which name no directory.
const [, program, dataDir, bidsPerCommit, synchronous] = process.argv
if (program === fileURLToPath(import.meta.url)) {
  if (dataDir === undefined) throw new Error('name a data directory')
  await appendUntilRefused(dataDir, bidsPerCommit, synchronous)
}
