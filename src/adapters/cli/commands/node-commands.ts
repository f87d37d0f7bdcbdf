/** Room `cli/commands`: each command of the command line: its words, its help, what it does. */

import type { NodeCommand } from '../parse/command.js'
import { autoBidStopCommand, autoBidsCommand } from './autobids.js'
import { bidCommand } from './bid.js'
import { handoverCommand } from './handover.js'
import { historyCommand, listCommand, showCommand } from './looking-commands.js'
import { statusCommand } from './mesh-commands.js'
import { openCommand } from './open.js'
import { peersCommand } from './peers.js'
import { receiptsCommand } from './receipts.js'
import { cancelCommand, closeCommand, extendCommand } from './seller-commands.js'
import { watchCommand } from './watch.js'

/** Commands that mean the same on the command line and at the client's prompt. */
export const sharedCommands: readonly NodeCommand[] = [
  openCommand,
  bidCommand,
  closeCommand,
  cancelCommand,
  extendCommand,
  handoverCommand,
  listCommand,
  showCommand,
  historyCommand,
  autoBidsCommand,
  autoBidStopCommand,
  receiptsCommand,
  peersCommand,
  statusCommand,
]

export const nodeCommands: readonly NodeCommand[] = [...sharedCommands, watchCommand]
