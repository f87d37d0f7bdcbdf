import type { CliDeps, NodeTarget } from '../src/adapters/cli/session/cli-deps.js'

/**
 * What the command line is made of in a real process. Loaded when first needed: most commands ask a running node, and
 * start faster without one of their own.
 */
export const processDeps: CliDeps = {
  async createNode(settings, options) {
    const { createNode } = await import('../services/node/create-node.js')
    return createNode(settings, options)
  },
  async startGrape(options, { logger }) {
    const { startStandaloneGrape } = await import('../src/adapters/grenache/grape/standalone-grape.js')
    return startStandaloneGrape({ logger }, options)
  },
  async startGateway(settings, parts) {
    const { serveGateway } = await import('../services/gateway/serve-gateway.js')
    return serveGateway(settings, parts)
  },
  async openAnalytics(options) {
    const { AnalyticsProcess } = await import('../services/analytics/serve-analytics.js')
    return new AnalyticsProcess(options)
  },
  async openStats(address) {
    const [{ openSqlDatabase }, { SqlStatQueries }] = await Promise.all([
      import('../src/adapters/sql/sql-database.js'),
      import('../src/adapters/sql/sql-stat-queries.js'),
    ])
    const { db, place } = openSqlDatabase(address)
    return new SqlStatQueries({ db }, { place })
  },
  async showInBrowser(url) {
    const { showInBrowser } = await import('../src/adapters/system/browser.js')
    return showInBrowser(url)
  },
  async connect(target) {
    const [{ RpcClient }, { grenacheNodeApiClient }, { tlsToNode }] = await Promise.all([
      import('../src/adapters/grenache/rpc-client.js'),
      import('../src/adapters/grenache/grenache-node-api-client.js'),
      import('../src/adapters/grenache/transport/pinned-tls.js'),
    ])
    const tls = target.nodeId === null ? await tlsOfMember(target) : tlsToNode(target.nodeId)
    const rpcClient = new RpcClient({ tls })
    return { api: grenacheNodeApiClient({ rpcClient }, target), close: async () => rpcClient.stop() }
  },
  async meshAdmin(home) {
    const { HomeMeshAdmin } = await import('../services/mesh/mesh-admin.js')
    return new HomeMeshAdmin({ home })
  },
  async clusterAdmin(of) {
    const { NodeClusterAdmin } = await import('../services/cluster/cluster-admin.js')
    return new NodeClusterAdmin(of)
  },
  async readAudit(dataDir) {
    const { readAudit } = await import('../services/audit/open-audit.js')
    return readAudit(dataDir)
  },
  async recordAct(dataDir, act, logger) {
    const { recordAct } = await import('../services/audit/open-audit.js')
    recordAct(dataDir, act, logger)
  },
  async repair(dataDir, { takeBack }) {
    const [{ repairStore }, { Ed25519Verifier, readNodeKey }] = await Promise.all([
      import('../src/adapters/sqlite/repair-store.js'),
      import('../src/adapters/system/node-key.js'),
    ])
    const { publicKey } = readNodeKey(dataDir)
    const verifier = new Ed25519Verifier()
    return repairStore(dataDir, { publicKey, verifier, now: Date.now(), takeBack })
  },
  async openAccounts(dataDir) {
    const [{ openAccounts }, { createPinoLogger }] = await Promise.all([
      import('../services/gateway/accounts.js'),
      import('../src/adapters/system/pino-logger.js'),
    ])
    // What a command did it says itself.
    const logger = createPinoLogger({ level: 'silent', format: 'json', write: () => {} })
    return openAccounts(dataDir, {}, { logger })
  },
}

/** For nodes of other machines: what a member of this one shows, and whom it trusts. */
async function tlsOfMember({ home, token, address }: NodeTarget) {
  if (home === null) throw new Error('a connection needs a node id, or where to look for members')
  const { openMemberTls } = await import('../services/mesh/member-tls.js')
  return openMemberTls(home, { address, hasToken: token !== null })
}
