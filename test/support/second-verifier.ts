import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verificationJson } from '../../src/adapters/cli/render/explain-verification.js'
import type { Json } from '../../src/application/gateway/json-shapes.js'
import { checkReceipts } from '../../src/application/proof/check-receipts.js'
import { judgeProof } from '../../src/application/proof/equivocation.js'
import { ExportFormatError, readExport } from '../../src/application/proof/export-format.js'
import { formatOf, PROOF_FORMAT, readProof } from '../../src/application/proof/proof-file.js'
import { type VerifiedLog, verifyLog } from '../../src/application/proof/verify-log.js'
import type { SignedReceipts } from '../../src/ports/store/receipt-repository.js'
import { sharedVerifier } from './shared-signatures.js'

const VERIFIER = 'examples/verify.py'

/** Whether Python can run the second verifier. */
export function hasPython(): boolean {
  return spawnSync('python3', ['-c', 'import cryptography'], { stdio: 'ignore' }).status === 0
}

export const PYTHON_MISSING = 'python3 with the package cryptography is missing'

/** What both verifiers have to say alike. */
export interface Verdict {
  readonly verdict: Json
  readonly code: Json
  readonly [fact: string]: Json
}

const FACTS = [
  ...['auction_id', 'status', 'seq', 'hash', 'commits', 'bids', 'winner', 'decision'],
  ...['mandates_checked', 'maxima_opened', 'maxima_sealed'],
]

function verdictIn({ verdict = null, code = null, ...json }: { readonly [key: string]: Json }): Verdict {
  const facts = verdict === 'not-valid' ? [] : FACTS.map((fact) => [fact, json[fact] ?? null])
  return { verdict, code, ...Object.fromEntries(facts) }
}

/** By this project. */
export async function firstVerdict(bytes: Uint8Array, receipts: readonly SignedReceipts[] = []): Promise<Verdict> {
  if ((await formatOf(whole(bytes))) === PROOF_FORMAT) return proofVerdict(bytes)
  const check = (log: VerifiedLog) => checkReceipts(log, receipts, sharedVerifier)
  return verdictIn(
    verificationJson(await verifyLog(readExport(whole(bytes)), { verifier: sharedVerifier }, { check }), false),
  )
}

async function proofVerdict(bytes: Uint8Array): Promise<Verdict> {
  const judged = await readProof(whole(bytes)).then(
    (proof) => judgeProof(proof, sharedVerifier),
    (error: unknown) => {
      if (error instanceof ExportFormatError) return { proven: false } as const
      throw error
    },
  )
  return verdictIn(judged.proven ? { verdict: 'valid', auction_id: judged.by.auctionId } : { verdict: 'not-valid' })
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

/** By the verifier in Python, of each file. */
export function secondVerdicts(
  dir: string,
  files: readonly Uint8Array[],
  receipts?: readonly SignedReceipts[],
): Verdict[] {
  mkdirSync(dir, { recursive: true })
  const paths = files.map((bytes, i) => {
    const path = join(dir, `${i}.vendue`)
    writeFileSync(path, bytes)
    return path
  })
  const receiptsPath = join(dir, 'receipts.json')
  if (receipts) writeFileSync(receiptsPath, JSON.stringify(receipts))
  const args = [VERIFIER, '--json', ...(receipts ? ['--receipts', receiptsPath] : []), ...paths]
  const { status, stdout, stderr } = spawnSync('python3', args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (stderr !== '' || status === null) throw new Error(`the second verifier failed: ${stderr}`)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => verdictIn(JSON.parse(line) as { readonly [key: string]: Json }))
}
