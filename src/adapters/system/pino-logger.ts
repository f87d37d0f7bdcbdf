import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { Logger } from '../../ports/system/logger.js'
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
          errorLikeObjectKeys: [],
          ignore: 'pid,hostname',
          singleLine: true,
          translateTime: 'SYS:HH:MM:ss.l',
        })
      : null
  const base = pino(
    // Errors come as plain data already.
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: (err) => err } },
    { write: (line: string) => write(pretty ? pretty(line) : line) },
  )
  return new PinoLogger(base, format === 'pretty' ? describeError : (error) => error)
}

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error'
type PlainError = Readonly<Record<string, unknown>>

/** Disabled log calls must cost nothing, so fields are copied only at an enabled level. */
class PinoLogger implements Logger {
  readonly #pino: pino.Logger
  readonly #showError: (error: PlainError) => unknown

  constructor(logger: pino.Logger, showError: (error: PlainError) => unknown) {
    this.#pino = logger
    this.#showError = showError
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
    return new PinoLogger(this.#pino.child(redact(fields)), this.#showError)
  }

  #log(level: Level, fields: object, message: string): void {
    if (!this.#pino.isLevelEnabled(level)) return
    const { err, ...rest } = redact(fields)
    if (typeof err !== 'object' || err === null)
      this.#pino[level]({ ...rest, ...(err !== undefined && { err }) }, message)
    // Where things are expected to fail now and then, code and message say enough.
    else
      this.#pino[level](
        { ...rest, err: this.#showError(level === 'error' ? (err as PlainError) : withoutStack(err)) },
        message,
      )
  }
}

function withoutStack(error: object): PlainError {
  const { stack: _, cause, ...rest } = error as { stack?: unknown; cause?: unknown }
  return typeof cause === 'object' && cause !== null ? { ...rest, cause: withoutStack(cause) } : rest
}

/** "ECONNREFUSED: connect failed <- ...", with the stack where there is one. */
function describeError(error: PlainError): string {
  const { code, type, message, stack, cause } = error
  const words = `${String(code ?? type ?? 'Error')}: ${String(message)}`
  const because = typeof cause === 'object' && cause !== null ? ` <- ${describeError(cause as PlainError)}` : ''
  return typeof stack === 'string' ? `${words}${because}\n${stack}` : words + because
}
