import { SENDER_BUDGETS } from '../../../application/budgets/sender-budgets.js'
import { AUTH_MODES } from '../../system/account-settings.js'
import { LOG_FORMATS, LOG_LEVELS, SETTING_KEYS, type SettingKey } from '../../system/settings-schema.js'
import type { Args } from './args.js'
import type { OptionSpec } from './command.js'

type Options = Readonly<Record<string, OptionSpec>>

const OUTPUT = 'Output:'
const WHICH_NODE = 'Which node:'
const NODE = 'Node:'

/** Every command's. */
export const commonOptions: Options = {
  json: { kind: 'flag', describe: 'Print JSON for programs', group: OUTPUT },
  'no-color': { kind: 'flag', describe: 'No colours (also: NO_COLOR)', group: OUTPUT },
  config: {
    kind: 'text',
    describe: 'Config file; config.json in VENDUE_HOME (~/.vendue) otherwise',
    group: 'Configuration:',
  },
  'log-level': {
    kind: 'text',
    describe: 'trace, debug, info, warn, error or silent',
    suggest: LOG_LEVELS,
    group: 'Configuration:',
  },
}

/** Of commands that talk to a running node. */
export const reachOptions: Options = {
  name: {
    kind: 'text',
    describe: 'The node of this name; main, or the only one that runs',
    group: WHICH_NODE,
  },
  data: { kind: 'text', describe: 'The node on this data directory', group: WHICH_NODE },
  rpc: { kind: 'text', describe: 'The node at HOST:PORT', group: WHICH_NODE },
  'token-file': {
    kind: 'text',
    describe: "With --rpc: the file that holds the node's operator token (also: VENDUE_TOKEN)",
    group: WHICH_NODE,
  },
}

const GATEWAY = 'Gateway:'

/** Of commands that start a gateway. */
export const gatewayOptions: Options = {
  'http-port': {
    kind: 'text',
    describe: 'Serve HTTP on this port (0: any free one); 8080 otherwise, or a free one where it is taken',
    group: GATEWAY,
  },
  'http-host': { kind: 'text', describe: 'Serve HTTP on this address; 127.0.0.1 otherwise', group: GATEWAY },
  'http-origins': {
    kind: 'text',
    describe: 'Web pages of these origins may use it: https://shop.example,...',
    group: GATEWAY,
  },
  'http-gateways': {
    kind: 'text',
    describe: 'Other gateways with the same bidders: the web page goes on through them when this one is away',
    group: GATEWAY,
  },
  'http-connections-per-address': {
    kind: 'text',
    describe: 'WebSockets that one address may have; 10000 otherwise',
    group: GATEWAY,
  },
  'http-trusted-proxies': {
    kind: 'text',
    describe: 'Proxies whose X-Forwarded-For is believed: 10.0.0.7,192.0.2.0/24; none otherwise',
    group: GATEWAY,
  },
  'default-currency': { kind: 'text', describe: 'Of auctions that name none; USD otherwise', group: GATEWAY },
  auth: {
    kind: 'text',
    describe:
      'open: bidders’ names are taken on trust, the default on loopback; accounts: they log in, the default elsewhere',
    suggest: AUTH_MODES,
    group: GATEWAY,
  },
  'auth-open-anywhere': {
    kind: 'flag',
    describe: 'Take bidders’ names on trust even where other machines reach it: anybody may bid as anybody',
    group: GATEWAY,
  },
  open: { kind: 'flag', describe: 'Show the web page in the browser', group: GATEWAY },
  'accounts-dir': {
    kind: 'text',
    describe: 'Where its accounts lie, which gateways of one machine may share; the data directory otherwise',
    group: GATEWAY,
  },
}

/** Of commands that use the log of a cluster. */
export const sharedLogOptions: Options = {
  'shared-log': {
    kind: 'text',
    describe:
      'The PostgreSQL in which the nodes of a cluster keep their log: postgres://USER@HOST:PORT,.../DATABASE; see `vendue cluster --help`',
    group: 'Cluster:',
  },
  'shared-log-password-file': {
    kind: 'text',
    describe: 'The file that holds the password for it; a password in the URL is seen in the list of processes',
    group: 'Cluster:',
  },
}

/** Of commands that use what services make of auctions' events. */
export const databaseOptions: Options = {
  db: {
    kind: 'text',
    describe:
      "Where services keep their rows: a SQLite file, or postgres://USER@HOST:PORT/DATABASE; a file of their own in the node's data directory otherwise",
    group: 'Services:',
  },
  'db-password-file': {
    kind: 'text',
    describe: 'The file that holds the password for it; a password in the URL is seen in the list of processes',
    group: 'Services:',
  },
}

/** Of commands that start a node. */
export const startOptions: Options = {
  name: { kind: 'text', describe: 'What the node is called: 1 to 32 of a-z 0-9 - _ .', group: NODE },
  data: { kind: 'text', describe: 'Data directory; nodes/NAME in VENDUE_HOME otherwise', group: NODE },
  mesh: { kind: 'text', describe: 'Nodes find those of the same mesh only; local otherwise', group: NODE },
  rpc: {
    kind: 'text',
    describe: 'Serve RPC on HOST:PORT; any free port of 127.0.0.1 otherwise',
    group: NODE,
  },
  grape: { kind: 'text', describe: '"embedded" (the default), or the URL of a Grape', group: NODE },
  'grape-host': { kind: 'text', describe: 'Address of the embedded Grape; 127.0.0.1 otherwise', group: NODE },
  'grape-port': {
    kind: 'text',
    describe: "Port of the Grape's HTTP API; 30001 if free otherwise",
    group: NODE,
  },
  'dht-port': {
    kind: 'text',
    describe: "Port of the Grape's DHT (UDP); 20001 if free otherwise",
    group: NODE,
  },
  bootstrap: {
    kind: 'text',
    describe: 'DHT nodes to join, HOST:PORT,...; the Grapes of this machine otherwise',
    group: NODE,
  },
  'metrics-port': {
    kind: 'text',
    describe: 'Serve metrics for Prometheus on this port as well; the gateway has them at /metrics anyway',
    group: NODE,
  },
  'metrics-host': {
    kind: 'text',
    describe: 'Serve metrics on this address; 127.0.0.1 otherwise',
    group: NODE,
  },
  currencies: {
    kind: 'text',
    describe: 'Further currencies with their decimals, such as GOLD:3,POINT:0',
    group: NODE,
  },
  'peer-wait': {
    kind: 'text',
    describe:
      'How long a home that has just started writes nothing while none of the peers that it knows answers: they may hold more of its auctions; 30s otherwise (off: 3 s)',
    group: NODE,
  },
  'audit-keep': {
    kind: 'text',
    describe: 'How long lines of the audit record are kept, such as 90d, or forever; 400d otherwise',
    group: NODE,
  },
  budgets: {
    kind: 'text',
    describe: `What each other member may use up here, such as log-bytes:8GiB,work:4s,requests:64; there are ${Object.keys(SENDER_BUDGETS).join(', ')}`,
    group: NODE,
  },
  ...sharedLogOptions,
  'no-analytics': { kind: 'flag', describe: 'Compute no statistics', group: 'Services:' },
  ...databaseOptions,
  'pictures-own-mb': {
    kind: 'text',
    describe: 'MiB for the pictures of its own auctions; 8192 otherwise',
    group: NODE,
  },
  'pictures-copies-mb': {
    kind: 'text',
    describe: "MiB for copies of others' pictures, dropped and fetched again as needed; 1024 otherwise",
    group: NODE,
  },
  'log-format': {
    kind: 'text',
    describe: 'pretty, json or auto (pretty on a terminal)',
    suggest: LOG_FORMATS,
    group: 'Configuration:',
  },
}

/** The settings among the options that were given. */
export function settingFlags(args: Args): Partial<Record<SettingKey, string>> {
  const flags: Partial<Record<SettingKey, string>> = {}
  for (const key of SETTING_KEYS) {
    const option = key.replaceAll('_', '-')
    const value = args.flag(option) ? 'yes' : args.text(option)
    if (value !== undefined) flags[key] = value
  }
  if (args.flag('no-gateway')) flags.gateway = 'no'
  if (args.flag('no-analytics')) flags.analytics = 'no'
  return flags
}
