import type { GatewaySettings } from '../../src/adapters/system/gateway-settings.js'
import { DEFAULT_LIMITS } from '../../src/application/gateway/limit-rules.js'
import { Limits } from '../../src/application/gateway/limits.js'
import { startActs } from '../audit/node-acts.js'
import { openAudit } from '../audit/open-audit.js'
import { openAccounts } from './accounts.js'
import { type GatewayNeeds, type RunningGateway, startGateway } from './create-gateway.js'

type Needs = Pick<GatewayNeeds, 'api' | 'audit' | 'feed' | 'logger' | 'metrics' | 'stats'>

/**
 * A gateway as its settings want it: with the accounts of its data directory, which are opened and closed with it, or
 * taking names on trust; and with an audit record there, unless it is given its node's. Rejects as `startGateway`,
 * `openAccounts` and `openAudit` do.
 */
export async function serveGateway(settings: GatewaySettings, needs: Needs): Promise<RunningGateway> {
  if (needs.audit) return serve(settings, needs)
  const { trail, store } = openAudit(settings.dataDir, { logger: needs.logger, keepMs: settings.auditKeepMs })
  try {
    for (const act of startActs('gateway.start', { ...settings }, store)) trail.record(act)
    return stopping(await serve(settings, { ...needs, audit: trail }), async () => trail.close())
  } catch (error) {
    trail.close()
    throw error
  }
}

async function serve(
  settings: GatewaySettings,
  { api, audit, feed, logger, metrics, stats }: Needs,
): Promise<RunningGateway> {
  const node = { api, audit, feed, logger, stats, ...(metrics && { metrics }) }
  const { auth, dataDir, accounts: accountSettings, limits } = settings
  if (auth === 'open') {
    return startGateway(settings, { ...node, ...(limits && { guard: new Limits(limits) }) })
  }
  const options = { accounts: accountSettings, limits: limits ?? DEFAULT_LIMITS }
  const accounts = await openAccounts(dataDir, options, { logger, ...(audit && { audit }) })
  try {
    return stopping(await startGateway(settings, { ...node, ...accounts.parts }), () => accounts.close())
  } catch (error) {
    await accounts.close()
    throw error
  }
}

function stopping(gateway: RunningGateway, then: () => Promise<void>): RunningGateway {
  return {
    ...gateway,
    stop: async () => {
      await gateway.stop()
      await then()
    },
  }
}
