import Mocha, { type Context, type Runnable, type Suite } from 'mocha'

type Skipped = Runnable | Suite

const reasons = new WeakMap<Skipped, string>()

/**
 * Skips the running test, or from a `before` hook the whole suite, and has the reporter say why. Where CI=true
 * everything that tests need must be there, so that there it fails instead.
 */
export function skipUnless(context: Context, condition: boolean, reason: string): void {
  if (condition) return
  if (process.env.CI === 'true') throw new Error(`cannot run here: ${reason}`)
  const skipped = skippedBy(context)
  if (skipped) reasons.set(skipped, reason)
  context.skip()
}

/** Why a test was skipped, by itself or by a suite around it; undefined if nobody said. */
export function skipReason(test: Runnable): string | undefined {
  for (let at: Skipped | undefined = test; at; at = at.parent) {
    const reason = reasons.get(at)
    if (reason !== undefined) return reason
  }
  return undefined
}

/**
 * In a hook, `context.test` is the hook: a `before` skips its whole suite, a `beforeEach` the test that it precedes.
 */
function skippedBy({ test, currentTest }: Context): Skipped | undefined {
  if (!(test instanceof Mocha.Hook)) return test
  return test.title.startsWith('"before all"') ? test.parent : currentTest
}
