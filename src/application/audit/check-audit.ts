import type { AuditReader, AuditRow } from '../../ports/audit/audit-store.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { ANEW, FIRST_HASH, hashAfter, LOST, parseLine, parseSeal, REMOVED, SEAL, sealText } from './audit-line.js'

const PAGE = 1_000

export type AuditFault =
  | 'LINE_UNREADABLE'
  | 'LINE_MISSING'
  | 'LINE_CHANGED'
  | 'SEAL_WRONG'
  | 'SEAL_OF_ANOTHER'
  | 'START_CUT'
  | 'END_CUT'

export interface AuditFinding {
  readonly fault: AuditFault
  /** The first line that is not as it was. */
  readonly seq: number
  readonly what: string
}

export interface AuditCheck {
  /** Null: nothing was changed. */
  readonly finding: AuditFinding | null
  readonly firstSeq: number
  readonly lines: number
  readonly seals: number
  /** Lines after the newest seal: were some of them cut off the end, nobody could see it. */
  readonly unsealed: number
  /** What a reader ought to know, though nothing is wrong. */
  readonly notes: readonly string[]
}

/** Reads a whole record, and finds the first thing in it that is not as it was written. */
export function checkAudit(
  reader: Pick<AuditReader, 'rows' | 'mark'>,
  { verifier, keys }: { verifier: SignatureVerifier; keys: readonly string[] },
): AuditCheck {
  const check = new Check(verifier, keys)
  for (let page = reader.rows({ afterSeq: 0, limit: PAGE }); page.length > 0; ) {
    for (const row of page) if (!check.take(row)) return check.result()
    page = reader.rows({ afterSeq: check.lastSeq, limit: PAGE })
  }
  check.end(reader.mark())
  return check.result()
}

class Check {
  lastSeq = 0
  readonly #verifier: SignatureVerifier
  readonly #keys: readonly string[]
  #hash = FIRST_HASH
  #firstSeq = 0
  #lines = 0
  #seals = 0
  #unsealed = 0
  #lastSeal = 0
  #lastAt = Number.NEGATIVE_INFINITY
  /** What the newest line about removal says is the first one that was kept. */
  #keptFrom = 1
  readonly #hashes = new Map<number, string>()
  readonly #notes: string[] = []
  #finding: AuditFinding | null = null

  constructor(verifier: SignatureVerifier, keys: readonly string[]) {
    this.#verifier = verifier
    this.#keys = keys
  }

  /** False: it goes no further. */
  take(row: AuditRow): boolean {
    if (this.#firstSeq === 0 && !this.#begins(row)) return false
    if (this.lastSeq > 0 && row.seq !== this.lastSeq + 1)
      return this.#found('LINE_MISSING', this.lastSeq + 1, `line ${this.lastSeq + 1} is missing; ${row.seq} follows`)
    const line = parseLine(row.text)
    if (line === null) return this.#found('LINE_UNREADABLE', row.seq, 'is no line of a record')
    if (line.seq !== row.seq) return this.#found('LINE_CHANGED', row.seq, `says that it is line ${line.seq}`)
    if (row.hash !== hashAfter(this.#hash, row.text))
      return this.#found('LINE_CHANGED', row.seq, 'does not match its hash and the lines before it')
    if (line.act === SEAL && !this.#takeSeal(row)) return false
    if (line.act === REMOVED) this.#keptFrom = Number(line.about)
    if (line.act === LOST) this.#notes.push(`line ${row.seq}: ${line.count ?? 1} acts could not be written`)
    if (line.act === ANEW) this.#notes.push(`line ${row.seq}: the record begins anew: ${line.about ?? ''}`)
    if (line.act === SEAL && line.at < this.#lastAt)
      this.#notes.push(`line ${row.seq}: the clock was set back before this seal`)
    if (line.act === SEAL) this.#lastAt = line.at
    this.#unsealed = line.act === SEAL ? 0 : this.#unsealed + 1
    this.#lines += 1
    this.#hash = row.hash
    this.lastSeq = row.seq
    return true
  }

  /** Of what came before, a seal knows the hash. */
  #begins({ seq, text }: AuditRow): boolean {
    const { prev } = parseSeal(text) ?? {}
    this.#firstSeq = seq
    if (seq > 1 && prev === undefined)
      return this.#found('START_CUT', seq, 'is the first line, and is neither line 1 nor a seal')
    if (seq > 1) this.#hash = prev ?? FIRST_HASH
    return true
  }

  #takeSeal({ seq, text, hash }: AuditRow): boolean {
    const seal = parseSeal(text)
    if (seal === null) return this.#found('SEAL_WRONG', seq, 'is a seal that cannot be read')
    const { seal: number, prev, at, public_key: key, signature } = seal
    if (!this.#keys.includes(key))
      return this.#found('SEAL_OF_ANOTHER', seq, `is sealed by ${key}, whose record it is not`)
    const isNext = this.#seals === 0 || number === this.#lastSeal + 1
    if (
      prev !== this.#hash ||
      !isNext ||
      !this.#verifier.verify(sealText({ seal: number, seq, prev, at }), signature, key)
    )
      return this.#found('SEAL_WRONG', seq, 'is a seal that was not made over the lines before it')
    this.#seals += 1
    this.#lastSeal = number
    this.#hashes.set(number, hash)
    return true
  }

  end(mark: ReturnType<AuditReader['mark']>): void {
    if (this.#firstSeq > 0 && this.#firstSeq !== this.#keptFrom) {
      this.#found('START_CUT', this.#firstSeq, `is the first line, and line ${this.#keptFrom} should be`)
      return
    }
    if (mark === null) return
    if (mark.seal > this.#lastSeal)
      this.#found('END_CUT', this.lastSeq + 1, `is missing: there were ${mark.seal} seals, up to line ${mark.seq}`)
    else if (this.#hashes.has(mark.seal) && this.#hashes.get(mark.seal) !== mark.hash)
      this.#found('SEAL_WRONG', mark.seq, `is another seal ${mark.seal} than the one noted down beside the record`)
  }

  #found(fault: AuditFault, seq: number, what: string): false {
    this.#finding = { fault, seq, what }
    return false
  }

  result(): AuditCheck {
    return {
      finding: this.#finding,
      firstSeq: this.#firstSeq,
      lines: this.#lines,
      seals: this.#seals,
      unsealed: this.#unsealed,
      notes: this.#notes,
    }
  }
}
