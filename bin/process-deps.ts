import type { CliDeps } from '../src/adapters/cli/cli-deps.js'

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
    const { startStandaloneGrape } = await import('../src/adapters/grenache/standalone-grape.js')
    return startStandaloneGrape({ logger }, options)
  },
  async connect(target) {
    const [{ RpcClient }, { GrenacheNodeApiClient }] = await Promise.all([
      import('../src/adapters/grenache/rpc-client.js'),
      import('../src/adapters/grenache/grenache-node-api-client.js'),
    ])
    const rpcClient = new RpcClient()
    return { api: new GrenacheNodeApiClient({ rpcClient }, target), close: async () => rpcClient.stop() }
  },
  async repair(dataDir) {
    const [{ repairStore }, { Ed25519Verifier, readNodeKey }] = await Promise.all([
      import('../src/adapters/sqlite/repair-store.js'),
      import('../src/adapters/system/node-key.js'),
    ])
    const { publicKey } = readNodeKey(dataDir)
    return repairStore(dataDir, { publicKey, verifier: new Ed25519Verifier(), now: Date.now() })
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
