import type { Logger } from '../../../ports/system/logger.js'
import { createPinoLogger } from '../../system/pino-logger.js'
import type { NodeSettings } from '../../system/settings.js'
import type { OutputStream } from './cli-io.js'

/** A node's log on a stream: for people on a terminal, JSON lines otherwise, unless the settings say which. */
export function nodeLogger(
  { level, format }: NodeSettings['log'],
  {
    stream,
    env,
    before,
  }: {
    stream: OutputStream
    env: Readonly<Record<string, string | undefined>>
    /** Called before something is written. */
    before?: () => void
  },
): Logger {
  const onTerminal = stream.isTTY === true
  return createPinoLogger({
    level,
    format: format === 'auto' ? (onTerminal ? 'pretty' : 'json') : format,
    color: onTerminal && !env.NO_COLOR && env.TERM !== 'dumb',
    write: (lines) => {
      before?.()
      stream.write(lines)
    },
  })
}
