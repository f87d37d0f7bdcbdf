import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect } from 'chai'
import type { z } from 'zod'
import type { auctionSchema, bidSchema, winnerSchema } from '../../src/adapters/http/resources.js'
import type { clientMessage, replyMessages } from '../../src/application/gateway/messages.js'
import type { eventMessages } from '../../src/application/gateway/public-events.js'
import type { Auction, Bid, EventMessage, ReplyMessage, SentMessage, Winner } from '../../src/client/exports.js'

const CLIENT = resolve(import.meta.dirname, '../../src/client')

/** Every file that the entry loads, with what each imports from elsewhere. */
/** At once; what is loaded when it is asked for has an entry of its own. */
function loadedFrom(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string) => {
    if (files.has(path)) return
    files.add(path)
    for (const [, specifier = ''] of codeOf(path).matchAll(/\b(?:from|import)\s*['"]([^'"]+)['"]/g)) {
      if (specifier.startsWith('.')) visit(resolve(dirname(path), specifier))
      else packages.add(specifier)
    }
  }
  visit(join(CLIENT, entry))
  return { files: [...files], packages: [...packages] }
}

function codeOf(path: string): string {
  expect(existsSync(path), path).to.equal(true)
  return readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

/** True only where the types are one and the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

describe('the client as a package', () => {
  it('has the very types of the gateway’s schemas', () => {
    // Checked by the compiler; a difference is an error there.
    const same: [
      Same<Auction, z.output<typeof auctionSchema>>,
      Same<Bid, z.output<typeof bidSchema>>,
      Same<Winner, z.output<typeof winnerSchema>>,
      Same<SentMessage, z.input<typeof clientMessage>>,
      Same<
        EventMessage,
        { [K in keyof typeof eventMessages]: z.output<(typeof eventMessages)[K]> }[keyof typeof eventMessages]
      >,
      Same<
        ReplyMessage,
        { [K in keyof typeof replyMessages]: z.output<(typeof replyMessages)[K]> }[keyof typeof replyMessages]
      >,
    ] = [true, true, true, true, true, true]
    const different: Same<Auction, Bid> = false
    expect([...same, different]).to.deep.equal([true, true, true, true, true, true, false])
  })

  it('loads nothing but itself in a browser: no zod, no Node, nothing of the gateway', () => {
    const { files, packages } = loadedFrom('browser.js')
    expect(packages).to.deep.equal([])
    expect(files.filter((path) => dirname(path) !== CLIENT)).to.deep.equal([])
    expect(files.length).to.be.greaterThan(10)
    for (const path of files) expect(codeOf(path), path).to.not.match(/\b(process|Buffer|require|setImmediate)\b[.(]/)
  })

  it('loads what cleans a picture when one is added, and nothing else', () => {
    const asked = loadedFrom('browser.js').files.flatMap((path) =>
      [...codeOf(path).matchAll(/\bimport\s*\(\s*['"]([^'"]+)['"]/g)].map(([, specifier]) => specifier),
    )
    expect(asked).to.deep.equal(['../domain/pictures/clean-picture.js'])
    const { files, packages } = loadedFrom('../domain/pictures/clean-picture.js')
    expect(packages).to.deep.equal([])
    for (const path of files) expect(path).to.match(/domain\/(pictures\/[a-z-]+|limits)\.js$/)
  })

  it('loads only ws besides in Node', () => {
    expect(loadedFrom('node.js').packages).to.deep.equal(['ws'])
  })

  it('is small', () => {
    const bytes = loadedFrom('browser.js').files.reduce((sum, path) => sum + Buffer.byteLength(codeOf(path)), 0)
    expect(bytes).to.be.lessThan(64 * 1024)
  })

  it('is found by its name, with the same class behind both entries', async () => {
    const [node, browser] = await Promise.all([import('vendue/client'), import('../../src/client/browser.js')])
    expect(node.VendueClient).to.equal(browser.VendueClient)
    expect(node.createClient).to.not.equal(browser.createClient)
  })
})
