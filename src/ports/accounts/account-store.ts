/** Room `accounts`: what a gateway keeps of its users, and how it knows them again. */

import type { AccountRepository } from './account-repository.js'
import type { ApiKeyRepository } from './api-key-repository.js'
import type { PseudonymousBidRepository } from './pseudonymous-bid-repository.js'
import type { SessionRepository } from './session-repository.js'

/** What a gateway keeps of its users. */
export interface AccountStore {
  readonly accounts: AccountRepository
  readonly sessions: SessionRepository
  readonly apiKeys: ApiKeyRepository
  readonly pseudonymousBids: PseudonymousBidRepository
  /** Idempotent. */
  close(): Promise<void>
}
