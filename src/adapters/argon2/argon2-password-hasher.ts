/** Room `argon2`: passwords, hashed with Argon2. */

import { hash, parseOptions, verify } from '@node-rs/argon2'
import type { PasswordHasher } from '../../ports/accounts/password-hasher.js'

/** The least that OWASP's password storage cheat sheet asks of argon2id: 19 MiB, two passes, one lane. */
export const ARGON2_MEMORY_KIB = 19_456
export const ARGON2_PASSES = 2
export const ARGON2_LANES = 1
/** Argon2id, whose name the package declares in a way that isolated modules cannot import. */
const ARGON2ID = 2
const COSTS = {
  algorithm: ARGON2ID,
  memoryCost: ARGON2_MEMORY_KIB,
  timeCost: ARGON2_PASSES,
  parallelism: ARGON2_LANES,
} as const

/** The most hashes that run or wait. Each takes some 30 ms of a core, and the memory above while it runs. */
export const MAX_PENDING_HASHES = 64

export class HasherBusyError extends Error {
  readonly code = 'BUSY'
  readonly next = 'try again in a few seconds'
  constructor() {
    super('too many logins at once; nothing was done')
    this.name = 'HasherBusyError'
  }
}

/** Runs in the thread pool, where hashing delays only other hashing. */
export class Argon2PasswordHasher implements PasswordHasher {
  #pending = 0
  /** The hash of a password that nobody knows. */
  #decoy: Promise<string> | undefined

  hash(password: string): Promise<string> {
    return this.#bounded(() => hash(password, COSTS))
  }

  verify(passwordHash: string | null, password: string): Promise<boolean> {
    return this.#bounded(async () => {
      if (passwordHash !== null) return verify(passwordHash, password)
      this.#decoy ??= hash(crypto.randomUUID(), COSTS)
      await verify(await this.#decoy, password)
      return false
    })
  }

  /** Makes the decoy in advance, so that the first unknown name takes no longer than others. */
  async warmUp(): Promise<void> {
    this.#decoy ??= hash(crypto.randomUUID(), COSTS)
    await this.#decoy
  }

  isOutdated(passwordHash: string): boolean {
    const { algorithm, memoryCost, timeCost, parallelism } = parseOptions(passwordHash)
    return (
      algorithm !== COSTS.algorithm ||
      memoryCost !== COSTS.memoryCost ||
      timeCost !== COSTS.timeCost ||
      parallelism !== COSTS.parallelism
    )
  }

  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pending >= MAX_PENDING_HASHES) throw new HasherBusyError()
    this.#pending += 1
    try {
      return await work()
    } finally {
      this.#pending -= 1
    }
  }
}
