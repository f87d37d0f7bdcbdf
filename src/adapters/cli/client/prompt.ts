import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface as Readline } from 'node:readline'
import type { CliIo } from '../session/cli-io.js'
import type { HistoryFile } from './history-file.js'

/** Where lines come from and text goes to, at a terminal or through pipes. */
export interface Prompt {
  /** Whole lines, above what the user is typing. */
  print(text: string): void
  /** The next line; null at the end of the input, by Ctrl-D or by Ctrl-C. */
  next(): Promise<string | null>
  close(): void
}

type Streams = Pick<CliIo, 'stdin' | 'stdout'>
type Complete = (line: string) => Promise<[string[], string]>

export interface TerminalPromptOptions {
  readonly prompt: string
  readonly history: HistoryFile
  readonly complete: Complete
}

/** A line of input that events are printed above, with history and completion. */
export class TerminalPrompt implements Prompt {
  readonly #out: Streams['stdout']
  readonly #readline: Readline
  readonly #lines = new LineQueue()
  #asking = false

  constructor({ stdin, stdout }: Streams, { prompt, history, complete }: TerminalPromptOptions) {
    this.#out = stdout
    this.#readline = createInterface({
      input: stdin,
      output: stdout,
      terminal: true,
      prompt,
      history: history.load(),
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: Error | null, result?: [string[], string]) => void) => {
        // A node that cannot list its auctions right now has nothing to suggest.
        complete(line).then(
          (result) => done(null, result),
          () => done(null, [[], line]),
        )
      },
    })
    this.#readline.on('history', (lines: string[]) => this.#save(history, lines))
    this.#readline.on('line', (line) => {
      this.#asking = false
      this.#lines.push(line)
    })
    this.#readline.on('SIGINT', () => this.close())
    this.#readline.on('close', () => {
      if (this.#asking) this.#out.write('\n')
      this.#asking = false
      this.#lines.end()
    })
  }

  print(text: string): void {
    if (!this.#asking) {
      this.#out.write(text)
      return
    }
    const { rows } = this.#readline.getCursorPos()
    moveCursor(this.#out, 0, -rows)
    cursorTo(this.#out, 0)
    clearScreenDown(this.#out)
    this.#out.write(text)
    this.#readline.prompt(true)
  }

  next(): Promise<string | null> {
    if (this.#lines.isEmpty) {
      this.#asking = true
      this.#readline.prompt()
    }
    return this.#lines.next()
  }

  close(): void {
    this.#readline.close()
  }

  #save(history: HistoryFile, lines: string[]): void {
    try {
      history.save(lines)
    } catch (error) {
      this.print(`warning: the history could not be saved: ${(error as Error).message}\n`)
    }
  }
}

/** Lines from a pipe or a file, taken one after the other. */
export class PipedPrompt implements Prompt {
  readonly #out: Streams['stdout']
  readonly #readline: Readline
  readonly #lines = new LineQueue()

  constructor({ stdin, stdout }: Streams) {
    this.#out = stdout
    this.#readline = createInterface({ input: stdin, terminal: false, crlfDelay: Number.POSITIVE_INFINITY })
    this.#readline.on('line', (line) => {
      this.#lines.push(line)
      if (this.#lines.isLong) this.#readline.pause()
    })
    this.#readline.on('close', () => this.#lines.end())
  }

  print(text: string): void {
    this.#out.write(text)
  }

  next(): Promise<string | null> {
    const line = this.#lines.next()
    if (!this.#lines.isLong && !this.#lines.hasEnded) this.#readline.resume()
    return line
  }

  close(): void {
    this.#lines.end()
    this.#readline.close()
  }
}

/** When this many lines wait, the input is paused. */
const LONG_QUEUE_LINES = 1_000

class LineQueue {
  readonly #lines: string[] = []
  #waiting: ((line: string | null) => void) | null = null
  #ended = false

  get isEmpty(): boolean {
    return this.#lines.length === 0
  }

  get isLong(): boolean {
    return this.#lines.length >= LONG_QUEUE_LINES
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  push(line: string): void {
    if (this.#waiting) {
      this.#waiting(line)
      this.#waiting = null
    } else this.#lines.push(line)
  }

  end(): void {
    this.#ended = true
    this.#waiting?.(null)
    this.#waiting = null
  }

  next(): Promise<string | null> {
    const line = this.#lines.shift()
    if (line !== undefined) return Promise.resolve(line)
    if (this.#ended) return Promise.resolve(null)
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }
}
