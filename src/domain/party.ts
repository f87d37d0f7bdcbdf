/** Who bids or sells. `id` is what rules compare; `name` is what the party calls itself, for people to read. */
export interface Party {
  /** `node_...` for a node's own user. */
  readonly id: string
  readonly name: string
}

/** Whether two parties are the same, name included: a log's word on who has won is more than an id. */
export function sameParty(a: Party, b: Party): boolean {
  return a.id === b.id && a.name === b.name
}

/** The id of a node's own user, for whom only that node speaks; any other id is of an account that nodes vouch for. */
export function isNode({ id }: Party): boolean {
  return id.startsWith('node_')
}

/** The node that writes an auction's log, and the key its commits are signed with (base64url, raw Ed25519). */
export interface Home {
  readonly nodeId: string
  readonly publicKey: string
}
