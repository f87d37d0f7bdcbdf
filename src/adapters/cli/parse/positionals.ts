export interface Positional {
  readonly name: string
  readonly required: boolean
  /** Takes any number of words. */
  readonly many: boolean
}

/** The arguments in "bid <auction> [amount]", in order. */
export function positionalsOf({ usage }: { readonly usage: string }): Positional[] {
  return [...usage.matchAll(/([<[])([a-z-]+)(\.\.)?[>\]]/g)].map(([, bracket, name = '', many]) => ({
    name,
    required: bracket === '<',
    many: many !== undefined,
  }))
}
