import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'

/** What a running node says of itself in its data directory. */
export interface RunningNode {
  readonly nodeId: string
  readonly name: string
  readonly pid: number
  /** Its RPC, "host:port". */
  readonly address: string
  readonly dhtAddress: string | null
  readonly grapeUrl: string
  readonly startedAt: string
  readonly version: string
  /** Absent in files of earlier versions. */
  readonly mesh?: string | undefined
  readonly meshId?: string | undefined
  readonly dataDir: string
}

/** In the data directory of a node, while it runs. */
export const NODE_FILE = 'node.json'
export const NODES_DIR = 'nodes'
const MAX_NODES_READ = 1_000

const nodeFileSchema = z.object({
  nodeId: z.string(),
  name: z.string(),
  pid: z.int().positive(),
  address: z.string(),
  dhtAddress: z.string().nullable(),
  grapeUrl: z.string(),
  startedAt: z.string(),
  version: z.string(),
  mesh: z.string().optional(),
  meshId: z.string().optional(),
})

/** Where the node of this name keeps its data, unless the settings say otherwise. */
export function nodeDirectory(home: string, name: string): string {
  return join(home, NODES_DIR, name)
}

/** The node that runs on this data directory, or null. What a killed node left behind does not count. */
export function readRunningNode(dataDir: string): RunningNode | null {
  let text: string
  try {
    text = readFileSync(join(dataDir, NODE_FILE), 'utf8')
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
  const parsed = nodeFileSchema.safeParse(parseJson(text))
  // An incomplete file is being written or was left by a crash: no node to talk to either way.
  if (!parsed.success || !isAlive(parsed.data.pid)) return null
  return { ...parsed.data, dataDir }
}

/** The nodes of this home that run, by name. */
export function listRunningNodes(home: string): RunningNode[] {
  return runningUnder(join(home, NODES_DIR))
}

/** The other running nodes whose data directories lie beside this one. */
export function listNeighbours(dataDir: string): RunningNode[] {
  const own = resolve(dataDir)
  return runningUnder(dirname(own)).filter((node) => node.dataDir !== own)
}

function runningUnder(directory: string): RunningNode[] {
  let entries: Dirent[]
  try {
    entries = readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
  const nodes: RunningNode[] = []
  for (const entry of entries.slice(0, MAX_NODES_READ)) {
    const node = entry.isDirectory() ? readRunningNode(join(directory, entry.name)) : null
    if (node) nodes.push(node)
  }
  return nodes.sort((a, b) => a.name.localeCompare(b.name))
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  // A node whose files this user may not read is one that this user cannot talk to.
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
