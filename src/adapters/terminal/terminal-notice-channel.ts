/** Room `terminal`: notices as lines of the terminal that a program runs in. */
import { noticeWords } from '../../application/notices/notice-words.js'
import type { DeliveryResult, NoticeChannel, NoticeDelivery, NoticeTarget } from '../../ports/notices/notice-channel.js'

type TerminalTarget = Extract<NoticeTarget, { channel: 'terminal' }>

/** `write` gets one line without its end. */
export interface TerminalNoticeChannelDeps {
  readonly write: (line: string) => void
}

/** One line a notice. Titles hold no control characters by then, so that none can move the cursor or ring. */
export class TerminalNoticeChannel implements NoticeChannel<TerminalTarget> {
  readonly kind = 'terminal'
  readonly #deps: TerminalNoticeChannelDeps

  constructor(deps: TerminalNoticeChannelDeps) {
    this.#deps = deps
  }

  async send({ notice }: NoticeDelivery<TerminalTarget>): Promise<DeliveryResult> {
    const { title, headline } = noticeWords(notice)
    const link = notice.links.auction ?? notice.auctionId
    try {
      this.#deps.write(`${title}: ${headline} · ${link}`)
      return { result: 'delivered' }
    } catch (error) {
      return { result: 'retry', why: `the terminal takes no line: ${(error as Error).message}` }
    }
  }

  async stop(): Promise<void> {}
}
