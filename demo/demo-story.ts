import type { Output } from '../src/adapters/cli/render/output.js'
import type { Json } from '../src/application/gateway/json-shapes.js'

/** Tells the demonstration line by line, each with the time at which it was so. */
export class DemoStory {
  readonly #out: Output

  constructor(out: Output) {
    this.#out = out
  }

  /** `data` is the same for programs. */
  tell(text: string, data: { readonly step: string; readonly [key: string]: Json }): void {
    const now = this.#out.look.now()
    this.#out.document({ at: new Date(now).toISOString(), ...data })
    this.#out.lines(`${this.#out.look.paint.dim(this.#clock(now))}  ${text}`)
  }

  /** Without a time: headings and tables. */
  aside(...lines: readonly string[]): void {
    this.#out.lines(...lines)
  }

  #clock(ms: number): string {
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone: this.#out.look.timeZone,
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hourCycle: 'h23',
    })
    return format.format(ms)
  }
}
