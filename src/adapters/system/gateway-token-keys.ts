import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import { GATEWAY_SECRETS_FILE, type GatewayKey, type GatewaySecrets, loadGatewaySecrets } from './gateway-secrets.js'

export interface GatewayTokenKeysDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
}

/** How long a running gateway may still accept tokens of dropped keys. */
export const RECHECK_MS = 1_000

/** The token keys of a data directory as they are now: an operator may exchange them while gateways run. */
export class GatewayTokenKeys {
  readonly #deps: GatewayTokenKeysDeps
  readonly #dataDir: string
  #keys: GatewaySecrets['tokenKeys']
  #version: string
  #checkedAtMs: number

  constructor(dataDir: string, deps: GatewayTokenKeysDeps, tokenKeys: GatewaySecrets['tokenKeys']) {
    this.#deps = deps
    this.#dataDir = dataDir
    this.#keys = tokenKeys
    // Unknown: the file may have changed since it was read.
    this.#version = ''
    this.#checkedAtMs = Number.NEGATIVE_INFINITY
  }

  /** The first signs. The same array as before, as long as they are the same. Never throws. */
  current(): readonly [GatewayKey, ...GatewayKey[]] {
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs - this.#checkedAtMs < RECHECK_MS) return this.#keys
    this.#checkedAtMs = nowMs
    return this.latest()
  }

  /** As `current`, but reads the file now. */
  latest(): readonly [GatewayKey, ...GatewayKey[]] {
    const version = this.#versionOfFile()
    if (version === null || version === this.#version) return this.#keys
    this.#version = version
    try {
      const { tokenKeys } = loadGatewaySecrets(this.#dataDir, this.#deps.random)
      if (!sameKeys(tokenKeys, this.#keys)) {
        this.#keys = tokenKeys
        this.#deps.logger.info({ keyId: tokenKeys[0].id }, 'another key signs access tokens from now on')
      }
    } catch (error) {
      this.#deps.logger.error({ err: error }, 'the keys cannot be read again; those of before are used on')
    }
    return this.#keys
  }

  /** Null if there is no file: a missing one is no reason to make other keys while logins are open. */
  #versionOfFile(): string | null {
    const stat = statSync(join(this.#dataDir, GATEWAY_SECRETS_FILE), { throwIfNoEntry: false })
    return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : null
  }
}

function sameKeys(a: readonly GatewayKey[], b: readonly GatewayKey[]): boolean {
  return a.length === b.length && a.every(({ id, retiredAt }, i) => id === b[i]?.id && retiredAt === b[i].retiredAt)
}
