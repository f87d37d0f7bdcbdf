import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Ed25519Verifier } from '../src/adapters/system/node-key.js'
import { ThreadMandateChecker } from '../src/adapters/system/thread-mandate-checker.js'
import { readExport } from '../src/application/proof/export-format.js'
import { verifyLog } from '../src/application/proof/verify-log.js'
import { LongAuction } from '../test/support/long-auction.js'
import type { BenchRun } from './bench-result.js'

const BIDS = Number(process.env.VENDUE_BENCH_BIDS ?? 1_000_000)
const BIDS_PER_COMMIT = 256
const ROUNDS = 3
const TARGET_EVENTS_PER_S = 200_000
const READ_BYTES = 1024 * 1024

/**
 * How many events a second `vendue verify` proves, from a file: an auction of a million bids, two in ten of them
 * maxima that are committed to and opened at the end, with a reserve. Every check but the older signatures, then
 * with all of them. It is written by another process than this one, and verified once more by `vendue verify` in one of
 * its own, whose memory is that of the command alone.
 */
export async function* run(): BenchRun {
  const directory = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  try {
    const file = join(directory, 'auction.vendue')
    yield 'writing the export'
    await writtenElsewhere(file)
    yield 'checking it'
    const command = await verifyCommand(file)
    const { bytes, rates, events } = await measure(file, false)
    const all = await measure(file, true, 1)
    yield {
      name: 'verify an export of a million bids',
      unit: 'events/s',
      value: median(rates),
      figures: {
        slowest_events_per_s: Math.round(Math.min(...rates)),
        with_all_signatures_events_per_s: median(all.rates),
        events,
        file_mb: Math.round(bytes / 1e6),
        peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
      },
      target: { atLeast: TARGET_EVENTS_PER_S },
    }
    yield {
      name: 'memory of `vendue verify`, a million bids',
      unit: 'MB, peak',
      value: command.peakMb,
      figures: { seconds_with_start: command.seconds, events: command.events },
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function writtenElsewhere(file: string): Promise<void> {
  await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), file])
}

/** The command as a user runs it, its memory as the system counts it. */
async function verifyCommand(file: string): Promise<{ peakMb: number; seconds: number; events: number }> {
  const program = fileURLToPath(new URL('../bin/vendue.js', import.meta.url))
  const peak = fileURLToPath(new URL('./peak-memory.js', import.meta.url))
  const startedAt = performance.now()
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    ...['--import', peak, program, 'verify', file, '--json'],
  ])
  const seconds = (performance.now() - startedAt) / 1_000
  const { valid, events } = JSON.parse(stdout) as { valid: boolean; events: number }
  const kilobytes = Number(/^peak rss (\d+) kB$/m.exec(stderr)?.[1])
  if (!valid || !(kilobytes > 0)) throw new Error(`verify did not end as it should: ${stdout}${stderr}`)
  return { peakMb: Math.round(kilobytes / 1_024), seconds, events }
}

async function write(file: string): Promise<void> {
  const out = createWriteStream(file)
  for (const line of new LongAuction({ bids: BIDS, bidsPerCommit: BIDS_PER_COMMIT }).lines()) {
    if (!out.write(line)) await once(out, 'drain')
  }
  out.end()
  await finished(out)
}

async function measure(file: string, allSignatures: boolean, rounds = ROUNDS) {
  const verifier = new Ed25519Verifier()
  const mandateChecker = new ThreadMandateChecker()
  const rates: number[] = []
  let events = 0
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    const chunks = createReadStream(file, { highWaterMark: READ_BYTES })
    const result = await verifyLog(readExport(chunks), { verifier, mandateChecker }, { allSignatures })
    if (!result.valid) throw new Error(`a sound log was refused: ${JSON.stringify(result.finding)}`)
    if (result.summary.decision !== 'rerun') throw new Error('the decision was not run again')
    events = result.summary.events
    rates.push((events / (performance.now() - startedAt)) * 1_000)
  }
  await mandateChecker.close()
  return { rates, events, bytes: statSync(file).size }
}

function median(rates: readonly number[]): number {
  return Math.round([...rates].sort((a, b) => a - b)[rates.length >> 1] ?? 0)
}

const [, program, target] = process.argv
if (program === fileURLToPath(import.meta.url) && target !== undefined) await write(target)
