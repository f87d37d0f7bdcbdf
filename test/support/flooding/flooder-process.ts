import { Agent, request as httpsRequest } from 'node:https'
import { parseAddress } from '../../../src/adapters/grenache/transport/address.js'
import { insiderOf } from '../attacked-mesh.js'
import { FLOODS, Flooder, type Params } from './floods.js'
import type { Errand, Scene } from './scene.js'

// A flooder: a process of its own, so that what it does costs nobody's thread but its own.

const scene = JSON.parse(process.argv[2] ?? '') as Scene
const insider = insiderOf(scene.dataDir)
const flooder = new Flooder(scene, insider)
const { host, port } = parseAddress(scene.target.address) as { host: string; port: number }
let agent = newAgent()
let flooding: Promise<Record<string, number>> | null = null
let stopped = false

function newAgent(): Agent {
  return new Agent({ keepAlive: true, ...insider.tls.connectOptions() })
}

/** What is sent again and again is written once. */
const bodies = new WeakMap<object, Buffer>()
function bodyOf(rpc: string, params: object): Buffer {
  let body = bodies.get(params)
  if (body === undefined) {
    body = Buffer.from(JSON.stringify(['r', rpc, { params }]))
    bodies.set(params, body)
  }
  return body
}

/** The code of the answer. Never rejects. */
function send(rpc: string, params: object): Promise<string> {
  const body = bodyOf(rpc, params)
  return new Promise((resolve) => {
    const headers = { 'content-length': String(body.length) }
    const request = httpsRequest({ host, port, method: 'POST', path: '/', agent, headers })
    request.on('response', (response) => {
      let start = ''
      response.on('data', (chunk: Buffer) => {
        if (start.length < 1_000) start += chunk.toString('latin1', 0, 1_000)
      })
      response.on('error', () => resolve('CUT'))
      response.on('close', () => resolve(/"code":"([A-Z_]+)"/.exec(start)?.[1] ?? 'ok'))
    })
    request.on('error', () => resolve('CUT'))
    request.end(body)
  })
}

async function flood(rpc: string, params: Params, atOnce: number): Promise<Record<string, number>> {
  let sent = 0
  const answers: Record<string, number> = {}
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (!stopped) {
        const code = await send(rpc, params(sent++))
        answers[code] = (answers[code] ?? 0) + 1
        await new Promise(setImmediate)
      }
    }),
  )
  return answers
}

async function obey(errand: Errand): Promise<Record<string, number> | undefined> {
  if (errand.do === 'stop') {
    stopped = true
    agent.destroy()
    const answers = await flooding
    agent = newAgent()
    flooding = null
    return answers ?? {}
  }
  const { rpc, start } = FLOODS[errand.flood] as (typeof FLOODS)[string]
  const params = start(flooder)
  if (errand.do === 'once') return { [await send(rpc, params(0))]: 1 }
  stopped = false
  flooding = flood(rpc, params, errand.atOnce)
  return undefined
}

process.on('message', (errand: Errand) => {
  void obey(errand).then((answers) => {
    if (answers !== undefined) process.send?.(answers)
  })
})
process.on('disconnect', () => process.exit())
