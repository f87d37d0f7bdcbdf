import { createReadStream, statSync } from 'node:fs'
import { AUCTION_ID } from '../../../application/log/ids.js'
import { checkReceipts, countReceipts } from '../../../application/proof/check-receipts.js'
import { judgeProof } from '../../../application/proof/equivocation.js'
import { ExportFormatError, type PlacedCommit, readExport } from '../../../application/proof/export-format.js'
import { formatOf, PROOF_FORMAT, readProof } from '../../../application/proof/proof-file.js'
import { readLog, unplaced } from '../../../application/proof/read-log.js'
import { type Verification, type VerifiedLog, verifyLog } from '../../../application/proof/verify-log.js'
import type { Picture } from '../../../domain/pictures/picture.js'
import type { SignedReceipts } from '../../../ports/store/receipt-repository.js'
import { Ed25519Verifier } from '../../system/node-key.js'
import { ThreadMandateChecker } from '../../system/thread-mandate-checker.js'
import type { Args } from '../parse/args.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { reachOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { judgedJson, judgedLines } from '../render/explain-proof.js'
import {
  explainedLines,
  findingLines,
  summaryLines,
  verdictOf,
  verificationJson,
} from '../render/explain-verification.js'
import { checkedJson, shownLines } from '../render/picture-text.js'
import { ProgressLine } from '../render/progress-line.js'
import type { Host, HostCommand } from '../session/host.js'
import { RpcSession } from '../session/node-session.js'
import { checkPictures } from '../session/picture-files.js'
import { allReceipts } from './receipts.js'

const READ_BYTES = 1024 * 1024
/** A smaller file is done before anybody looks at a bar. */
const MIN_PROGRESS_BYTES = 4 * 1024 * 1024
const AUCTION_REFERENCE = /^(auc_)?[0-9a-z]{2,26}$/i

export const verifyCommand: HostCommand = {
  usage: 'verify <file-or-auction>',
  audited: 'changes nothing',
  summary: 'Prove an auction from its export, without a node or a network; or one that the node holds.',
  positionals: {
    'file-or-auction': 'File of `export` (a log, or a proof against a home), or id of an auction of the running node',
  },
  options: {
    explain: { kind: 'flag', describe: 'Say step by step why the price is what it is' },
    receipts: {
      kind: 'flag',
      describe:
        "Hold it against your node's receipts: no bid of yours left out, none altered, no price above your maximum",
    },
    pictures: {
      kind: 'text',
      describe: 'Directory of `export --pictures`: hold each file against the SHA-256 that the terms name',
    },
    all: { kind: 'flag', describe: "Check every signature, not only each author's newest" },
    ...reachOptions,
  },
  examples: [
    ['verify auction.vendue', 'hashes, signatures, rules, and the decision run again'],
    ['verify auction.vendue --explain', 'and why the price is what it is'],
    ['verify auction.vendue --receipts', 'and that it holds all that your node has receipts for'],
    ['verify auction.vendue --pictures shown', 'and that these are the pictures that were shown'],
    ['verify auc_7k2m', "the running node's copy"],
  ],
  notes:
    'Exit code 0: valid; 1: not valid, and it says where and why, or a picture is not the one that was shown; 2: no such file or auction; 5: unproven, since the auction has ' +
    'closed and its home keeps maxima shut. Homes open them within moments of the close: ask for a newer export.\n' +
    'What no log can show: that it is the newest, that no bid was left out (--receipts says so of yours), that its homes were members of the mesh, what the time was, why a home was replaced (the next one says so), and that an account has bid (the node that vouches for it says so).',
  async run(host, args) {
    const reference = args.need('file-or-auction')
    const { out } = host
    if (isFile(reference) && (await formatOf(createReadStream(reference))) === PROOF_FORMAT)
      return verifyProof(host, reference)
    const receipts = args.flag('receipts') ? await ownReceipts(host, args) : null
    const result = isFile(reference)
      ? await verifyFile(host, args, reference, receipts)
      : await verifyHeld(host, args, auctionOf(reference, args), receipts)
    const shown = result.valid && args.has('pictures') ? checkPictures(picturesOf(result), args.need('pictures')) : null
    out.document({
      ...verificationJson(result, args.flag('explain')),
      ...(shown && { shown: shown.map(checkedJson) }),
    })
    if (!result.valid) {
      out.lines(...findingLines(result, out.look))
      return EXIT.rejected
    }
    if (args.flag('explain') && !out.json) {
      for (const line of explainedLines(result)) out.lines(line)
      out.lines('')
    }
    out.lines(...summaryLines(result.summary, out.look))
    if (receipts !== null) {
      const count = countReceipts(receipts, result.summary.auctionId)
      out.lines(
        `  ${count} receipt${count === 1 ? '' : 's'} of your bids: none was left out or altered, and no price is above your maxima`,
      )
    }
    if (shown !== null) {
      out.lines(...shownLines(shown, out.look))
      if (shown.some(({ fault }) => fault !== null)) return EXIT.rejected
    }
    return verdictOf(result.summary) === 'valid' ? EXIT.done : EXIT.unproven
  },
}

function picturesOf({ summary }: Extract<Verification, { valid: true }>): readonly Picture[] {
  return summary.state.terms.pictures
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function auctionOf(reference: string, args: Args): string {
  if (AUCTION_ID.test(reference) || AUCTION_REFERENCE.test(reference)) return reference
  throw args.wrong('file-or-auction', 'is neither a file nor the id of an auction')
}

/** A file that accuses a home; valid means that the home has equivocated. */
async function verifyProof({ out }: Host, path: string): Promise<ExitCode> {
  const judged = await readProof(createReadStream(path)).then(
    (proof) => judgeProof(proof, new Ed25519Verifier()),
    (error: unknown) => {
      if (error instanceof ExportFormatError) return { proven: false, rule: error.message } as const
      throw error
    },
  )
  out.document(judgedJson(judged))
  out.lines(...judgedLines(judged, out.look))
  return judged.proven ? EXIT.done : EXIT.rejected
}

/** Those of all auctions: which one a file holds is known only when it has been read. */
async function ownReceipts(host: Host, args: Args): Promise<SignedReceipts[]> {
  const session = new RpcSession(host, args)
  try {
    return await allReceipts(await session.api(), undefined)
  } finally {
    await session.close()
  }
}

async function verifyFile(
  { io }: Host,
  args: Args,
  path: string,
  receipts: readonly SignedReceipts[] | null,
): Promise<Verification> {
  const { size } = statSync(path)
  const stream = createReadStream(path, { highWaterMark: READ_BYTES, signal: io.ended })
  const progress = new ProgressLine(io.stderr, { total: size, shown: size >= MIN_PROGRESS_BYTES })
  try {
    return await run({ args, receipts }, readExport(stream), ({ events }) => {
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

async function verifyHeld(
  host: Host,
  args: Args,
  auction: string,
  receipts: readonly SignedReceipts[] | null,
): Promise<Verification> {
  const session = new RpcSession(host, args)
  try {
    const api = await session.api()
    const { auctionId, head } = await api.show({ auction })
    const progress = new ProgressLine(host.io.stderr, { total: head.seq, shown: head.seq > 100_000 })
    try {
      return await run({ args, receipts }, unplaced(readLog(api, auctionId)), ({ events }) => {
        progress.show(events, `${events.toLocaleString('en')} events`)
      })
    } finally {
      progress.clear()
    }
  } finally {
    await session.close()
  }
}

async function run(
  { args, receipts }: { args: Args; receipts: readonly SignedReceipts[] | null },
  commits: AsyncIterable<PlacedCommit>,
  onProgress: (done: { events: number }) => void,
): Promise<Verification> {
  const verifier = new Ed25519Verifier()
  const mandateChecker = new ThreadMandateChecker()
  const check = (log: VerifiedLog) => (receipts ? checkReceipts(log, receipts, verifier) : null)
  const options = { allSignatures: args.flag('all'), onProgress, check }
  try {
    return await verifyLog(commits, { verifier, mandateChecker }, options)
  } finally {
    await mandateChecker.close()
  }
}
