import type { OpenRequest } from '../../../ports/node/node-requests.js'
import type { Args } from '../parse/args.js'
import { ackOption, type NodeCommand } from '../parse/command.js'
import { UsageError } from '../parse/usage-error.js'
import { openedLines, reportResult } from '../render/outcome-text.js'
import { oneLine } from '../render/terminal-text.js'
import { send } from '../session/outcome-unknown.js'
import { addPictures, pictureFiles } from '../session/picture-files.js'
import { openLots } from './open-lots.js'

const TERMS = 'Terms:'
const LIST = 'A list of lots:'

export const openCommand: NodeCommand = {
  usage: 'open [title]',
  summary: 'Open an auction of your own, or those of a list.',
  positionals: { title: 'What is sold' },
  options: {
    start: { kind: 'text', describe: 'Start price', group: TERMS },
    currency: {
      kind: 'text',
      describe: 'USD, EUR, USDT, BTC, ...',
      suggest: ['USDT', 'USDC', 'USD', 'EUR', 'BTC', 'ETH'],
      group: TERMS,
    },
    description: { kind: 'text', describe: 'More about the lot', group: TERMS },
    reserve: {
      kind: 'text',
      describe: 'Do not sell below; kept secret until the close',
      group: TERMS,
    },
    increment: {
      kind: 'text',
      describe: 'Least step: 0.50, or by price 0:5,100:10,500:25; a usual table otherwise',
      group: TERMS,
    },
    'buy-now': { kind: 'text', describe: 'Sell at once at this price, until the first bid', group: TERMS },
    'opens-at': { kind: 'text', describe: 'TIME, or +DURATION from now; at once otherwise', group: TERMS },
    'closes-in': {
      kind: 'text',
      describe: 'DURATION from the opening: 30s, 10m, 2h, 1d, 1h30m',
      group: TERMS,
    },
    'closes-at': { kind: 'text', describe: 'TIME; without an end, you close it by hand', group: TERMS },
    'soft-close': {
      kind: 'text',
      describe: 'WINDOW/EXTENSION: a bid in the last WINDOW moves the end to EXTENSION after it',
      group: TERMS,
    },
    'hard-stop': {
      kind: 'text',
      describe: 'TIME, or +DURATION past the end, that no late bid passes',
      group: TERMS,
    },
    picture: {
      kind: 'text',
      describe:
        'JPEG, PNG or WebP of the lot; up to 12, the first one first. What is no part of the image (EXIF, places) is removed here',
      many: true,
      group: TERMS,
    },
    alt: {
      kind: 'text',
      describe: 'What a --picture shows, for whoever cannot see it; in the same order',
      many: true,
      group: TERMS,
    },
    pseudonyms: {
      kind: 'flag',
      describe: 'Gateways show their bidders by names made for this auction; bidders with nodes keep theirs',
      group: TERMS,
    },
    'no-give-back': {
      kind: 'flag',
      describe: 'End on time even where nobody could bid then; otherwise the time that was lost is given back',
      group: TERMS,
    },
    from: {
      kind: 'text',
      describe: 'CSV file with a lot a row, under the names of these options; what is given here is for all rows',
      group: LIST,
    },
    'dry-run': { kind: 'flag', describe: 'With --from: check the list, and open nothing', group: LIST },
    batch: {
      kind: 'text',
      describe: 'With --from: any name. The same row is opened once; under another name once more',
      group: LIST,
    },
    id: { kind: 'text', describe: 'Ask again with the id of an earlier try' },
    ack: ackOption,
  },
  examples: [
    ['open Pic#1 --start 75 --currency USDT', 'open until you close it'],
    ['open "Old map" --start 20 --currency EUR --reserve 60 --closes-in 2h', 'with a secret reserve'],
    ['open Vase --start 5 --currency USD --closes-in 10m --soft-close 30s/30s --hard-stop +5m', 'late bids extend it'],
    ['open --from lots.csv --currency EUR --closes-in 2d', 'all lots of a list, after all were checked'],
    ['open Chair --start 20 --currency EUR --picture front.jpg --picture back.jpg', 'with pictures'],
  ],
  notes:
    'TIME is RFC 3339 with a zone: 2030-01-31T18:00:00Z or 2030-01-31T18:00+01:00. Lists: UTF-8, separated by commas, tabs, or semicolons with decimal commas.',
  async run(session, args) {
    if (args.has('from')) {
      const alone = ['title', 'id', 'picture', 'alt'].find((name) => args.has(name))
      if (alone !== undefined)
        throw new UsageError(`${args.label(alone)} is for one auction, --from for a list`, {
          field: alone,
          next: 'give one',
        })
      return openLots(session, args, openRequest)
    }
    const ofLists = ['dry-run', 'batch'].find((name) => args.has(name))
    if (ofLists !== undefined)
      throw new UsageError(`--${ofLists} needs a list`, { field: ofLists, next: 'add --from FILE' })
    const terms = openRequest(args, args.commandId() ?? session.newCommandId('cmd'))
    const files = pictureFiles(args)
    const api = await session.api()
    const pictures = await addPictures(api, files)
    const request = { ...terms, ...(pictures.length > 0 && { pictures }) }
    const result = await send(session, args, request.commandId, () => api.open(request))
    return reportResult(session, result, (words) => [
      ...openedLines(session, words),
      ...files.flatMap(({ path, removed }) =>
        removed.length > 0 ? [`removed from ${oneLine(path)}: ${removed.join(', ')}`] : [],
      ),
    ])
  },
}

function openRequest(args: Args, commandId: string): OpenRequest {
  args.needAll('title')
  args.needAll('start', 'currency')
  const closesInMs = args.durationMs('closes-in')
  const closesAt = args.time('closes-at')
  if (closesInMs !== undefined && closesAt !== undefined) {
    throw new UsageError('--closes-in and --closes-at exclude each other', {
      field: 'closes-at',
      next: 'give one',
    })
  }
  const opens = args.timeOrOffset('opens-at')
  const softClose = args.softClose('soft-close')
  if (softClose && closesAt === undefined && closesInMs === undefined) {
    throw new UsageError('--soft-close needs an end', {
      field: 'soft-close',
      next: 'add --closes-in or --closes-at',
    })
  }
  const hardStop = args.timeOrOffset('hard-stop')
  if (hardStop !== undefined && !softClose) {
    throw new UsageError('--hard-stop caps a soft close, and there is none', {
      field: 'hard-stop',
      next: 'add --soft-close, or leave --hard-stop out',
    })
  }
  return {
    commandId,
    ...args.ack(),
    title: args.need('title'),
    currency: args.need('currency').toUpperCase(),
    start: args.need('start'),
    ...given('description', args.text('description')),
    ...given('reserve', args.text('reserve')),
    ...given('increment', args.text('increment')),
    ...given('buyNow', args.text('buy-now')),
    ...given('opensAt', opens?.at),
    ...given('opensInMs', opens?.inMs),
    ...given('closesAt', closesAt),
    ...given('closesInMs', closesInMs),
    ...given('softClose', softClose),
    ...given('hardStopAt', hardStop?.at),
    ...given('hardStopInMs', hardStop?.inMs),
    ...(args.flag('pseudonyms') && { bidderNames: 'pseudonyms' as const }),
    ...(args.flag('no-give-back') && { givesTimeBack: false }),
  }
}

function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return (value === undefined ? {} : { [key]: value }) as Partial<Record<K, V>>
}
