import type { Logger } from '../../../ports/system/logger.js'
import { parseAddress } from '../transport/address.js'
import { DEFAULT_GRAPE_HOST, EmbeddedGrape } from './embedded-grape.js'

export interface StandaloneGrapeOptions {
  readonly host?: string
  readonly dhtPort: number
  readonly apiPort: number
  readonly bootstrap?: readonly string[]
}

const MAX_BOOTSTRAP = 64

export class BootstrapAddressError extends Error {
  readonly code = 'BAD_BOOTSTRAP'
  constructor(address: string) {
    super(`${JSON.stringify(address)} is no bootstrap address: give host:port of another Grape's DHT`)
    this.name = 'BootstrapAddressError'
  }
}

/**
 * A Grape for several nodes to share, on exactly the ports asked for; others are pointed at them. Resolves once it
 * is up, whether or not its bootstrap nodes are. Throws `BootstrapAddressError` or `ListenError`.
 */
export async function startStandaloneGrape(
  { logger }: { readonly logger: Logger },
  options: StandaloneGrapeOptions,
): Promise<EmbeddedGrape> {
  const { host = DEFAULT_GRAPE_HOST, dhtPort, apiPort, bootstrap = [] } = options
  const wrong = bootstrap.find((address) => parseAddress(address) === null)
  if (wrong !== undefined) throw new BootstrapAddressError(wrong)
  const grape = new EmbeddedGrape(
    { logger },
    { host, dhtPort, apiPort, ports: 'exact', bootstrap: bootstrap.slice(0, MAX_BOOTSTRAP) },
  )
  await grape.start()
  logger.info({ url: grape.url, dht: grape.dhtAddress, bootstrap }, 'the Grape is up')
  return grape
}
