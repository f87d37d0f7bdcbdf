import type { z } from 'zod'
import { isId, isSeq, isTime, MAX_PARTY_NAME_LENGTH, nameProblem } from '../../domain/limits.js'
import { isMinor } from '../../domain/money.js'
import { eventSchema } from './event-schema.js'
import { inexactness } from './exact-json.js'
import { BYTES32, HEX64, SIGNATURE } from './input-schemas.js'
import {
  bodyOf,
  type CommitBody,
  type WrittenBid,
  type WrittenBody,
  type WrittenEvent,
  writtenBody,
} from './written-body.js'

export const MAX_EVENTS_PER_COMMIT = 4_096
const MAX_COMMANDS_PER_MANDATE = 1_000

/** A body that nobody accepts; `rule` names the place and what belongs there. */
export class BodyError extends Error {
  readonly code = 'BAD_BODY'
  constructor(
    readonly rule: string,
    options?: ErrorOptions,
  ) {
    super(rule, options)
    this.name = 'BodyError'
  }
}

/** The text that is hashed, stored and sent from then on. Throws `BodyError` for one that nobody would read. */
export function writeBody(body: CommitBody): string {
  return JSON.stringify(soundBody(writtenBody(body)))
}

/**
 * What the text says, its shape checked; what it may say in a given state is for `evolve` to check. Throws `BodyError`.
 */
export function readBody(text: string): CommitBody {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new BodyError('the body is not JSON', { cause })
  }
  const body = bodyOf(soundBody(outlineOf(json)))
  const inexact = inexactness(text, json)
  if (inexact !== null) throw new BodyError(`the body ${inexact}`)
  return body
}

/**
 * What a body has to look like, for who writes it as for who reads it: a home cannot write what replicas refuse.
 * Checked by hand, since a schema costs more for a bid than all else that is done to it. Throws `BodyError`.
 */
function soundBody(body: WrittenBody): WrittenBody {
  const { auctionId, firstSeq, prevHash, parties, events, mandates } = body
  must(auctionId === null || isId(auctionId), 'auctionId', 'must be an id, or null')
  must(prevHash === null || isHash(prevHash), 'prevHash', 'must be a SHA-256 in lower-case hex, or null')
  mustList(parties, 'parties', 0, MAX_EVENTS_PER_COMMIT)
  mustList(events, 'events', 1, MAX_EVENTS_PER_COMMIT)
  mustList(mandates, 'mandates', 0, MAX_EVENTS_PER_COMMIT)
  must(isSeq(firstSeq) && isSeq(firstSeq + events.length - 1), 'firstSeq', 'must be the number of an event')
  parties.forEach(checkParty)
  mandates.forEach((mandate, place) => {
    checkMandate(mandate, events.length, place)
  })
  return { ...body, events: events.map((event, place) => soundEvent(event, parties.length, place)) }
}

const KEYS = ['auctionId', 'firstSeq', 'prevHash', 'parties', 'events', 'mandates'] as const
const KEYS_RULE = `must have ${KEYS.join(', ')}`
const NO_OTHERS_RULE = `${KEYS_RULE} alone`

/** A body with the right keys and no others; what is behind them is not known yet. */
function outlineOf(json: unknown): WrittenBody {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
  must(isObject && KEYS.every((key) => Object.hasOwn(json, key)), 'shape', KEYS_RULE)
  must(Object.keys(json as object).length === KEYS.length, 'shape', NO_OTHERS_RULE)
  return json as WrittenBody
}

function mustList(value: unknown, place: string, min: number, max: number): void {
  if (!isList(value, min, max)) throw wrong(place, listRule(min, max))
}

function isList(value: unknown, min: number, max: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length >= min && value.length <= max
}

function listRule(min: number, max: number): string {
  return `must be a list of ${min} to ${max}`
}

function must(holds: boolean, place: string, rule: string): void {
  if (!holds) throw wrong(place, rule)
}

function wrong(place: string, rule: string): BodyError {
  return new BodyError(`the body's ${place}: ${rule}`)
}

function checkParty(party: unknown, place: number): void {
  const [id, name] = Array.isArray(party) && party.length === 2 ? (party as unknown[]) : []
  if (!isId(id) || typeof name !== 'string') throw wrong(`parties.${place}`, 'a party is [id, name]')
  const problem = nameProblem(name, MAX_PARTY_NAME_LENGTH)
  if (problem !== null) throw wrong(`parties.${place}.1`, problem)
}

function soundEvent(json: unknown, parties: number, place: number): WrittenEvent {
  if (Array.isArray(json)) {
    if (isSoundBid(json, parties)) return json
    throw wrong(
      `events.${place}`,
      'a bid is [at, bidId, place in parties, amount or commitment, price, leads, reserveMet]',
    )
  }
  const parsed = eventSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw shapeError(parsed.error, ['events', place])
}

function isSoundBid(json: readonly unknown[], parties: number): json is WrittenBid {
  const offer = json[3]
  return (
    json.length === 7 &&
    isTime(json[0]) &&
    isId(json[1]) &&
    isPlace(json[2], parties) &&
    (typeof offer === 'string' ? HEX64.test(offer) : isMinor(offer)) &&
    isMinor(json[4]) &&
    typeof json[5] === 'boolean' &&
    typeof json[6] === 'boolean'
  )
}

function checkMandate(json: unknown, events: number, place: number): void {
  const fault = mandateFault(json, events)
  if (fault !== null) throw wrong(`mandates.${place}${fault.within}`, fault.rule)
}

function mandateFault(json: unknown, events: number): { within: string; rule: string } | null {
  if (!isList(json, 4, 4)) return { within: '', rule: listRule(4, 4) }
  const [signer, signedAt, commands, signature] = json
  if (!isMatch(signer, BYTES32)) return { within: '.0', rule: 'must be a public key in base64url' }
  if (!isTime(signedAt)) return { within: '.1', rule: 'must be a time' }
  if (!isList(commands, 1, MAX_COMMANDS_PER_MANDATE))
    return { within: '.2', rule: listRule(1, MAX_COMMANDS_PER_MANDATE) }
  if (!isMatch(signature, SIGNATURE)) return { within: '.3', rule: 'must be a signature in base64url' }
  const isSound = (command: unknown) => (typeof command === 'string' ? BYTES32.test(command) : isPlace(command, events))
  if (commands.every(isSound)) return null
  return { within: '.2', rule: "a command is its bid's place in events, or a digest in base64url" }
}

function isHash(value: unknown): value is string {
  return isMatch(value, HEX64)
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function isPlace(value: unknown, places: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < places
}

function shapeError({ issues: [issue] }: z.ZodError, within: readonly PropertyKey[]): BodyError {
  return wrong([...within, ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is not valid')
}
