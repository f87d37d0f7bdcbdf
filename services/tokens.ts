/** Names a service for the container and carries its type, which a bare symbol would lose. */
export class Token<T> {
  readonly symbol: symbol
  declare readonly type: T

  constructor(name: string) {
    this.symbol = Symbol(name)
  }
}
