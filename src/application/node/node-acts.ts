import type { Act, Audit, AuditOrigin } from '../../ports/audit/audit.js'
import type { CommandResult } from '../../ports/node/node-answers.js'
import type { NodeApi, NodeCommands } from '../../ports/node/node-api.js'
import type { PictureAdded } from '../../ports/node/node-pictures.js'
import type { Outcome } from '../../ports/store/outcome-repository.js'
import { NODE_METHODS } from './node-methods.js'

/** What each command of a node is called in the audit record. */
const COMMANDS: { readonly [M in keyof NodeCommands]: string } = {
  addPicture: 'picture.add',
  open: 'auction.open',
  bid: 'bid',
  buyNow: 'bid.buy-now',
  close: 'auction.close',
  cancel: 'auction.cancel',
  extend: 'auction.extend',
  handover: 'auction.hand-over',
  takeBack: 'auction.take-back',
  giveUp: 'auction.give-up',
  autoBid: 'auto-bid.set',
  stopAutoBid: 'auto-bid.stop',
  stop: 'node.stop',
}

/** Of what only looks: what carries something away. */
const EXPORTS: { readonly [M in keyof NodeApi]?: string } = { log: 'auction.export', audit: 'audit.read' }

/** Null: it changes nothing, and leaves no line. */
export function nodeActName(method: keyof NodeApi): string | null {
  return COMMANDS[method as keyof NodeCommands] ?? EXPORTS[method] ?? null
}

export type CallAct = Pick<Act, 'auction' | 'command' | 'about' | 'code'> & { readonly who?: string | undefined }

/**
 * What a call to a node comes to; `request` may be anything where it failed. Null: a later call says it, as the last
 * piece of a picture does, or an earlier one did, as the first page of an export.
 */
export function nodeAct(
  method: keyof NodeApi,
  request: unknown,
  answer: { result: unknown } | { code: string },
): CallAct | null {
  const { auction, commandId, as, peer, fromSeq, afterSeq } = (request ?? {}) as Record<string, unknown>
  const asked = {
    auction: text(auction),
    command: text(commandId),
    who: text((as as { id?: unknown } | undefined)?.id),
    about: text(peer),
  }
  if ('code' in answer) return { ...asked, code: answer.code }
  const { result } = answer
  if (method === 'log' || method === 'audit')
    return Number(fromSeq ?? afterSeq ?? 0) > 1 ? null : { ...asked, code: 'ok' }
  if (method === 'addPicture') {
    const { picture } = result as PictureAdded
    return picture === null ? null : { ...asked, about: picture.hash, code: 'ok' }
  }
  const outcome = (result as Partial<CommandResult> | undefined)?.outcome
  return outcome ? { ...asked, ...outcomeAct(outcome) } : { ...asked, code: 'ok' }
}

export function outcomeAct(outcome: Outcome): Pick<CallAct, 'auction' | 'command' | 'code'> {
  const { auctionId, commandId } = outcome
  const code = outcome.status === 'accepted' ? 'ok' : outcome.rejection.code
  return { ...(auctionId && { auction: auctionId }), command: commandId, code }
}

export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : 'INTERNAL'
}

/** A node whose user is in this process: what they change is recorded. */
export function auditedNodeApi(
  api: NodeApi,
  audit: Audit,
  { who, ...origin }: AuditOrigin & { readonly who: string },
): NodeApi {
  const methods = NODE_METHODS.map(({ name }) => {
    const call = api[name].bind(api) as (request?: object) => Promise<unknown>
    const act = nodeActName(name)
    if (act === null) return [name, call]
    const record = (request: unknown, answer: Parameters<typeof nodeAct>[2]) => {
      const done = nodeAct(name, request, answer)
      if (done) audit.record({ ...origin, act, ...done, who: done.who ?? who })
    }
    const recorded = async (request?: object) => {
      try {
        const result = await call(request)
        record(request, { result })
        return result
      } catch (error) {
        record(request, { code: codeOf(error) })
        throw error
      }
    }
    return [name, recorded]
  })
  // There is one for each method, with its types.
  return Object.fromEntries(methods) as NodeApi
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
