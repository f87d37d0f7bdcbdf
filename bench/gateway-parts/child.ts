import { type ChildProcess, fork } from 'node:child_process'

/** A process beside this one that takes and sends messages; its first one says that it is there. */
export class Child {
  readonly #process: ChildProcess
  readonly #messages: unknown[] = []
  #take: ((message: unknown) => void) | null = null

  private constructor(process: ChildProcess) {
    this.#process = process
    process.on('message', (message) => {
      const take = this.#take
      this.#take = null
      if (take) take(message)
      else this.#messages.push(message)
    })
  }

  /** A module of this directory. Resolves with its first message. */
  static async start<T>(module: string): Promise<{ child: Child; first: T }> {
    const child = new Child(fork(new URL(`./${module}.js`, import.meta.url)))
    return { child, first: await child.next<T>() }
  }

  send(message: object | string): void {
    this.#process.send(message)
  }

  next<T>(): Promise<T> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift() as T)
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('a process of the benchmark ended'))
      this.#process.once('exit', onExit)
      this.#take = (message) => {
        this.#process.off('exit', onExit)
        resolve(message as T)
      }
    })
  }

  async ask<T>(message: object | string): Promise<T> {
    this.send(message)
    return this.next<T>()
  }

  end(): void {
    this.#process.kill()
  }
}
