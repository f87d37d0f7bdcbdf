import type { SeededRandom } from './seeded-random.js'

export const FAULTS = [
  'crash',
  'kill',
  'stop',
  'partition',
  'one-way',
  'weather',
  'disk-full',
  'io-error',
  'clock-jump',
  'grape-down',
  'forgery',
] as const
/** `log-lost`: a standby takes over that has not got the last commits. */
export const CLUSTER_FAULTS = ['zombie', 'log-cut', 'log-slow', 'log-down', 'log-lost'] as const
export type Fault = (typeof FAULTS)[number] | (typeof CLUSTER_FAULTS)[number]

export const ACTIONS = [
  'open',
  'bid',
  'max',
  'burst',
  'buy-now',
  'close',
  'cancel',
  'extend',
  'handover',
  'auto-bid',
  'stop-auto-bid',
  'retry',
  'reuse',
] as const
export type Action = (typeof ACTIONS)[number]

const ACTION_WEIGHTS: Record<Action, number> = {
  open: 4,
  bid: 20,
  max: 12,
  burst: 4,
  'buy-now': 1,
  close: 1,
  cancel: 1,
  extend: 2,
  handover: 3,
  'auto-bid': 5,
  'stop-auto-bid': 1,
  retry: 12,
  reuse: 3,
}

/** What one run is like. Runs differ: rare faults show better where common ones do not drown them. */
export interface Profile {
  readonly nodes: number
  readonly faults: readonly Fault[]
  readonly faultEveryMs: number
  /** Actions to draw from, each as often as it is likely. */
  readonly actions: readonly Action[]
  readonly actionEveryMs: number
  readonly maxLive: number
}

export function drawProfile(random: SeededRandom): Profile {
  const some = FAULTS.filter(() => random.chance(0.6))
  return {
    nodes: random.pick([3, 3, 3, 3, 4, 4, 5, 5, 6, 9]) as number,
    faults: some.length > 0 ? some : ['crash'],
    faultEveryMs: random.between(300, 2_500),
    actions: ACTIONS.flatMap((action) => {
      const often = Math.ceil(ACTION_WEIGHTS[action] * random.pick([0.5, 1, 2])!)
      return new Array<Action>(often).fill(action)
    }),
    actionEveryMs: random.between(40, 300),
    maxLive: random.int(1, 6),
  }
}

/** What an asynchronous standby has lost is still there as long as no copy of it is lost at the same time. */
const FAULTS_BESIDE_LOSS: readonly Fault[] = ['weather', 'clock-jump', 'grape-down', 'forgery']

/** The same mesh with some of its nodes sharing a log, whose standby is waited for or not. */
export function drawClusterProfile(mesh: Profile, random: SeededRandom): Profile & { readonly clusterNodes: number } {
  const isAsync = random.chance(0.4)
  const ofLog = CLUSTER_FAULTS.filter((fault) =>
    fault === 'log-lost' ? isAsync : fault === 'log-down' ? !isAsync : true,
  )
  const ofMesh = isAsync ? FAULTS_BESIDE_LOSS.filter((fault) => mesh.faults.includes(fault)) : mesh.faults
  return {
    ...mesh,
    // What is about the log, as often as all the rest.
    faults: [...ofMesh, ...Array.from({ length: Math.max(4, ofMesh.length) }, () => random.pick(ofLog) as Fault)],
    clusterNodes: random.int(2, mesh.nodes),
  }
}
