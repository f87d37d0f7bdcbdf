import type { Caller } from '../../ports/accounts/caller.js'
import type { Act, Audit, AuditSurface } from '../../ports/audit/audit.js'
import type { CommandResult } from '../../ports/node/node-answers.js'
import type { AccountCaller } from '../accounts/account-authenticator.js'
import { codeOf, outcomeAct } from '../node/node-acts.js'

/** Who makes a call, as the audit record has it. */
export interface Recorded {
  readonly via: AuditSurface
  readonly address: string
  readonly caller: Caller | null
}

type Asked = Pick<Act, 'auction' | 'about'> & { readonly who?: string | null | undefined }

/** Does the work, and records what came of it. `said`: what is known of it only then. */
export async function recorded<T>(
  audit: Audit,
  { act, call, ...asked }: { readonly act: string; readonly call: Recorded } & Asked,
  work: () => Promise<T>,
  said: (result: T) => Asked = () => ({}),
): Promise<T> {
  const by = { act, ...callerIn(call), ...asked }
  try {
    const result = await work()
    const { outcome } = (result ?? {}) as Partial<CommandResult>
    audit.record({ ...by, code: 'ok', ...said(result), ...(outcome?.status && outcomeAct(outcome)) } as Act)
    return result
  } catch (error) {
    audit.record({ ...by, code: codeOf(error) } as Act)
    throw error
  }
}

export function callerIn({ via, address, caller }: Recorded): Pick<Act, 'via' | 'from' | 'who' | 'key'> {
  const { credential } = (caller ?? {}) as Partial<AccountCaller>
  const key = credential?.kind === 'api-key' ? credential.keyId : undefined
  return { via, from: address, who: caller?.party.id ?? null, key }
}
