/** A place in the list of all events of a node: after a position of its log, and some events of what follows. */
export interface FeedPlace {
  readonly afterPosition: number
  /** Events of the next commit that were taken already. */
  readonly skip: number
}

const CURSOR = /^p(\d{1,15})\.(\d{1,6})$/

/** "p<position>.<events of the next commit taken>". */
export function feedCursor({ afterPosition, skip }: FeedPlace): string {
  return `p${afterPosition}.${skip}`
}

/** Null for what is no such cursor. */
export function readFeedCursor(text: string): FeedPlace | null {
  const [, position, skip] = CURSOR.exec(text) ?? []
  return position === undefined ? null : { afterPosition: Number(position), skip: Number(skip) }
}

/** Behind the first `taken` events of a commit. */
export function placePast(
  commit: { readonly position: number; readonly events: readonly unknown[] },
  taken: number,
): FeedPlace {
  const { position, events } = commit
  return taken >= events.length ? { afterPosition: position, skip: 0 } : { afterPosition: position - 1, skip: taken }
}

/** Cursors of one node are ordered. What is none counts as its beginning. */
export function isPastCursor(a: string, b: string): boolean {
  const one = readFeedCursor(a) ?? START
  const other = readFeedCursor(b) ?? START
  return one.afterPosition === other.afterPosition ? one.skip > other.skip : one.afterPosition > other.afterPosition
}

const START: FeedPlace = { afterPosition: 0, skip: 0 }
