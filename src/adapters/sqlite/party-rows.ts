import type { Database, Statement } from 'better-sqlite3'
import type { Party } from '../../domain/party.js'
import type { Value } from './row-inserter.js'

type Role = 'seller' | 'bidder'

/** Rows of sellers and bidders. What is known of them is forgotten whenever a transaction may have taken it back. */
export class PartyRows {
  readonly #find: Statement<[string, string], { ref: number }>
  readonly #add: Statement<[string, string]>
  readonly #involve: Statement<Value[]>
  /** By name within id. */
  readonly #refs = new Map<string, Map<string, number>>()
  readonly #involved = new Map<number, Set<string>>()

  constructor(db: Database) {
    this.#find = db.prepare('SELECT ref FROM parties WHERE id = ? AND name = ?')
    this.#add = db.prepare('INSERT INTO parties (id, name) VALUES (?, ?)')
    this.#involve = db.prepare('INSERT OR IGNORE INTO involvements (party_id, role, auction) VALUES (?, ?, ?)')
  }

  refOf({ id, name }: Party): number {
    let byName = this.#refs.get(id)
    if (byName === undefined) {
      byName = new Map()
      this.#refs.set(id, byName)
    }
    let ref = byName.get(name)
    if (ref === undefined) {
      ref = this.#find.get(id, name)?.ref ?? Number(this.#add.run(id, name).lastInsertRowid)
      byName.set(name, ref)
    }
    return ref
  }

  /** The party has to do with the auction. */
  involve({ id }: Party, auction: number, role: Role = 'bidder'): void {
    let involved = this.#involved.get(auction)
    if (involved === undefined) {
      involved = new Set()
      this.#involved.set(auction, involved)
    }
    const key = `${role} ${id}`
    if (involved.has(key)) return
    this.#involve.run(id, role, auction)
    involved.add(key)
  }

  forget(): void {
    this.#refs.clear()
    this.#involved.clear()
  }
}
