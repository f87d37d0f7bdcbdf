import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { build, isBuilt } from './setup-build.mjs'
import { install, isInstalled } from './setup-install.mjs'
import { acquireLock } from './setup-lock.mjs'
import { checkNode, run } from './setup-run.mjs'
import { Interrupted, ROOT, SetUpError, say } from './setup-tools.mjs'

const USAGE = `Usage: node bin/setup.mjs                      installs and builds what is out of date
       node bin/setup.mjs install              only installs the dependencies
       node bin/setup.mjs run SCRIPT [ARG ...] sets up, then runs SCRIPT, a path from the project's root`

/** Scripts that need neither tests nor types. */
const PROGRAMS = /^dist\/(bin|demo)\//

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

export async function main([mode, script, ...args]) {
  if ((mode && !['install', 'run'].includes(mode)) || (mode === 'run' && !script)) {
    console.error(USAGE)
    process.exit(2)
  }
  const target = mode === 'run' ? resolve(ROOT, script) : null
  try {
    await setUp({ withBuild: mode !== 'install', programsOnly: PROGRAMS.test(script) })
    if (target && !existsSync(target)) throw new SetUpError(`there is no ${script} to run`)
    if (target) checkNode()
  } catch (error) {
    process.exitCode = 1
    // Ends by the signal itself, so that shells and npm see what happened.
    if (error instanceof Interrupted) return process.kill(process.pid, error.signal)
    return fail(error)
  }
  if (target) await run(target, args)
}

/** Costs a few file reads when all is up to date: neither the lock nor anything else is written then. */
async function setUp({ withBuild, programsOnly }) {
  const isDone = () => isInstalled() && (!withBuild || isBuilt({ programsOnly }))
  if (isDone()) return

  const interruption = new AbortController()
  const interrupt = (signal) => interruption.abort(new Interrupted(signal))
  for (const name of SIGNALS) process.on(name, interrupt)
  try {
    const lock = await acquireLock(interruption.signal)
    try {
      const session = { signal: interruption.signal, lock }
      // Whoever held the lock before may have done it all.
      if (!isInstalled()) await install(session)
      if (withBuild && !isBuilt({ programsOnly })) await build({ programsOnly }, session)
    } finally {
      lock.release()
    }
    interruption.signal.throwIfAborted()
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt)
  }
}

function fail(error) {
  const { message, output, hint } = explained(error)
  if (output) process.stderr.write(`\n${output.trimEnd()}\n\n`)
  say(`Set-up failed: ${message}`)
  if (hint) say(hint)
}

function explained(error) {
  if (error instanceof SetUpError) return error
  if (['EACCES', 'EPERM', 'EROFS'].includes(error.code)) {
    return {
      message: error.message,
      hint: `Vendue must be able to write in ${ROOT}: copy it to a directory of yours.`,
    }
  }
  if (error.code === 'ENOSPC') return { message: error.message, hint: 'The disk is full: make room and try again.' }
  return { message: error.stack ?? String(error), hint: '' }
}
