import type { Profiler } from 'node:inspector'

/** What a bid is charged for: each function's time counts for the nearest of these that it was called by, or is. */
const STEPS: readonly [step: string, functions: readonly string[]][] = [
  ['read from the socket, WebSocket frame', ['onStreamRead', 'maybeReadMore_', 'consume', 'getData']],
  ['parse and check the message', ['#receive', 'parseFrame', 'soundBid']],
  ['desk: who, limits, id, turn', ['bid bid-desk', '#place', 'enter', 'admit', '#queue', 'atEnd', '#begin']],
  ['check the request, find the home', ['parseBid', 'bid local-node-commands', '#submitNow', 'enqueue']],
  ['look ids up', ['#storedOutcomes', '#taken', '#release']],
  ['decide', ['decide batch-draft', 'BatchDraft']],
  ['write and hash the commit', ['writeBody', 'hashOf']],
  ['sign', ['sign remembered-signatures', 'sign node-key']],
  ['rows for the writer', ['appendOperation']],
  ['to the writer thread and back', ['postMessage', 'callbackTrampoline', '#onReply', '(anonymous) messageport']],
  ['answer: text', ['acceptedText', 'replyAscii', 'place socket-bids']],
  ['write to the socket', ['writeGeneric', 'Socket._writeGeneric', 'Writable.write']],
  ['events: feed, hub', ['follow', '#hear', 'hear', '#onPublished', 'notify']],
  ['batches: mailbox, waits', ['#drain', '#process', '#write', '#written', 'gather']],
  ['transaction without the sync', ['#carryOut', 'writeTallies', 'reset']],
  ['commit with its disk sync (waiting)', ['#transact']],
  ['is the file still there', ['unlessGone', 'missing']],
  ['garbage', ['(garbage collector)']],
  ['profiler', ['begun profiler', 'end profiler', 'post inspector', 'post node:inspector']],
]
const NOT_OURS: ReadonlySet<string> = new Set(['profiler'])

const STEP_OF = new Map(STEPS.flatMap(([step, functions]) => functions.map((name) => [name, step] as const)))
const OTHER = 'other, native'

type Profile = Profiler.Profile
type ProfileNode = Profile['nodes'][number]

/** Microseconds by step. Idle time is left out, and the profiler's own. */
export function stepsOf(profile: Profile): Map<string, number> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const self = new Map<number, number>()
  profile.samples?.forEach((id, i) => {
    self.set(id, (self.get(id) ?? 0) + (profile.timeDeltas?.[i] ?? 0))
  })
  const steps = new Map<string, number>()
  const walk = (node: ProfileNode, above: string): void => {
    const step = stepOf(node) ?? above
    if (node.callFrame.functionName !== '(idle)' && !NOT_OURS.has(step))
      steps.set(step, (steps.get(step) ?? 0) + (self.get(node.id) ?? 0))
    for (const id of node.children ?? []) walk(nodes.get(id) as ProfileNode, step)
  }
  const [root] = profile.nodes
  if (root !== undefined) walk(root, OTHER)
  return steps
}

function stepOf({ callFrame: { functionName, url } }: ProfileNode): string | undefined {
  const file = url.split('/').at(-1)?.replace(/\.js$/, '') ?? ''
  return STEP_OF.get(`${functionName || '(anonymous)'} ${file}`) ?? STEP_OF.get(functionName)
}
