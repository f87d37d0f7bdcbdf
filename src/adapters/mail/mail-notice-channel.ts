/** Room `mail`: notices by e-mail, handed to an SMTP server. */
import { createHash } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { printable } from '../../domain/limits.js'
import type { DeliveryResult, NoticeChannel, NoticeDelivery, NoticeTarget } from '../../ports/notices/notice-channel.js'
import { noticeMail } from './notice-mail.js'
import type { SmtpAddress } from './smtp-address.js'

type MailTarget = Extract<NoticeTarget, { channel: 'mail' }>

export interface MailNoticeChannelOptions {
  readonly server: SmtpAddress
  /** Asked for each mail, so that it can be exchanged. */
  readonly password: () => string | null
  readonly from: MailSender
  /** Of one attempt, from the look-up of the server to its last word. */
  readonly timeoutMs?: number
  /** Of authorities trusted instead of the well-known ones. */
  readonly ca?: string
}

export interface MailSender {
  readonly name: string
  readonly address: string
}

const TIMEOUT_MS = 60_000
const MAX_WHY_LENGTH = 200
const MAX_ADDRESS_LENGTH = 254
/** One address, and nothing that means something in a header or in SMTP. */
const ADDRESS = /^[^\s\p{Cc}<>()[\],;:"\\@]+@[^\s\p{Cc}<>()[\],;:"\\@]+$/u

/** What is written into SMTP and headers as it is. */
export function isMailAddress(text: string): boolean {
  return text.length <= MAX_ADDRESS_LENGTH && ADDRESS.test(text)
}

/** A connection for each mail: they are few, and a server that hangs holds up nothing else. */
export class MailNoticeChannel implements NoticeChannel<MailTarget> {
  readonly kind = 'mail'
  readonly #options: MailNoticeChannelOptions

  constructor(options: MailNoticeChannelOptions) {
    this.#options = options
  }

  async send(delivery: NoticeDelivery<MailTarget>, signal: AbortSignal): Promise<DeliveryResult> {
    const { timeoutMs = TIMEOUT_MS } = this.#options
    const { address } = delivery.target
    if (!isMailAddress(address)) return { result: 'gone', why: 'this is no e-mail address' }
    const deadline = AbortSignal.timeout(timeoutMs)
    try {
      const transport = createTransport(this.#connection())
      await transport.sendMail({ ...this.#mail(delivery), signal: AbortSignal.any([signal, deadline]) })
      return { result: 'delivered' }
    } catch (error) {
      if (signal.aborted) return { result: 'retry', why: 'stopped before the server had answered' }
      if (deadline.aborted) return { result: 'retry', why: `the server has not answered within ${timeoutMs} ms` }
      return resultOf(error as SmtpError)
    }
  }

  async stop(): Promise<void> {}

  #connection() {
    const { server, password, ca } = this.#options
    const pass = server.user === null ? null : password()
    return {
      host: server.host,
      port: server.port,
      secure: server.tls === 'implicit',
      requireTLS: server.tls === 'starttls',
      ignoreTLS: server.tls === 'none',
      ...(ca === undefined ? {} : { tls: { ca } }),
      ...(server.user === null ? {} : { auth: { user: server.user, pass: pass ?? '' } }),
      disableFileAccess: true,
      disableUrlAccess: true,
    }
  }

  #mail({ id, target, notice }: NoticeDelivery<MailTarget>) {
    const { from } = this.#options
    const { unsubscribe } = notice.links
    const isOneClick = unsubscribe?.startsWith('https://') === true
    return {
      ...noticeMail(notice),
      from,
      to: { name: '', address: target.address },
      // A server that has got it twice, or a person's own, drops the second by this.
      messageId: `<${createHash('sha256').update(id).digest('hex').slice(0, 40)}@${from.address.split('@')[1]}>`,
      headers: {
        'Auto-Submitted': 'auto-generated',
        ...(isOneClick ? { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } : {}),
      },
      ...(unsubscribe === null ? {} : { list: { unsubscribe } }),
      xMailer: false as const,
    }
  }
}

interface SmtpError extends Error {
  readonly code?: string
  readonly command?: string
  readonly responseCode?: number
  readonly response?: string
}

/** Enhanced status codes (RFC 3463): 5.1.x is about the address. */
const NO_SUCH_ADDRESS = /^5\d\d[ -]5\.1\.\d/
const HAS_ENHANCED_CODE = /^\d{3}[ -]\d\.\d+\.\d+/
/** What servers without enhanced codes say of addresses that they do not have (RFC 5321, 4.2.3). */
const ADDRESS_CODES = [550, 551, 553]

/**
 * A 5xx of the recipient or the message is the last word on it. Anything that is about this house (its log-in, its
 * sender, its connection) may be mended, and no notice is given up for it.
 */
function resultOf({ code, command = '', responseCode = 0, response = '', message }: SmtpError): DeliveryResult {
  const why = printable(response || (code ?? message)).slice(0, MAX_WHY_LENGTH)
  const isFinal = responseCode >= 500 && ['RCPT TO', 'DATA'].includes(command)
  if (!isFinal) return code === 'EMESSAGE' && responseCode === 0 ? { result: 'refused', why } : { result: 'retry', why }
  const isAboutAddress = HAS_ENHANCED_CODE.test(response)
    ? NO_SUCH_ADDRESS.test(response)
    : ADDRESS_CODES.includes(responseCode)
  return { result: command === 'RCPT TO' && isAboutAddress ? 'gone' : 'refused', why }
}
