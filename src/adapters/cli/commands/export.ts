import { once } from 'node:events'
import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { proofLines } from '../../../application/proof/proof-file.js'
import { exportLines, readLog } from '../../../application/proof/read-log.js'
import type { Picture } from '../../../domain/pictures/picture.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import type { EquivocationProof } from '../../../ports/store/equivocation-repository.js'
import type { Args } from '../parse/args.js'
import { EXIT } from '../parse/exit-codes.js'
import { reachOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { oneLine } from '../render/terminal-text.js'
import type { Host, HostCommand } from '../session/host.js'
import { RpcSession } from '../session/node-session.js'
import { writePictures } from '../session/picture-files.js'

export const exportCommand: HostCommand = {
  usage: 'export <auction>',
  audited: 'by the node',
  summary: "Write an auction's log, keys and signatures to one file, which anyone can verify.",
  positionals: { auction: 'Id of the auction, or the start of one' },
  options: {
    out: { kind: 'text', describe: 'File to write; stdout otherwise' },
    'tlog-proof': {
      kind: 'text',
      describe: 'File for a proof that the last commit stands in the log, which tools for transparency logs check',
    },
    pictures: { kind: 'text', describe: 'Directory for the pictures of the lot, each under its SHA-256' },
    proof: {
      kind: 'flag',
      describe: 'Of a disputed auction: the proof that its home has signed two histories',
    },
    ...reachOptions,
  },
  examples: [
    ['export auc_7k2m --out auction.vendue', 'then: verify auction.vendue'],
    ['export auc_7k2m --out auction.vendue --pictures shown', 'with what was shown'],
    ['export auc_7k2m --out auction.vendue --tlog-proof auction.tlog-proof', 'and a C2SP tlog-proof beside it'],
    ['export auc_7k2m | gzip > auction.vendue.gz', 'to another program'],
  ],
  async run(host, args) {
    const { io, out } = host
    const file = args.text('out')
    if (out.json && file === undefined) {
      throw new UsageError('--json needs --out here: an export is JSON lines of its own', { field: 'json' })
    }
    const session = new RpcSession(host, args)
    try {
      const api = await session.api()
      const auction = args.need('auction')
      const lines = args.flag('proof') ? await proofOf(api, auction) : exportLines(readLog(api, auction))
      const missing = args.has('pictures') ? await writeShown(api, args) : []
      const proven = args.has('tlog-proof') ? await api.tlogProof({ auction }) : null
      if (proven) await writeFile(oneText(proven.proof), args.need('tlog-proof'), io.ended)
      if (file === undefined) await writeAll(lines, io.stdout, io.ended)
      else {
        const { commits, bytes } = await writeFile(lines, file, io.ended)
        out.document({ file, commits, bytes, ...(proven && { verifier_key: proven.verifierKey }) })
        out.lines(`Wrote ${commits} commits to ${oneLine(file)} (${bytes.toLocaleString('en')} bytes).`)
        if (proven) out.lines(`Key of the tlog-proof: ${oneLine(proven.verifierKey)}`)
        out.lines(`Prove it anywhere: ${host.program} verify ${oneLine(file)}`)
      }
      if (missing.length === 0) return EXIT.done
      host.io.stderr.write(`${missing.length} pictures are not there: no node that has them can be reached now\n`)
      return EXIT.unreachable
    } finally {
      await session.close()
    }
  },
}

async function writeShown(api: NodeApi, args: Args): Promise<readonly Picture[]> {
  const { state } = await api.show({ auction: args.need('auction') })
  return writePictures(api, state.terms.pictures, args.need('pictures'))
}

async function* oneText(text: string): AsyncGenerator<string, void> {
  yield text
}

async function* proofFile(proof: EquivocationProof): AsyncGenerator<string, void> {
  yield* proofLines(proof)
}

async function proofOf(api: NodeApi, auction: string): Promise<AsyncIterable<string>> {
  const proof = await api.proof({ auction })
  if (proof !== null) return proofFile(proof)
  throw new UsageError('this auction is not disputed: there is no proof against its home', { field: 'proof' })
}

/** Written under another name until it is complete, so that nobody uses half an auction. */
async function writeFile(
  lines: AsyncIterable<string>,
  file: string,
  ended: AbortSignal,
): Promise<{ commits: number; bytes: number }> {
  const partial = `${file}.partial`
  const stream = createWriteStream(partial)
  try {
    await once(stream, 'open')
    const written = await writeAll(lines, stream, ended)
    stream.end()
    await finished(stream)
    renameSync(partial, file)
    return { commits: written.lines - 2, bytes: written.bytes }
  } catch (cause) {
    stream.destroy()
    rmSync(partial, { force: true })
    const { code } = cause as NodeJS.ErrnoException
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) {
      throw new UsageError(`cannot write ${file}: ${(cause as Error).message}`, { field: 'out', cause })
    }
    throw cause
  }
}

async function writeAll(
  lines: AsyncIterable<string>,
  stream: Host['io']['stdout'],
  ended: AbortSignal,
): Promise<{ lines: number; bytes: number }> {
  let count = 0
  let bytes = 0
  for await (const line of lines) {
    ended.throwIfAborted()
    count += 1
    bytes += Buffer.byteLength(line)
    if (!stream.write(line)) await once(stream, 'drain', { signal: ended })
  }
  return { lines: count, bytes }
}
