import { z } from 'zod'
import { clientMessages, replyMessages } from '../../application/gateway/messages.js'
import { eventMessages } from '../../application/gateway/public-events.js'
import { CLOSE } from './close-codes.js'
import { pathMessages } from './event-frames.js'

type Node = string | number | boolean | null | readonly Node[] | { readonly [key: string]: Node | undefined }

/** The WebSocket API as an AsyncAPI 3.0 document, made from the schemas that the messages are checked with. */
export function asyncApiYaml(version: string): string {
  return `# Made from src/application/gateway/messages.ts and public-events.ts; a gateway serves it at /docs/asyncapi.yaml.\n${yaml(asyncApi(version), 0)}`
}

function asyncApi(version: string): Node {
  const sent = Object.keys(clientMessages)
  const replies = Object.keys(replyMessages)
  const heard = [...replies, ...Object.keys(eventMessages)]
  const heardOnPath = [...replies, ...Object.keys(pathMessages)]
  const refs = (names: readonly string[], componentOf = (name: string) => name) =>
    Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${componentOf(name)}` }]))
  const query = {
    user_id: text('Who bids, on a gateway that takes names on trust.'),
    access_token: text(
      'The access token, on a gateway with accounts. Addresses end up in logs: rather send headers, or `authenticate` as the first message.',
    ),
    from_seq: text('Go on from this seq: no gap, no duplicate.'),
    mode: text('all (default) or newest: leaves prices out that are overtaken at once.'),
    presence: text('false: do not tell who comes and goes.'),
  }
  const bindings = { ws: { query: { type: 'object', properties: query } } }
  const operation = (action: string, channel: string, names: readonly string[]) => ({
    action,
    channel: { $ref: `#/channels/${channel}` },
    messages: names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
  })
  return {
    asyncapi: '3.0.0',
    info: { title: 'Vendue gateway, live', version, description: INTRODUCTION },
    servers: { local: { host: '127.0.0.1:8080', protocol: 'ws' } },
    defaultContentType: 'application/json',
    channels: {
      auction: {
        address: '/ws/auction/{id}',
        description:
          'One auction: hears it from the start, and bids on it. Events are in the words of other auction servers: `bid_update` and `auction_ended`.',
        parameters: { id: { description: 'Id of the auction, or the start of one.' } },
        bindings,
        messages: refs([...sent, ...heardOnPath], onPath),
      },
      many: {
        address: '/ws',
        description: 'Several auctions, or the catalogue: hears what it subscribes to.',
        bindings,
        messages: refs([...sent, ...heard]),
      },
    },
    operations: {
      askAuction: operation('send', 'auction', sent),
      hearAuction: operation('receive', 'auction', heardOnPath),
      askMany: operation('send', 'many', sent),
      hearMany: operation('receive', 'many', heard),
    },
    components: {
      messages: {
        ...messagesOf(clientMessages, 'input'),
        ...messagesOf(replyMessages, 'output'),
        ...messagesOf(eventMessages, 'output'),
        ...Object.fromEntries(
          Object.entries(messagesOf(pathMessages, 'output')).map(([name, message]) => [onPath(name), message]),
        ),
      },
    },
  }
}

/** The message that is described there: of the same name elsewhere, unless it differs. */
function onPath(name: string): string {
  const elsewhere: z.ZodType | undefined = eventMessages[name as keyof typeof eventMessages]
  const differs = elsewhere !== undefined && elsewhere !== pathMessages[name as keyof typeof pathMessages]
  return differs ? `${name}_of_path` : name
}

const INTRODUCTION = [
  'Messages are JSON text, one a frame, up to 128 KiB. Amounts are decimal text beside their currency, times RFC 3339 in UTC.',
  'Events carry the seq of their auction: reconnect with from_seq one past the last one heard.',
  'A bid_id of yours makes a bid safe to repeat; bid_unknown says that it has to be.',
  `Close codes: ${CLOSE.restart} the gateway stops, ${CLOSE.notFound} no such auction, ${CLOSE.slowReader} too slow a reader, ${CLOSE.policy} too many mistakes, ${CLOSE.tooBig} too large a frame.`,
].join(' ')

function text(description: string): Node {
  return { type: 'string', description }
}

function messagesOf(schemas: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output'): Record<string, Node> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _, description, ...payload } = z.toJSONSchema(schema, { io }) as Record<string, Node>
      return [name, { name, summary: description, payload }]
    }),
  )
}

const PLAIN = /^[A-Za-z_$][A-Za-z0-9_$-]*$/
const WORDS_OF_YAML = /^(true|false|null|yes|no|on|off|y|n)$/i

/** As much of YAML as this needs: quoted where there is any doubt. */
function yaml(node: Node, depth: number): string {
  const pad = '  '.repeat(depth)
  if (Array.isArray(node))
    return node.map((item: Node) => `${pad}- ${inline(item) ?? yaml(item, depth + 1).trimStart()}`).join('')
  return Object.entries(node as Readonly<Record<string, Node | undefined>>)
    .filter((entry): entry is [string, Node] => entry[1] !== undefined)
    .map(([key, value]) => `${pad}${scalar(key)}:${withSpace(inline(value)) ?? `\n${yaml(value, depth + 1)}`}`)
    .join('')
}

function withSpace(line: string | null): string | null {
  return line === null ? null : ` ${line}`
}

/** A value that fits in its line, with the newline; null for one that does not. */
function inline(node: Node): string | null {
  if (node === null || typeof node !== 'object') return `${scalar(node)}\n`
  if (Array.isArray(node)) return node.length === 0 ? '[]\n' : null
  return Object.keys(node).length === 0 ? '{}\n' : null
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value)
  return PLAIN.test(value) && !WORDS_OF_YAML.test(value) ? value : JSON.stringify(value)
}
