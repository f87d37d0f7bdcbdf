import { promptBidCommands } from '../commands/bid.js'
import { sharedCommands } from '../commands/node-commands.js'
import type { Command, Session } from '../parse/command.js'
import { EXIT } from '../parse/exit-codes.js'
import type { EventPrinter } from './event-printer.js'

/** The context of commands at the prompt. */
export interface ClientContext extends Session {
  readonly events: Pick<EventPrinter, 'watched' | 'watch'>
  /** Ends the client. */
  quit(): void
}

const MAX_WATCHED = 1_000

const watchCommand: Command<ClientContext> = {
  usage: 'watch [auctions..]',
  summary: 'Choose which auctions to hear of: all (the default), none, or some by their ids.',
  positionals: { auctions: 'Ids or starts of ids, or "all" or "none"' },
  examples: [
    ['watch auc_7k2m', 'hear of this one only'],
    ['watch all', 'of everything again'],
  ],
  async run({ api, events, ids, out }, args) {
    const wanted = args.list('auctions').slice(0, MAX_WATCHED)
    if (wanted.length === 1 && wanted[0] === 'all') events.watch(null)
    else if (wanted.length === 1 && wanted[0] === 'none') events.watch(new Set())
    else if (wanted.length > 0) {
      const node = await api()
      const found = await Promise.all(wanted.map((auction) => node.show({ auction })))
      events.watch(new Set(found.map(({ auctionId }) => auctionId)))
    }
    const { watched } = events
    out.document({ watching: watched === null ? 'all' : [...watched] })
    if (watched === null) out.lines('You hear of all auctions.')
    else if (watched.size === 0) out.lines('You hear of no auction.')
    else out.lines(`You hear of ${(await Promise.all([...watched].map((id) => ids.of(id)))).join(', ')}.`)
    return EXIT.done
  },
}

const quitCommand: Command<ClientContext> = {
  usage: 'quit',
  summary: 'Stop the node and leave (also: Ctrl-D, Ctrl-C).',
  examples: [['quit', 'leave']],
  run(context) {
    context.quit()
    return Promise.resolve(EXIT.done)
  },
}

export const PROMPT_COMMANDS: readonly Command<ClientContext>[] = [
  ...sharedCommands,
  ...promptBidCommands,
  watchCommand,
  quitCommand,
]
