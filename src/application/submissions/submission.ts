import type { RemoteCommand } from '../../domain/remote-command.js'
import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { HomeTask } from './home-command.js'
import type { MandatedCommand } from './mandate.js'

/**
 * A command with all that goes with it on its way to its auction's home: one object from where it is made to where it
 * is decided. It is answered by a callback, since where many commands come together a promise for each is what costs
 * most.
 */
export interface Submission<Task = RemoteCommand> {
  readonly command: Task
  /**
   * The mandate of the node that sent it, once checked; left out for this node's own word, which its signature of the
   * commit gives.
   */
  readonly mandated?: MandatedCommand | undefined
  /** Of the request that brought it, for the log. */
  readonly requestId?: string | undefined
  /**
   * Of the connection that it came over: commands of one lane are decided in the order in which they were submitted.
   */
  readonly lane?: object | undefined
  /** Called once, as soon as the outcome is durable or it is known why there is none. Must not throw. */
  readonly settle: (result: SubmitResult) => void
}

/** What a home has to do: for a client, or by itself. */
export type HomeSubmission = Submission<HomeTask>

/** Hands a submission over, and resolves with its answer. */
export function answerTo(
  submission: Omit<Submission, 'settle'>,
  enqueue: (submission: Submission) => void,
): Promise<SubmitResult> {
  return new Promise((settle) => enqueue({ ...submission, settle }))
}

/** As `answerTo`, for many that arrive together: resolves with their answers, in order, when the last one is there. */
export function answersTo(
  submissions: readonly Omit<Submission, 'settle'>[],
  enqueue: (submission: Submission) => void,
): Promise<SubmitResult[]> {
  return new Promise((resolve) => {
    const answers = new Array<SubmitResult>(submissions.length)
    let missing = submissions.length
    if (missing === 0) resolve(answers)
    submissions.forEach((submission, i) => {
      const settle = (answer: SubmitResult) => {
        answers[i] = answer
        missing -= 1
        if (missing === 0) resolve(answers)
      }
      enqueue({ ...submission, settle })
    })
  })
}
