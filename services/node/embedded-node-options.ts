import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { SqliteMembershipRepository } from '../../src/adapters/sqlite/sqlite-membership-repository.js'
import { nodeDirectory } from '../../src/adapters/system/running-nodes.js'
import { MESHES_DIR, type NodeSettings } from '../../src/adapters/system/settings.js'
import { settingsSchema } from '../../src/adapters/system/settings-schema.js'
import { parseSharedLog } from '../../src/adapters/system/shared-log-address.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import type { Logger } from '../../src/ports/system/logger.js'
import { HomeMeshAdmin } from '../mesh/mesh-admin.js'

export interface EmbeddedNodeOptions {
  /** What this participant is called; also the name of its folder. */
  readonly name: string
  /** Where nodes and their meshes are kept; VENDUE_HOME, or `.vendue` of the user's home directory, otherwise. */
  readonly home?: string
  /** Its own key and auctions, used by no other node; the folder `nodes/NAME` of `home` otherwise. */
  readonly dataDir?: string
  /**
   * Nodes find those of the same mesh only: "local" otherwise, or the one that was joined. A mesh of `home` is joined
   * by itself, and made where there is none.
   */
  readonly mesh?: string
  /** Of `vendue mesh invite`, to join a mesh of another machine at the first start. */
  readonly joinToken?: string
  /** Where others reach it; 127.0.0.1 otherwise. */
  readonly host?: string
  /** Any free ones otherwise. */
  readonly ports?: { readonly rpc?: number; readonly grape?: number; readonly dht?: number }
  /** "host:port" of other nodes' DHTs, by which it finds the mesh; or the URL of a Grape that runs elsewhere. */
  readonly bootstrap?: readonly string[]
  readonly grape?: string
  /** Currencies beside the known ones: code to decimal places. */
  readonly currencies?: Readonly<Record<string, number>>
  /**
   * How long, once it has started, it writes nothing to auctions of its own while none of the peers that it knows
   * answers: they may hold more. 30,000 otherwise.
   */
  readonly peerWaitMs?: number
  /**
   * What each other member may use up here, by budget: `{requests: 64, 'log-bytes': '8GiB'}`; the defaults otherwise.
   */
  readonly budgets?: Readonly<Record<string, number | string>>
  /**
   * The PostgreSQL in which the nodes of its cluster keep their log, "postgres://user@host,host/database". The key of
   * the cluster lies in `dataDir`: see `vendue cluster`.
   */
  readonly sharedLog?: string
  /** The file that holds the password for it, where the URL does not. */
  readonly sharedLogPasswordFile?: string
  /** Nothing is logged otherwise. */
  readonly logger?: Logger
}

function homeOf({ home }: EmbeddedNodeOptions): string {
  return resolve(home ?? (process.env.VENDUE_HOME || join(homedir(), '.vendue')))
}

/** A token is good for so many joins: who is a member already does not use it. */
export async function joinOnce(options: EmbeddedNodeOptions, { dataDir, name }: NodeSettings): Promise<void> {
  if (options.joinToken === undefined) return
  if (existsSync(dataDir)) {
    const repository = SqliteMembershipRepository.open(dataDir)
    const joined = repository.all().length > 0
    repository.close()
    if (joined) return
  }
  await new HomeMeshAdmin({ home: homeOf(options) }).join(options.joinToken, { dataDir, name, addresses: [] })
}

/** What a name and the like may be is the same as for `vendue start`. Throws `NodeError`. */
function checkOptions(options: EmbeddedNodeOptions): void {
  const {
    name,
    mesh,
    currencies,
    budgets,
    bootstrap,
    grape,
    host,
    ports,
    peerWaitMs,
    sharedLog,
    sharedLogPasswordFile,
  } = options
  const { shape } = settingsSchema
  const port = shape.http_port.optional()
  const given: readonly [field: string, schema: z.ZodType, value: unknown][] = [
    ['name', shape.name, name],
    ['mesh', shape.mesh.optional(), mesh],
    ['currencies', shape.currencies.optional(), currencies],
    ['budgets', shape.budgets.optional(), budgets],
    ['bootstrap', shape.bootstrap.optional(), bootstrap],
    ['grape', shape.grape.optional(), grape],
    ['peerWaitMs', z.int().min(0).max(MAX_PEER_WAIT_MS).optional(), peerWaitMs],
    ['host', shape.http_host.optional(), host],
    ['sharedLog', shape.shared_log.optional(), sharedLog],
    ['sharedLogPasswordFile', shape.shared_log_password_file.optional(), sharedLogPasswordFile],
    ...Object.entries(ports ?? {}).map(([key, value]) => [`ports.${key}`, port, value] as [string, z.ZodType, unknown]),
  ]
  for (const [field, schema, value] of given) {
    const rule = schema.safeParse(value).error?.issues[0]
    if (rule === undefined) continue
    // A URL of the log may hold a password.
    const shown = field === 'sharedLog' ? '' : ` ${(JSON.stringify(value) ?? 'undefined').slice(0, MAX_SHOWN)}`
    const words = /^(must|has) |is not right/.test(rule.message) ? rule.message : 'is not valid'
    throw new NodeError('INVALID_INPUT', `${field}${shown} ${words}`, { field, next: 'correct it' })
  }
}

const MAX_SHOWN = 80
const MAX_PEER_WAIT_MS = 24 * 3_600_000

export function settingsOf(options: EmbeddedNodeOptions): NodeSettings {
  checkOptions(options)
  const { name, mesh = 'local', host = '127.0.0.1', ports = {} } = options
  const home = homeOf(options)
  return {
    name,
    mesh,
    meshNamed: options.mesh !== undefined,
    meshesDir: join(home, MESHES_DIR),
    dataDir: resolve(options.dataDir ?? nodeDirectory(home, name)),
    currencies: options.currencies ?? {},
    budgets: settingsSchema.shape.budgets.parse(options.budgets ?? {}),
    rpc: { host, port: ports.rpc ?? 0 },
    grape:
      options.grape === undefined
        ? {
            mode: 'embedded',
            host,
            apiPort: ports.grape ?? 0,
            dhtPort: ports.dht ?? 0,
            ports: 'exact',
            bootstrap: options.bootstrap ?? [],
          }
        : { mode: 'url', url: options.grape },
    log: { level: 'silent', format: 'json' },
    ...sharedLogOf(options),
    ...(options.peerWaitMs !== undefined && { peerWaitMs: options.peerWaitMs }),
  }
}

function sharedLogOf({ sharedLog, sharedLogPasswordFile }: EmbeddedNodeOptions): Pick<NodeSettings, 'sharedLog'> {
  if (sharedLog === undefined) return {}
  const address = parseSharedLog(sharedLog)
  return { sharedLog: { ...address, passwordFile: sharedLogPasswordFile ? resolve(sharedLogPasswordFile) : null } }
}
