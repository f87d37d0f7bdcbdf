import './node-shims.js'
import { isWeakKey } from '../../../../../src/adapters/system/small-order.js'
import { BYTES32, SIGNATURE } from '../../../../../src/application/log/input-schemas.js'
import { readExport } from '../../../../../src/application/proof/export-format.js'
import {
  type ExplainedBid,
  type LoggedHome,
  type Verification,
  verifyLog,
} from '../../../../../src/application/proof/verify-log.js'
import { formatAmount } from '../../../../../src/domain/money.js'
import type { CheckedBid, CheckedHome, VerifyAnswer } from '../../model/verify-answer.js'
import { ByteBuffer, verifyEd25519 } from './node-shims.js'

const MAX_EXPLAINED = 100
const PROGRESS_EVERY = 64
const scope = self as unknown as {
  onmessage: (event: { data: string }) => void
  postMessage(answer: VerifyAnswer): void
}

/** Checks a log where its reader is: the code is that of `vendue verify`. Given the log's address. */
scope.onmessage = ({ data: url }) => {
  void check(url).then(
    (answer) => scope.postMessage(answer),
    (error: Error) => scope.postMessage({ kind: 'failed', reason: error.message }),
  )
}

async function check(url: string): Promise<VerifyAnswer> {
  const response = await fetch(url)
  if (!response.ok || !response.body) throw new Error(`${response.status} ${response.statusText}`)
  const verified = await verifyLog(
    readExport(chunksOf(response.body)),
    { verifier: { verify } },
    {
      onProgress: ({ commits, events }) => {
        if (commits % PROGRESS_EVERY === 0) scope.postMessage({ kind: 'progress', events })
      },
    },
  )
  return answerOf(verified)
}

function verify(text: string, signature: string, publicKey: string): boolean {
  if (!SIGNATURE.test(signature) || !BYTES32.test(publicKey)) return false
  return !isWeakKey(ByteBuffer.from(publicKey, 'base64url')) && verifyEd25519(text, signature, publicKey)
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

function answerOf(verified: Verification): VerifyAnswer {
  if (!verified.valid) {
    const { code, rule, place, event } = verified.finding
    return { kind: 'invalid', code, rule, line: place?.line ?? null, seq: event?.seq ?? null }
  }
  const { summary, explain } = verified
  const { currency } = summary.state.terms
  const bids: CheckedBid[] = []
  for (const explained of explain()) {
    bids.push(bidOf(explained, (minor) => formatAmount(minor, currency)))
    if (bids.length > MAX_EXPLAINED) bids.shift()
  }
  return {
    kind: 'valid',
    decision: summary.decision,
    commits: summary.commits,
    events: summary.events,
    signatures: summary.signaturesChecked,
    mandates: summary.mandatesChecked,
    head: summary.headHash,
    currency: currency.code,
    homes: summary.homes.map(homeOf),
    bids: bids.reverse(),
  }
}

function homeOf({ nodeId, since, takenOver }: LoggedHome): CheckedHome {
  const why = takenOver?.why ?? (since.seq === 1 ? 'opened' : 'handed-over')
  return { nodeId, sinceMs: since.at, why, endMs: takenOver?.extended?.to ?? null }
}

function bidOf({ bid, step }: ExplainedBid, format: (minor: number) => string): CheckedBid {
  return {
    seq: bid.seq,
    bidder: bid.bidder.name,
    price: format(bid.price),
    because: step?.because ?? 'unknown',
  }
}
