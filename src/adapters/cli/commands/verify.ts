import { createReadStream, statSync } from 'node:fs'
import { type PlacedCommit, readExport } from '../../../application/export-format.js'
import { AUCTION_ID } from '../../../application/ids.js'
import { readLog, unplaced } from '../../../application/read-log.js'
import { type Verification, verifyLog } from '../../../application/verify-log.js'
import { Ed25519Verifier } from '../../system/node-key.js'
import type { Args } from '../args.js'
import { EXIT } from '../exit-code.js'
import { explainedLine, findingLines, summaryLines, verificationJson } from '../explain-verification.js'
import type { Host, HostCommand } from '../host.js'
import { reachOptions } from '../node-options.js'
import { RpcSession } from '../node-session.js'
import { ProgressLine } from '../progress-line.js'
import { UsageError } from '../usage-error.js'

const READ_BYTES = 1024 * 1024
/** A file is over before anybody looks at a bar where it is smaller. */
const MIN_PROGRESS_BYTES = 4 * 1024 * 1024
const AUCTION_REFERENCE = /^(auc_)?[0-9a-z]{2,26}$/i

export const verifyCommand: HostCommand = {
  usage: 'verify <file-or-auction>',
  summary: 'Prove an auction from its export, without a node or a network; or one that the node holds.',
  positionals: { 'file-or-auction': 'File of `export`, or id of an auction of the running node' },
  options: {
    explain: { kind: 'flag', describe: 'Say step by step why the price is what it is' },
    all: { kind: 'flag', describe: "Check every signature, not only each author's newest" },
    ...reachOptions,
  },
  examples: [
    ['verify auction.vendue', 'hashes, signatures, rules, and the decision run again'],
    ['verify auction.vendue --explain', 'and why the price is what it is'],
    ['verify auc_7k2m', "the running node's copy"],
  ],
  notes: 'Exit code 0: valid; 1: not valid, and it says where and why; 2: no such file or auction.',
  async run(host, args) {
    const reference = args.need('file-or-auction')
    const { out } = host
    const result = isFile(reference)
      ? await verifyFile(host, args, reference)
      : await verifyHeld(host, args, auctionOf(reference, args))
    out.document(verificationJson(result, args.flag('explain')))
    if (!result.valid) {
      out.lines(...findingLines(result, out.look))
      return EXIT.rejected
    }
    const { currency } = result.summary.state.terms
    if (args.flag('explain') && !out.json) {
      for (const step of result.explain()) out.lines(explainedLine(step, currency))
      out.lines('')
    }
    out.lines(...summaryLines(result.summary, out.look))
    return EXIT.done
  },
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function auctionOf(reference: string, args: Args): string {
  if (AUCTION_ID.test(reference) || AUCTION_REFERENCE.test(reference)) return reference
  throw args.wrong('file-or-auction', 'is neither a file nor the id of an auction')
}

async function verifyFile({ io }: Host, args: Args, path: string): Promise<Verification> {
  const { size } = statSync(path)
  const stream = createReadStream(path, { highWaterMark: READ_BYTES, signal: io.ended })
  const progress = new ProgressLine(io.stderr, { total: size, shown: size >= MIN_PROGRESS_BYTES })
  try {
    return await run(args, readExport(stream), ({ events }) => {
      progress.show(stream.bytesRead, `${events.toLocaleString('en')} events`)
    })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw cause
    throw new UsageError(`cannot read ${path}: ${(cause as Error).message}`, { cause })
  } finally {
    progress.clear()
    stream.destroy()
  }
}

async function verifyHeld(host: Host, args: Args, auction: string): Promise<Verification> {
  const session = new RpcSession(host, args)
  try {
    const api = await session.api()
    const { auctionId, head } = await api.show({ auction })
    const progress = new ProgressLine(host.io.stderr, { total: head.seq, shown: head.seq > 100_000 })
    try {
      return await run(args, unplaced(readLog(api, auctionId)), ({ events }) => {
        progress.show(events, `${events.toLocaleString('en')} events`)
      })
    } finally {
      progress.clear()
    }
  } finally {
    await session.close()
  }
}

function run(
  args: Args,
  commits: AsyncIterable<PlacedCommit>,
  onProgress: (done: { events: number }) => void,
): Promise<Verification> {
  const verifier = new Ed25519Verifier()
  return verifyLog(commits, { verifier }, { allSignatures: args.flag('all'), onProgress })
}
