import { computed, signal } from '@preact/signals'
import { type ConnectionState, createClient, type GatewayInfo, RequestRefused, type VendueClient } from 'vendue/client'
import { kept } from './kept.js'

/** Who the visitor is to the gateway. */
export interface Visitor {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
}

export interface Link {
  readonly state: ConnectionState['state']
  /** By the browser's monotonic clock. */
  readonly sinceMs: number
}

export const gatewayInfo = signal<GatewayInfo | null>(null)
export const visitor = signal<Visitor | null>(null)
/** The client of whoever the visitor is now; another one when that changes. */
export const client = signal<VendueClient | null>(null)
export const link = signal<Link>({ state: 'connecting', sinceMs: performance.now() })
/** The gateway could not be reached at all yet. */
export const failed = signal(false)
/** Whether it is known by now who the visitor is, if anybody. */
export const isSettled = signal(false)
/** The login came to an end that the visitor did not ask for. */
export const loginEnded = signal(false)
export const isOpenMode = computed(() => gatewayInfo.value?.auth === 'open')

const RETRY_MS = 2_000
/** Longer than this nobody looks at an empty page. */
const UNREACHED_MS = 2_500

/** Finds out about the gateway and the visitor. Never rejects; tries until it is answered. */
export async function startSession(): Promise<void> {
  const first = createClient({ gateways: [location.origin] })
  const timer = setTimeout(() => {
    failed.value = true
  }, UNREACHED_MS)
  for (;;) {
    try {
      gatewayInfo.value = await first.gateway({ deadlineMs: 10_000 })
      break
    } catch {
      failed.value = true
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
  clearTimeout(timer)
  failed.value = false
  if (isOpenMode.value) await becomeAgain(kept.get('name'))
  else {
    use(newClient())
    if (kept.get('login') !== null) await resume()
  }
  isSettled.value = true
}

/** Asks what the gateway is by now: it may have been upgraded. */
export async function lookAtGateway(): Promise<void> {
  const asked = client.peek()
  if (asked === null || gatewayInfo.peek() === null) return
  try {
    gatewayInfo.value = await createClient({ gateways: [location.origin] }).gateway({ deadlineMs: 10_000 })
  } catch {
    // It is asked again when the connection is back.
  }
}

/** As who the visitor was before. Only the gateway's own no to the name makes them nobody. */
async function becomeAgain(name: string | null): Promise<void> {
  for (;;) {
    try {
      return await become(name)
    } catch (error) {
      if (isFinal(error)) return become(null)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

/** Refused for good, and not for want of a gateway that answers. */
function isFinal(error: unknown): boolean {
  return error instanceof RequestRefused && error.status < 500 && error.status !== 429
}

/** In open mode: bids and sells under this name. Null: only looks. Rejects where the name cannot be used. */
export async function become(name: string | null): Promise<void> {
  const next = newClient(name)
  if (name !== null) {
    const { id, name: called, scopes, roles } = await next.me()
    visitor.value = { id, name: called, scopes, roles }
  } else visitor.value = null
  kept.set('name', name)
  use(next)
}

export async function logIn(username: string, password: string): Promise<void> {
  await (client.value as VendueClient).accounts.login({ username, password })
  await entered()
}

export async function register(registration: { username: string; email?: string; password: string }): Promise<void> {
  await (client.value as VendueClient).accounts.register(registration)
  await entered()
}

export async function logOut(): Promise<void> {
  kept.set('login', null)
  visitor.value = null
  await client.value?.accounts.logout().catch(() => {})
  use(newClient())
}

async function entered(): Promise<void> {
  loginEnded.value = false
  kept.set('login', 'cookie')
  await learnVisitor()
  // What was read as nobody is read anew as somebody.
  generation.value += 1
}

/**
 * Goes on with the login that the cookie keeps. Only the gateway's own no ends it: a page that is left in the middle,
 * or a gateway that is away, says nothing of the login.
 */
async function resume(): Promise<void> {
  try {
    await client.value?.accounts.resume()
    await learnVisitor()
    generation.value += 1
  } catch (error) {
    if (isFinal(error)) kept.set('login', null)
    else setTimeout(resumeAgain, RETRY_MS)
  }
}

function resumeAgain(): void {
  if (visitor.value === null && kept.get('login') !== null) void resume()
}

async function learnVisitor(): Promise<void> {
  const { id, name, scopes, roles } = await (client.value as VendueClient).me()
  visitor.value = { id, name, scopes, roles }
}

/** Counts who the visitor has been: whatever was read for the one before has to be read again. */
export const generation = signal(0)

function newClient(name: string | null = null): VendueClient {
  const others = gatewayInfo.value?.gateways ?? []
  return createClient({
    gateways: [location.origin, ...others],
    keepLogin: 'cookie',
    fetch: fetchInTurn,
    ...(name !== null && { user: name }),
  })
}

function use(next: VendueClient): void {
  client.value?.close()
  client.value = next
  next.on('connection', ({ state }) => {
    if (client.value !== next || state === 'stopped') return
    // Each attempt to connect is not a new loss: what counts is since when there is none.
    const wasOnline = link.value.state === 'online'
    if (state === 'online' || wasOnline) link.value = { state, sinceMs: performance.now() }
    else link.value = { ...link.value, state }
  })
  next.on('tokens', ({ tokens, because }) => {
    if (client.value !== next || tokens !== null) return
    kept.set('login', null)
    visitor.value = null
    loginEnded.value = because !== null
  })
  next.connect()
  generation.value += 1
}

/** Each refresh uses up the cookie's token: tabs take turns, so that none shows one that another has used. */
function fetchInTurn(url: string, init: RequestInit): Promise<Response> {
  if (!url.endsWith('/auth/refresh') || !navigator.locks) return fetch(url, init)
  return navigator.locks.request('vendue-refresh', () => fetch(url, init))
}
