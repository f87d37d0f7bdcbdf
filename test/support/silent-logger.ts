import type { Logger } from '../../src/ports/system/logger.js'

const nothing = () => {}

/** A logger for tests that look at behaviour. */
export const silentLogger: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
}
