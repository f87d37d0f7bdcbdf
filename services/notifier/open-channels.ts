import { MailNoticeChannel, type MailSender } from '../../src/adapters/mail/mail-notice-channel.js'
import { type SmtpAddress, smtpPassword } from '../../src/adapters/mail/smtp-address.js'
import type { Network } from '../../src/adapters/system/ip-address.js'
import { OutboundPost } from '../../src/adapters/system/outbound-post.js'
import { TerminalNoticeChannel } from '../../src/adapters/terminal/terminal-notice-channel.js'
import { loadVapidKeys } from '../../src/adapters/web-push/vapid-keys.js'
import { WebPushNoticeChannel } from '../../src/adapters/web-push/web-push-notice-channel.js'
import { WebhookNoticeChannel } from '../../src/adapters/webhook/webhook-notice-channel.js'
import { WebhookSender } from '../../src/adapters/webhook/webhook-sender.js'
import type { NoticeChannel } from '../../src/ports/notices/notice-channel.js'
import type { Clock } from '../../src/ports/system/clock.js'

/** Channels that are null are not there. */
export interface ChannelSettings {
  readonly mail: {
    readonly server: SmtpAddress
    readonly passwordFile: string | null
    readonly from: MailSender
  } | null
  /** `dataDir`: where its keys are, or are made. `contact`: "mailto:..." or "https://...". */
  readonly webPush: { readonly dataDir: string; readonly contact: string } | null
  /** Networks that webhooks and web push may reach though they are not public. */
  readonly allowedNetworks: readonly Network[]
  /** Takes a line for each notice. */
  readonly terminal: ((line: string) => void) | null
}

/** What the specification of Standard Webhooks advises; enough for push services, too. */
const OUTBOUND_TIMEOUT_MS = 15_000

/** Throws `VapidKeysError` where the keys of web push are damaged. */
export function openChannels(
  { mail, webPush, allowedNetworks, terminal }: ChannelSettings,
  { clock }: { readonly clock: Clock },
): NoticeChannel[] {
  const post = new OutboundPost({ clock }, { allowedNetworks, timeoutMs: OUTBOUND_TIMEOUT_MS })
  const channels: (NoticeChannel | null)[] = [
    new WebhookNoticeChannel({ sender: new WebhookSender({ post, clock }) }),
    mail && new MailNoticeChannel({ ...mail, password: () => smtpPassword(mail.server, mail.passwordFile) }),
    webPush &&
      new WebPushNoticeChannel({ post, clock }, { keys: loadVapidKeys(webPush.dataDir), contact: webPush.contact }),
    terminal && new TerminalNoticeChannel({ write: terminal }),
  ]
  return channels.filter((channel) => channel !== null)
}
