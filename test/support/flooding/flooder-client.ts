import { type ChildProcess, fork } from 'node:child_process'
import type { Answers, Errand, Scene } from './scene.js'

/** A flooder that runs in a process of its own. */
export class FlooderClient {
  readonly #child: ChildProcess

  constructor(scene: Scene) {
    const program = new URL('./flooder-process.js', import.meta.url)
    this.#child = fork(program, [JSON.stringify(scene)])
  }

  /** The code of the answer to one request. */
  async once(flood: string): Promise<string> {
    return Object.keys(await this.#ask({ do: 'once', flood }))[0] as string
  }

  /** Keeps so many requests under way until `stop`. */
  start(flood: string, atOnce: number): void {
    this.#child.send({ do: 'flood', flood, atOnce } satisfies Errand)
  }

  stop(): Promise<Answers> {
    return this.#ask({ do: 'stop' })
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.kill()
    await ended
  }

  #ask(errand: Errand): Promise<Answers> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`the flooder ended with ${code}`))
      this.#child.once('exit', onExit)
      this.#child.once('message', (answers) => {
        this.#child.off('exit', onExit)
        resolve(answers as Answers)
      })
      this.#child.send(errand)
    })
  }
}
