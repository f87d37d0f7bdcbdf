import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../../test/support/eventually.js'
import { NodeProcess } from '../../test/support/node-process.js'
import type { BidFigures, BidLoad } from './bid-client.js'
import { Child } from './child.js'

/** A node with its gateway, in a process of its own. */
export interface Gateway {
  readonly node: NodeProcess
  readonly url: string
  open(): Promise<string>
  end(): Promise<void>
}

export interface StartOptions {
  /** Of a node that has been prepared; a new home is removed at the end. */
  readonly home?: string
  readonly name?: string
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

export async function startGateway({
  home: given,
  name = 'gateway',
  args = [],
  env = {},
}: StartOptions = {}): Promise<Gateway> {
  const home = given ?? mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const node = await NodeProcess.start({
    home,
    name,
    logLevel: 'warn',
    args: ['--grape-port', '0', '--dht-port', '0', '--http-port', '0', ...args],
    env: { VENDUE_GATEWAY: 'yes', VENDUE_MESH: 'bench', ...env },
  })
  const url = await eventually('it says where', () => /http {3}(http:\S+)/.exec(node.output)?.[1])
  return {
    node,
    url: url.replace('http', 'ws'),
    async open() {
      const commandId = `cmd_bench-${process.pid}-${Math.round(performance.now())}`
      const terms = { title: 'Lot', currency: 'EUR', start: '0.01', increment: '0.01' }
      return (await node.api.open({ commandId, ...terms })).outcome.auctionId
    },
    async end() {
      await node.end()
      if (given === undefined) rmSync(home, { recursive: true, force: true })
    },
  }
}

export function rateOf({ accepted, seconds }: BidFigures): number {
  return accepted / seconds
}

export async function echoed(load: Pick<BidLoad, 'connections' | 'warmUpMs' | 'ms'>): Promise<BidFigures> {
  const { child, first } = await Child.start<{ port: number }>('echo-server')
  try {
    return await measure({
      ...load,
      url: `ws://127.0.0.1:${first.port}/`,
      auctionId: `auc_${'0'.repeat(26)}`,
    })
  } finally {
    child.end()
  }
}

export async function measure(load: BidLoad): Promise<BidFigures> {
  const { child } = await Child.start('bid-client')
  try {
    return await child.ask<BidFigures>(load)
  } finally {
    child.end()
  }
}

/** Microseconds of processor time that a process has used, all threads together; 0 where that cannot be known. */
export function cpuOf(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * TICK_US
  } catch {
    return 0
  }
}

const TICK_US = 10_000
