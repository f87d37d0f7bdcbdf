type Numbers = Int32Array | Uint8Array | Float64Array

const FIRST_LENGTH = 1_024

/** A growing list of numbers outside the heap: a million of them cost the garbage collector nothing. */
export class NumberColumn {
  #numbers: Numbers
  #length = 0

  constructor(private readonly type: new (length: number) => Numbers) {
    this.#numbers = new type(FIRST_LENGTH)
  }

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#numbers.length) {
      const longer = new this.type(2 * this.#length)
      longer.set(this.#numbers)
      this.#numbers = longer
    }
    this.#numbers[this.#length++] = value
  }

  /** The row must exist. */
  at(row: number): number {
    return this.#numbers[row] as number
  }

  set(row: number, value: number): void {
    this.#numbers[row] = value
  }
}
