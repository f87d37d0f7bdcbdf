import { expect } from 'chai'
import fc from 'fast-check'
import { InexactJsonError, parseExactly } from '../../../src/application/log/exact-json.js'

const ruleOf = (text: string): string => {
  try {
    parseExactly(text)
  } catch (error) {
    if (error instanceof InexactJsonError) return error.rule
    throw error
  }
  return 'none'
}

const wholeNumbers: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\\', '"', '\\"', '\\\\":', '{"a":1,"a":2}', 'a: 1.5e3'),
    fc.array(tie('value')),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { noNullPrototype: true }),
  ),
})).value

describe('JSON that every reader reads alike', () => {
  it('is what JSON.stringify writes of whole numbers and of whole text', () => {
    fc.assert(
      fc.property(wholeNumbers, (value) => {
        const text = JSON.stringify(value)
        expect(parseExactly(text)).to.deep.equal(JSON.parse(text))
      }),
      { numRuns: 2_000 },
    )
  })

  it('has each key once, however it is spelled and wherever it stands', () => {
    fc.assert(
      fc.property(fc.array(wholeNumbers, { maxLength: 3 }), fc.string({ unit: 'binary' }), (around, key) => {
        const name = JSON.stringify(key)
        const escaped = `"${[...Array(key.length).keys()].map((i) => `\\u${key.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
        for (const other of /[\ud800-\udfff]/.test(key) ? [name] : [name, escaped]) {
          const twice = `{${name}:1,${other}:2}`
          expect(ruleOf(JSON.stringify([...around, 'x']).replace(/"x"\]$/, () => `${twice}]`))).to.contain('twice')
        }
      }),
    )
  })

  for (const [text, rule] of [
    ['{', 'not JSON'],
    ['"\\ud83d"', 'surrogate'],
    ['"\\uDE00"', 'surrogate'],
    ['"\\ud83d\\ude00"', 'surrogate'],
    ['"\\\\\\ud83d"', 'surrogate'],
    ['"\ud83d"', 'surrogate'],
    ['{"\\ud83d":1}', 'surrogate'],
    ['[1.0]', 'digits'],
    ['[1e3]', 'digits'],
    ['[1E3]', 'digits'],
    ['[-0]', 'digits'],
    ['[9007199254740991.2]', 'digits'],
    ['[ 1]', 'white space'],
    ['[1]\n', 'white space'],
    ['{"a" :1,"a":2}', 'white space'],
    ['{"__proto__":1,"__proto__":1}', 'twice'],
  ] as const) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(ruleOf(text)).to.contain(rule)
    })
  }

  it('is text with a backslash before a u, a point or a sign', () => {
    for (const value of ['\\ud83d', '\\\\ud83d', '1.5', '-1', '1e3', '😀', 'a\\'])
      expect(parseExactly(JSON.stringify({ [value]: value }))).to.deep.equal({ [value]: value })
  })
})
