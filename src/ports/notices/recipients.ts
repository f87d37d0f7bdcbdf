/** Who hears of what concerns a party of an auction. */
export interface Recipients {
  /** Of these parties, those that are people here, with their accounts; a pseudonym is one of its auction. */
  accountsOf(auctionId: string, partyIds: readonly string[]): Promise<ReadonlyMap<string, string>>
}
