import {
  type ReceiptRepository,
  receiptOwner,
  type SignedReceipts,
} from '../../../src/ports/store/receipt-repository.js'

export class MemoryReceiptRepository implements ReceiptRepository {
  readonly #signed: SignedReceipts[] = []

  async add(signed: readonly SignedReceipts[]): Promise<void> {
    this.#signed.push(...signed)
  }

  async auctions(): Promise<string[]> {
    const ids = this.#signed.flatMap(({ receipts }) => receipts.map(({ command }) => command.auctionId))
    return [...new Set(ids)]
  }

  async list({ auctionId, partyId, after, limit }: Parameters<ReceiptRepository['list']>[0]) {
    const found: { id: number; signed: SignedReceipts }[] = []
    for (let id = after + 1; id <= this.#signed.length && found.length <= limit; id++) {
      const signed = this.#signed[id - 1] as SignedReceipts
      const speaks = signed.receipts.some(
        (receipt) =>
          receipt.command.auctionId === auctionId && (partyId === undefined || receiptOwner(receipt) === partyId),
      )
      if (auctionId === null || speaks) found.push({ id, signed })
    }
    const page = found.slice(0, limit)
    return {
      signed: page.map(({ signed }) => signed),
      next: found.length > limit ? (page.at(-1)?.id ?? null) : null,
    }
  }
}
