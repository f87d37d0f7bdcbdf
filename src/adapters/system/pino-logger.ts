import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { Logger } from '../../ports/logger.js'
import { redact } from './redact.js'

export interface PinoLoggerOptions {
  /** "trace" to "error", or "silent". */
  readonly level: string
  readonly format: 'pretty' | 'json'
  readonly color?: boolean
  /** Takes whole lines, each with its line break. Called before the log call returns: nothing is lost at an exit. */
  readonly write: (lines: string) => void
}

/** A log by pino: for people or as JSON lines, without secrets. Formats in this process, with no worker behind it. */
export function createPinoLogger({ level, format, color = false, write }: PinoLoggerOptions): Logger {
  const pretty =
    format === 'pretty'
      ? prettyFactory({
          colorize: color,
          // Stacks are for whoever reads closely; code and message say enough otherwise.
          errorProps: level === 'trace' || level === 'debug' ? 'code,stack' : 'code',
          errorLikeObjectKeys: [],
          ignore: 'pid,hostname',
          singleLine: true,
          translateTime: 'SYS:HH:MM:ss.l',
        })
      : null
  const destination = { write: (line: string) => write(pretty ? pretty(line) : line) }
  const base = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: shortenUnless(level) },
    },
    destination,
  )
  return new PinoLogger(base)
}

/** Log calls that nobody reads must cost nothing, so fields are copied only at an enabled level. */
class PinoLogger implements Logger {
  readonly #pino: pino.Logger

  constructor(logger: pino.Logger) {
    this.#pino = logger
  }

  trace(fields: object, message: string): void {
    this.#log('trace', fields, message)
  }
  debug(fields: object, message: string): void {
    this.#log('debug', fields, message)
  }
  info(fields: object, message: string): void {
    this.#log('info', fields, message)
  }
  warn(fields: object, message: string): void {
    this.#log('warn', fields, message)
  }
  error(fields: object, message: string): void {
    this.#log('error', fields, message)
  }

  child(fields: object): Logger {
    return new PinoLogger(this.#pino.child(redact(fields)))
  }

  #log(level: 'trace' | 'debug' | 'info' | 'warn' | 'error', fields: object, message: string): void {
    if (this.#pino.isLevelEnabled(level)) this.#pino[level](redact(fields), message)
  }
}

/** Errors at the usual levels are told by code and message; their stacks stand in logs that somebody asked for. */
function shortenUnless(level: string): (error: unknown) => unknown {
  if (level === 'trace' || level === 'debug') return (error) => error
  return (error) => {
    if (typeof error !== 'object' || error === null) return error
    const { stack: _, ...rest } = error as { stack?: unknown }
    return rest
  }
}
