import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { NodeError } from '../../../ports/node/node-error.js'
import { OPERATOR_TOKEN_FILE } from '../../system/operator-token.js'
import { listRunningNodes, nodeDirectory, type RunningNode, readRunningNode } from '../../system/running-nodes.js'
import { DEFAULT_NAME, type SettingSource, type Settings } from '../../system/settings.js'
import { UsageError } from '../parse/usage-error.js'
import type { NodeTarget } from './cli-deps.js'

export interface FindNodeOptions {
  readonly settings: Settings
  /** `--token-file` */
  readonly tokenFile: string | undefined
  /** `VENDUE_TOKEN` */
  readonly token: string | undefined
  /** How the user calls this program. */
  readonly program: string
}

export interface FoundNode {
  readonly target: NodeTarget
  /** Null for a node that is not of this machine's home. */
  readonly node: RunningNode | null
  /** Where the choice needs saying. */
  readonly remark: string | null
}

/**
 * The node that a command is meant for: the one that a flag names, else the environment, else the config file; else
 * "main"; else the only one that runs here. Throws `UsageError`, or `NodeError` NODE_UNREACHABLE where none runs.
 */
export function findNode(options: FindNodeOptions): FoundNode {
  const { settings } = options
  const { sources, values } = settings
  for (const kind of ['flag', 'environment', 'file'] as const) {
    const given = (['rpc', 'data', 'name'] as const).filter((key) => sources[key].kind === kind)
    const key = given[0]
    // In the config file, `rpc` is where a node listens.
    if (key === undefined || (kind === 'file' && key === 'rpc' && given.length === 1)) continue
    if (kind === 'flag' && given.length > 1 && given.includes('rpc')) {
      throw new UsageError('--rpc already says which node', {
        field: 'rpc',
        next: 'leave --name and --data out',
      })
    }
    if (key === 'rpc' && kind !== 'file') return atAddress(options)
    const byData = given.includes('data')
    const dataDir = byData ? values.data : nodeDirectory(settings.home, values.name)
    return onDirectory(dataDir, byData ? null : values.name, options.program)
  }
  return anyNode(options)
}

function atAddress({ settings, tokenFile, token }: FindNodeOptions): FoundNode {
  const { host, port } = settings.values.rpc
  const source: SettingSource = settings.sources.rpc
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (port === 0) {
    throw new UsageError(`${source.kind === 'flag' ? '--rpc' : 'VENDUE_RPC'} ${address} names no port`, {
      field: 'rpc',
      next: 'give the port that the node printed when it started',
    })
  }
  const node = listRunningNodes(settings.home).find((running) => running.address === address) ?? null
  const given = tokenFile !== undefined ? readToken(tokenFile) : token || null
  if (node) return { target: { ...targetOf(node), ...(given ? { token: given } : {}) }, node, remark: null }
  // Another machine's node: certificates say who it is and who asks.
  return { target: { address, token: given, nodeId: null, home: settings.home }, node, remark: null }
}

function onDirectory(dataDir: string, name: string | null, program: string): FoundNode {
  const node = readRunningNode(dataDir)
  if (node) return { target: targetOf(node), node, remark: null }
  const what = name === null ? `on ${dataDir}` : `named "${name}"`
  const start = name === null ? `--data ${dataDir}` : name === DEFAULT_NAME ? '' : `--name ${name}`
  throw notRunning(`no node ${what} runs`, `${program} start ${start}`.trim())
}

function anyNode({ settings, program }: FindNodeOptions): FoundNode {
  const running = listRunningNodes(settings.home)
  const main = running.find(({ dataDir }) => dataDir === nodeDirectory(settings.home, DEFAULT_NAME))
  if (main) return { target: targetOf(main), node: main, remark: null }
  const [only] = running
  if (!only) throw notRunning('no node runs on this machine', `${program} start`)
  if (running.length === 1) {
    return { target: targetOf(only), node: only, remark: `using node ${only.name}, the only one that runs` }
  }
  const names = running.map(({ name }) => name).join(', ')
  throw new UsageError(`several nodes run on this machine: ${names}`, {
    field: 'name',
    next: `say which one, such as --name ${only.name}`,
  })
}

function notRunning(message: string, start: string): NodeError {
  return new NodeError('NODE_UNREACHABLE', message, { next: `start it with \`${start}\`, or npm start` })
}

function targetOf({ address, dataDir, nodeId }: RunningNode): NodeTarget {
  return { address, nodeId, home: null, token: readToken(join(dataDir, OPERATOR_TOKEN_FILE)) }
}

function readToken(path: string): string {
  let token: string
  try {
    token = readFileSync(resolve(path), 'utf8').trim()
  } catch (cause) {
    throw new UsageError(`cannot read the operator token in ${path}: ${(cause as Error).message}`, {
      field: 'token-file',
      next: "act as the user who started the node, or give its token's file with --token-file",
      cause,
    })
  }
  if (token === '') {
    throw new UsageError(`${path} holds no operator token`, {
      field: 'token-file',
      next: 'name another file',
    })
  }
  return token
}
