/** What this node may not have heard yet of the member list. */
export interface MemberNews {
  /**
   * Asks a peer for it, at most once at a time. Resolves once it has been taken in, or cannot be had; never rejects.
   */
  ask(nodeId: string): Promise<void>
}
