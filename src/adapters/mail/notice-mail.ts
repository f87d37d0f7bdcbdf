import { noticeWords } from '../../application/notices/notice-words.js'
import type { Notice } from '../../ports/notices/notice-channel.js'

/** What a mail says. Every line of a seller's is one line here, and nothing of theirs is markup. */
export interface NoticeMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Keeps a name in another direction together: first strong isolate, and its end. */
const ISOLATE = ['\u2068', '\u2069'] as const

export function noticeMail(notice: Notice): NoticeMail {
  const words = noticeWords(notice)
  const { title, headline, details, language, direction } = words
  const { auction, preferences, unsubscribe } = notice.links
  const shownTitle = direction === 'rtl' ? ISOLATE.join(title) : title
  const links = [
    [words.preferences, preferences],
    [words.unsubscribe, unsubscribe],
  ].filter((link): link is [string, string] => link[1] !== null)
  const text = [
    `${shownTitle}\n${headline}`,
    details.join('\n'),
    auction === null ? '' : `${words.open}:\n${auction}`,
    links.length === 0 ? '' : `-- \n${links.map(([label, url]) => `${label}:\n${url}`).join('\n')}`,
  ]
  const html = [
    `<!doctype html><html lang="${language}" dir="${direction}"><head><meta charset="utf-8"></head>`,
    '<body style="font-family:sans-serif;line-height:1.5;max-width:36em">',
    `<p><strong><bdi>${escaped(title)}</bdi></strong><br>${escaped(headline)}</p>`,
    ...details.map((line) => `<p>${escaped(line)}</p>`),
    ...(auction === null ? [] : [`<p>${anchor(words.open, auction)}</p>`]),
    ...(links.length === 0 ? [] : [`<hr><p><small>${links.map((link) => anchor(...link)).join(' · ')}</small></p>`]),
    '</body></html>',
  ]
  return {
    subject: `${headline} · ${title}`,
    text: `${text.filter((part) => part !== '').join('\n\n')}\n`,
    html: html.join('\n'),
  }
}

function anchor(label: string, url: string): string {
  return `<a href="${escaped(url)}">${escaped(label)}</a>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
}
