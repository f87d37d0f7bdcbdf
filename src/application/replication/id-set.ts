const FIRST_SLOTS = 16
/** Slots a table has per id at least: probes stay short. */
const SLOTS_PER_ID = 2
const MULTIPLIER = 0x9e3779b1

/**
 * Ids by 64 bits of their hash, at 16 to 32 bytes each, however long they are. Two ids count as one in one case of
 * 10^13 where there are a million; `seed` keeps whoever chooses the ids from choosing such, and is another after each
 * start.
 */
export class IdSet {
  readonly #seed: number
  /** Two numbers a slot; both 0: empty. */
  #slots = new Uint32Array(2 * FIRST_SLOTS)
  #size = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  get bytes(): number {
    return this.#slots.byteLength
  }

  /**
   * Adds all of them and returns -1; or adds none and returns the place of the first one that is known or comes twice.
   */
  addAll(ids: readonly string[]): number {
    this.#makeRoom(ids.length)
    const added: number[] = []
    for (let i = 0; i < ids.length; i++) {
      const slot = this.#add(ids[i] as string)
      if (slot !== -1) {
        added.push(slot)
        continue
      }
      // The newest first: no probe of those that stay leads over a slot that is emptied.
      for (let k = added.length - 1; k >= 0; k--) this.#slots.fill(0, added[k], (added[k] as number) + 2)
      return i
    }
    this.#size += ids.length
    return -1
  }

  /** The slot of the new id; -1 if it is known. */
  #add(id: string): number {
    let low = this.#seed
    let high = this.#seed ^ MULTIPLIER
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i)
      low = Math.imul(low ^ unit, MULTIPLIER)
      low ^= low >>> 15
      high = Math.imul(high ^ unit, MULTIPLIER)
      high ^= high >>> 15
    }
    low >>>= 0
    high = high >>> 0 || 1
    const slots = this.#slots
    let slot = this.#slotOf(low)
    while (slots[slot + 1] !== 0) {
      if (slots[slot] === low && slots[slot + 1] === high) return -1
      slot = (slot + 2) % slots.length
    }
    slots[slot] = low
    slots[slot + 1] = high
    return slot
  }

  #slotOf(low: number): number {
    return 2 * (low & (this.#slots.length / 2 - 1))
  }

  #makeRoom(more: number): void {
    const before = this.#slots
    let slots = before.length / 2
    while (slots < (this.#size + more) * SLOTS_PER_ID) slots *= 2
    if (2 * slots === before.length) return
    this.#slots = new Uint32Array(2 * slots)
    for (let i = 0; i < before.length; i += 2) {
      if (before[i + 1] === 0) continue
      let slot = this.#slotOf(before[i] as number)
      while (this.#slots[slot + 1] !== 0) slot = (slot + 2) % this.#slots.length
      this.#slots[slot] = before[i] as number
      this.#slots[slot + 1] = before[i + 1] as number
    }
  }
}
