import { EmbeddedGrape } from '../../src/adapters/grenache/grape/embedded-grape.js'
import { GrapeDiscovery, remoteGrape } from '../../src/adapters/grenache/grape/grape-discovery.js'
import type { NodeSettings } from '../../src/adapters/system/settings.js'
import type { Discovery } from '../../src/ports/mesh/discovery.js'
import type { Logger } from '../../src/ports/system/logger.js'

export interface NodeGrape {
  readonly discovery: Discovery
  stop(): Promise<void>
}

/** The Grape that a node's settings call for: its own, started here, or one elsewhere, which may be away for now. */
export async function startNodeGrape(settings: NodeSettings, logger: Logger): Promise<NodeGrape> {
  const { grape, mesh } = settings
  if (grape.mode === 'url') {
    const access = remoteGrape(grape.url)
    return {
      discovery: new GrapeDiscovery({ grape: access, logger }, { mesh }),
      stop: () => Promise.resolve(),
    }
  }
  const { host, apiPort, dhtPort, ports, bootstrap } = grape
  const embedded = new EmbeddedGrape({ logger }, { host, apiPort, dhtPort, ports, bootstrap })
  await embedded.start()
  return { discovery: new GrapeDiscovery({ grape: embedded, logger }, { mesh }), stop: () => embedded.stop() }
}
