/** One line of the record: the text that was hashed, and the hash of it and of all before it. */
export interface AuditRow {
  /** From 1, without gaps. */
  readonly seq: number
  /** Lower-case hex. */
  readonly hash: string
  /** JSON; never serialised again. */
  readonly text: string
}

export interface AuditHead {
  /** 0: nothing has been written. */
  readonly seq: number
  readonly hash: string
}

/** The newest seal, as it is noted down beside the record. */
export interface AuditSealMark {
  /** How many seals there were with it. */
  readonly seal: number
  /** Of the line that is the seal. */
  readonly seq: number
  readonly hash: string
}

export interface AuditPage {
  readonly afterSeq: number
  readonly auction?: string | undefined
  readonly limit: number
}

export interface AuditReader {
  /** Oldest first. */
  rows(page: AuditPage): readonly AuditRow[]
  head(): AuditHead
  /** From the file beside the record, so that a record without its end is found; null: nothing was sealed yet. */
  mark(): AuditSealMark | null
  close(): void
}

/** A data directory's record. Several processes may write to one; each write is whole or not at all. */
export interface AuditStore extends AuditReader {
  /**
   * Adds what `make` returns for the present head, in one transaction: nobody writes in between. Returns the new
   * head, or null if another process writes now: to be tried again. Throws what the disk makes of it; nothing is
   * written then.
   */
  append(make: (head: AuditHead) => readonly AuditRow[]): AuditHead | null
  /** The newest seal and the number of its line; null if there is none. To be asked within `append` or without it. */
  lastSeal(): AuditRow | null
  /** The newest line of a start, `node.start` or `gateway.start`; null if there is none. */
  lastStart(act: string): AuditRow | null
  /** The newest seal of a time before `beforeMs`; null if there is none. */
  sealBefore(beforeMs: number): AuditRow | null
  /** Adds rows as `append` does, and removes those before `seq`. */
  removeBefore(seq: number, make: (head: AuditHead) => readonly AuditRow[]): void
  /** Notes the newest seal down beside the record, and makes all that was written survive the loss of power. */
  settle(mark: AuditSealMark): void
}
