import 'reflect-metadata'
import { type DependencyContainer, instanceCachingFactory, container as root } from 'tsyringe'

/**
 * A typed face of one tsyringe child container. Each node has one of its own, so that many nodes live in one process
 * and share nothing. Services are registered by factories and made once, when first asked for.
 */
export class ServiceContainer<Parts extends object> {
  readonly #container: DependencyContainer = root.createChildContainer()

  /** Every service by its name. */
  readonly parts: Parts = new Proxy({} as Parts, {
    get: (_, name) => this.#container.resolve(name as string),
  })

  value<N extends keyof Parts & string>(name: N, value: Parts[N]): this {
    // tsyringe takes null for no value.
    this.#container.register(name, { useFactory: () => value })
    return this
  }

  factory<N extends keyof Parts & string>(name: N, make: () => Parts[N]): this {
    this.#container.register<Parts[N]>(name, { useFactory: instanceCachingFactory(make) })
    return this
  }
}
