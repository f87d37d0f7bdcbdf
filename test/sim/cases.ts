import type { Mode } from './simulation.js'

/** A seed under which the simulation once failed, and what it found. */
export interface Case {
  readonly seed: number
  readonly mode: Mode
  readonly cluster?: boolean
  readonly found: string
}

/**
 * Stay in force for as long as the simulation draws the same from a seed; the unit tests beside each fix stay longer.
 */
export const CASES: readonly Case[] = [
  {
    seed: 1,
    mode: 'safety',
    found: "an accepted bid was answered with DISK_FULL, because the bidder's own disk had no room to note it",
  },
  {
    seed: 71,
    mode: 'liveness',
    found: 'an auto-bid stopped while a bid was on its way would have bid again after a restart',
  },
  {
    seed: 2,
    mode: 'liveness',
    found: 'an auto-bid whose last bid was refused after the close stayed active for ever',
  },
  {
    seed: 27,
    mode: 'liveness',
    found: 'a home whose disk failed under a rejection went on, and answered OUTCOME_UNKNOWN to everybody',
  },
  {
    seed: 96,
    mode: 'liveness',
    found: 'a node that returned with its clock set back was never taken up again',
  },
  {
    seed: 12,
    mode: 'safety',
    found: 'what a killed process had written without a sync was taken for safe, and lost with the power',
  },
  {
    seed: 123,
    mode: 'liveness',
    found: 'an auto-bid on a cancelled auction kept its bid on its way for ever',
  },
  {
    seed: 1096,
    mode: 'liveness',
    found: 'an auto-bidder whose clock was ahead took an auction for ended, and did not bid',
  },
  {
    seed: 436,
    mode: 'liveness',
    found: 'an auto-bidder that learned after a restart how its bid had ended long ago did not look again',
  },
  {
    seed: 108,
    mode: 'liveness',
    found: 'an auction handed over after its end stayed open until the clock of its new home came to that end',
  },
  {
    seed: 94,
    mode: 'safety',
    cluster: true,
    found: 'a home of a cluster forgot all answers of a commit of which its own store had one already',
  },
  {
    seed: 130,
    mode: 'liveness',
    cluster: true,
    found: 'a node that had been the home for a while refused what another one wrote after that',
  },
]
