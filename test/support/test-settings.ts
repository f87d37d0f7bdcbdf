import { join } from 'node:path'
import type { NodeSettings } from '../../src/adapters/system/settings.js'

/** Settings of a node for tests: free ports on loopback, data in `home`. */
export function testSettings(options: { home: string; name: string; bootstrap?: readonly string[] }): NodeSettings {
  const { home, name, bootstrap = [] } = options
  return {
    name,
    dataDir: join(home, 'nodes', name),
    mesh: 'test',
    meshNamed: true,
    meshesDir: join(home, 'meshes'),
    rpc: { host: '127.0.0.1', port: 0 },
    grape: {
      mode: 'embedded',
      host: '127.0.0.1',
      apiPort: 0,
      dhtPort: 0,
      ports: 'exact',
      bootstrap: [...bootstrap],
    },
    log: { level: 'silent', format: 'json' },
    currencies: {},
  }
}
