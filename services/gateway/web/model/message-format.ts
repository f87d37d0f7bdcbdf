/** What stands in the gaps of a message: plain values, or (in `formatParts`) whatever the page draws. */
export type MessageArgs<V = never> = Readonly<Record<string, string | number | V>>

type Node =
  | string
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'count' }
  | {
      readonly kind: 'plural' | 'ordinal' | 'select'
      readonly name: string
      readonly offset: number
      readonly cases: ReadonlyMap<string, readonly Node[]>
    }

const parsed = new Map<string, readonly Node[]>()

/**
 * ICU MessageFormat, as far as the page's texts need it: values (numbers in the digits of the language), `plural` with
 * `offset`, exact cases and `#`, `selectordinal`, `select`, and quoting by apostrophes. Throws if the pattern is
 * malformed.
 */
export function formatMessage(pattern: string, args: MessageArgs, locale: string): string {
  return formatParts(pattern, args, locale).join('')
}

/** As above, with the values as they are, so that a page can draw them in an element of their own. */
export function formatParts<V>(pattern: string, args: MessageArgs<V>, locale: string): (string | number | V)[] {
  let nodes = parsed.get(pattern)
  if (!nodes) {
    nodes = new Parser(pattern).parse()
    parsed.set(pattern, nodes)
  }
  const out: (string | number | V)[] = []
  write(nodes, { args, locale, out, count: null })
  return out
}

interface Writing<V> {
  readonly args: MessageArgs<V>
  readonly locale: string
  readonly out: (string | number | V)[]
  readonly count: number | null
}

function write<V>(nodes: readonly Node[], writing: Writing<V>): void {
  const { args, locale, out, count } = writing
  for (const node of nodes) {
    if (typeof node === 'string') out.push(node)
    else if (node.kind === 'count') out.push(new Intl.NumberFormat(locale).format(count ?? 0))
    else {
      const value = args[node.name]
      if (value === undefined) throw new RangeError(`nothing was given for {${node.name}}`)
      if (node.kind !== 'value') writeCase(node, value, writing)
      else out.push(typeof value === 'number' ? new Intl.NumberFormat(locale).format(value) : value)
    }
  }
}

function writeCase<V>(
  { kind, offset, cases, name }: Extract<Node, { cases: unknown }>,
  value: string | number | V,
  writing: Writing<V>,
): void {
  const shifted = Number(value) - offset
  const found =
    kind === 'select'
      ? cases.get(String(value))
      : (cases.get(`=${value}`) ??
        cases.get(new Intl.PluralRules(writing.locale, kind === 'ordinal' ? { type: 'ordinal' } : {}).select(shifted)))
  const chosen = found ?? cases.get('other')
  if (!chosen) throw new RangeError(`{${name}} has no case for ${String(value)}`)
  write(chosen, { ...writing, count: kind === 'select' ? writing.count : shifted })
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): readonly Node[] {
    const nodes = this.#nodes(false)
    if (this.#at < this.#text.length) throw this.#wrong('a } without a {')
    return nodes
  }

  #nodes(inPlural: boolean): Node[] {
    const nodes: Node[] = []
    let text = ''
    const flush = () => {
      if (text !== '') nodes.push(text)
      text = ''
    }
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] as string
      if (char === '}') break
      if (char === "'") text += this.#quoted()
      else if (char === '{') {
        flush()
        nodes.push(this.#argument())
      } else if (char === '#' && inPlural) {
        flush()
        nodes.push({ kind: 'count' })
        this.#at += 1
      } else {
        text += char
        this.#at += 1
      }
    }
    flush()
    return nodes
  }

  /** '' is an apostrophe, '{ begins what is taken as it stands; any other is an apostrophe too. */
  #quoted(): string {
    const next = this.#text[this.#at + 1]
    if (next === "'") {
      this.#at += 2
      return "'"
    }
    if (next === undefined || !'{}#'.includes(next)) {
      this.#at += 1
      return "'"
    }
    const end = this.#text.indexOf("'", this.#at + 1)
    const until = end < 0 ? this.#text.length : end
    const text = this.#text.slice(this.#at + 1, until)
    this.#at = until + 1
    return text
  }

  #argument(): Node {
    this.#at += 1
    const name = this.#word()
    if (this.#take('}')) return { kind: 'value', name }
    this.#expect(',')
    const kind = this.#word()
    if (kind === 'number') {
      this.#expect('}')
      return { kind: 'value', name }
    }
    if (kind !== 'plural' && kind !== 'select' && kind !== 'selectordinal')
      throw this.#wrong(`no kind of argument: ${kind}`)
    this.#expect(',')
    return this.#cases(name, kind === 'selectordinal' ? 'ordinal' : kind)
  }

  #cases(name: string, kind: 'plural' | 'ordinal' | 'select'): Node {
    const cases = new Map<string, readonly Node[]>()
    let offset = 0
    while (!this.#take('}')) {
      const word = this.#word()
      if (word.startsWith('offset:')) {
        offset = Number(word.slice('offset:'.length))
        continue
      }
      this.#expect('{')
      cases.set(word, this.#nodes(kind !== 'select'))
      this.#expect('}')
    }
    if (!cases.has('other')) throw this.#wrong(`{${name}} needs the case other`)
    return { kind, name, offset, cases }
  }

  #word(): string {
    this.#space()
    const [word = ''] = /^[^\s{},]+/.exec(this.#text.slice(this.#at)) ?? []
    if (word === '') throw this.#wrong('a word was expected')
    this.#at += word.length
    this.#space()
    return word
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }

  #take(char: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== char) return false
    this.#at += 1
    return true
  }

  #expect(char: string): void {
    if (!this.#take(char)) throw this.#wrong(`${char} was expected`)
  }

  #wrong(what: string): Error {
    return new SyntaxError(`message, at ${this.#at}: ${what}: ${this.#text}`)
  }
}
