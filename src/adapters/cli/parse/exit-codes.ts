/** The exit codes of commands, for scripts. */
export const EXIT = { done: 0, rejected: 1, usage: 2, unreachable: 3, unknown: 4, unproven: 5 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_CODES_HELP = `Exit codes:
  0  done
  1  rejected by a rule of the auction, or a running node failed
  2  usage: wrong input, no such auction, or an ambiguous one
  3  node unreachable, or something below: HOME_UNREACHABLE, BUSY, a port in use, ...
  4  the outcome is unknown, or not yet as safe as asked for: ask again with the same --id
  5  nothing wrong was found, but the log does not prove its result (verify)`
