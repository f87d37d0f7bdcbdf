import type { GatewaySettings } from '../../src/adapters/system/gateway-settings.js'
import { DEFAULT_LIMITS } from '../../src/application/gateway/limit-rules.js'
import { Limits } from '../../src/application/gateway/limits.js'
import { openAccounts } from './accounts.js'
import { type GatewayNeeds, type RunningGateway, startGateway } from './create-gateway.js'

/**
 * A gateway as its settings want it: with the accounts of its data directory, which are opened and closed with it, or
 * taking names on trust. Rejects as `startGateway` and `openAccounts` do.
 */
export async function serveGateway(
  settings: GatewaySettings,
  { api, feed, logger, metrics, stats }: Pick<GatewayNeeds, 'api' | 'feed' | 'logger' | 'metrics' | 'stats'>,
): Promise<RunningGateway> {
  const node = { api, feed, logger, stats, ...(metrics && { metrics }) }
  const { auth, dataDir, accounts: accountSettings, limits } = settings
  if (auth === 'open') {
    return startGateway(settings, { ...node, ...(limits && { guard: new Limits(limits) }) })
  }
  const options = { accounts: accountSettings, limits: limits ?? DEFAULT_LIMITS }
  const accounts = await openAccounts(dataDir, options, { logger })
  try {
    const gateway = await startGateway(settings, { ...node, ...accounts.parts })
    return {
      ...gateway,
      stop: async () => {
        await gateway.stop()
        await accounts.close()
      },
    }
  } catch (error) {
    await accounts.close()
    throw error
  }
}
