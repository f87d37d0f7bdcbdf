import 'reflect-metadata'
import { type DependencyContainer, instanceCachingFactory, container as root } from 'tsyringe'
import type { Token } from './tokens.js'

/**
 * A typed face of one tsyringe child container. Each node has one of its own, so that many nodes live in one process
 * and share nothing. Services are registered by factories and made once, when first asked for.
 */
export class ServiceContainer {
  readonly #container: DependencyContainer = root.createChildContainer()

  value<T>(token: Token<T>, value: T): this {
    this.#container.register(token.symbol, { useValue: value })
    return this
  }

  factory<T>(token: Token<T>, make: (services: ServiceContainer) => T): this {
    this.#container.register(token.symbol, { useFactory: instanceCachingFactory(() => make(this)) })
    return this
  }

  get<T>(token: Token<T>): T {
    return this.#container.resolve<T>(token.symbol)
  }
}
