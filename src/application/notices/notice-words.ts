/** Room `notices`: who hears of what, when, and in which words. */
import { printable } from '../../domain/limits.js'
import type { NoticeKind, NoticeLanguage } from '../../domain/notices/notice-kind.js'
import type { Notice } from '../../ports/notices/notice-channel.js'

/** A notice in the person's language. Every text is one line without control characters; nothing is escaped. */
export interface NoticeWords {
  readonly language: NoticeLanguage
  readonly direction: 'ltr' | 'rtl'
  readonly title: string
  /** "Outbid at 105.00 EUR". */
  readonly headline: string
  /** Sentences on what can be done and until when; none once the auction is over. */
  readonly details: readonly string[]
  readonly open: string
  readonly preferences: string
  readonly unsubscribe: string
}

interface Texts {
  /** The second is for notices that lack a fact which the first names. */
  readonly headlines: Readonly<Record<NoticeKind, readonly [full: string, bare: string]>>
  readonly minimum: string
  readonly end: string
  readonly open: string
  readonly preferences: string
  readonly unsubscribe: string
}

const TEXTS: Readonly<Record<NoticeLanguage, Texts>> = {
  en: {
    headlines: {
      outbid: ['Outbid at {price}', 'Outbid'],
      'ending-soon': ['Ends at {end}, and you do not lead: {price}', 'Ends soon, and you do not lead'],
      extended: ['Extended to {end}: {price}', 'Extended'],
      won: ['Won at {price}', 'Won'],
      lost: ['Sold to somebody else for {price}', 'Ended, and you did not win'],
      sold: ['Sold for {price}', 'Sold'],
      'not-sold': ['Not sold', 'Not sold'],
      'new-auction': ['New for your search “{search}”: {price}', 'A new auction for your search'],
    },
    minimum: 'The next bid is {minimum} or more.',
    end: 'The auction ends on {end}.',
    open: 'Open the auction',
    preferences: 'Choose what you hear of',
    unsubscribe: 'No more messages of this kind',
  },
  de: {
    headlines: {
      outbid: ['Überboten bei {price}', 'Überboten'],
      'ending-soon': ['Endet am {end}, und Sie führen nicht: {price}', 'Endet bald, und Sie führen nicht'],
      extended: ['Verlängert bis {end}: {price}', 'Verlängert'],
      won: ['Gewonnen für {price}', 'Gewonnen'],
      lost: ['An jemand anderen verkauft für {price}', 'Beendet, und Sie haben nicht gewonnen'],
      sold: ['Verkauft für {price}', 'Verkauft'],
      'not-sold': ['Nicht verkauft', 'Nicht verkauft'],
      'new-auction': ['Neu für Ihre Suche „{search}“: {price}', 'Eine neue Auktion für Ihre Suche'],
    },
    minimum: 'Das nächste Gebot beträgt mindestens {minimum}.',
    end: 'Die Auktion endet am {end}.',
    open: 'Auktion öffnen',
    preferences: 'Mitteilungen auswählen',
    unsubscribe: 'Keine solchen Nachrichten mehr',
  },
  ar: {
    headlines: {
      outbid: ['زايد عليك أحدهم: {price}', 'زايد عليك أحدهم'],
      'ending-soon': ['ينتهي في {end} ولست متقدمًا: {price}', 'ينتهي قريبًا ولست متقدمًا'],
      extended: ['مُدِّد حتى {end}: {price}', 'مُدِّد المزاد'],
      won: ['فزت بسعر {price}', 'فزت'],
      lost: ['بيع لشخص آخر بسعر {price}', 'انتهى المزاد ولم تفز'],
      sold: ['بيع بسعر {price}', 'بيع'],
      'not-sold': ['لم يُبَع', 'لم يُبَع'],
      'new-auction': ['جديد لبحثك «{search}»: {price}', 'مزاد جديد لبحثك'],
    },
    minimum: 'المزايدة التالية {minimum} على الأقل.',
    end: 'ينتهي المزاد في {end}.',
    open: 'افتح المزاد',
    preferences: 'اختر ما تريد أن يصلك',
    unsubscribe: 'لا مزيد من هذه الرسائل',
  },
}

/** An auction that is over has no next bid, and its end is no news. */
const GOES_ON: ReadonlySet<NoticeKind> = new Set(['outbid', 'ending-soon', 'extended', 'new-auction'])

export function noticeWords(notice: Notice): NoticeWords {
  const { language, kind, minimum, closesAt } = notice
  const { headlines, open, preferences, unsubscribe, ...sentences } = TEXTS[language]
  const facts = factsOf(notice)
  const [full, bare] = headlines[kind]
  const details = [
    ...(minimum === null ? [] : [fill(sentences.minimum, facts)]),
    ...(closesAt === null ? [] : [fill(sentences.end, facts)]),
  ].filter((line) => line !== null)
  return {
    language,
    direction: language === 'ar' ? 'rtl' : 'ltr',
    title: printable(notice.title),
    headline: fill(full, facts) ?? bare,
    details: GOES_ON.has(kind) ? details : [],
    open,
    preferences,
    unsubscribe,
  }
}

type Facts = Readonly<Record<string, string | null>>

function factsOf({ price, minimum, currency, closesAt, timeZone, language, search }: Notice): Facts {
  const money = (amount: string | null) => (amount === null ? null : moneyText(amount, currency, language))
  return {
    price: money(price),
    minimum: money(minimum),
    end: closesAt === null ? null : endText(closesAt, timeZone, language),
    search: search === null ? null : printable(search),
  }
}

/** Null where a fact is missing. */
function fill(template: string, facts: Facts): string | null {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  if (names.some((name) => (facts[name] ?? null) === null)) return null
  return template.replace(/\{(\w+)\}/g, (_, name: string) => facts[name] as string)
}

/** "1,234.50 EUR". Intl takes decimal text digit by digit: nothing is rounded. */
function moneyText(amount: string, currency: string, language: NoticeLanguage): string {
  const digits = amount.split('.')[1]?.length ?? 0
  const format = new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${format.format(amount as Intl.StringNumericLiteral)}\u00a0${printable(currency)}`
}

/** "Thu 28 Nov, 18:02 CET". A zone that this machine does not know is read as UTC: the text says which it is. */
function endText(ms: number, timeZone: string, language: NoticeLanguage): string {
  const write = (zone: string) =>
    new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'short',
      timeZone: zone,
    }).format(ms)
  try {
    return write(timeZone)
  } catch {
    return write('UTC')
  }
}
