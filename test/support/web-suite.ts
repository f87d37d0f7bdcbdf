import { expect } from 'chai'
import type { Browser, Page } from 'playwright-core'
import type { GatewayAccounts } from '../../services/gateway/accounts.js'
import { borrowBrowser, returnBrowser, type Visit, visit } from './browser.js'
import { eventually } from './eventually.js'
import { type ServedMesh, type ServedMeshOptions, serveMesh } from './served-mesh.js'
import type { TestGateway } from './test-gateway.js'
import type { TestMesh } from './test-mesh.js'

type VisitOptions = NonNullable<Parameters<typeof visit>[2]> & {
  /** As of the suite, of this visit alone. */
  readonly expected?: RegExp | undefined
}

/** What the browser itself reports where nobody answers. */
export const CUT_OFF = /net::ERR_|WebSocket connection to/
/** And of a gateway that stops, or whose auctions' home is away: until nobody answers, it answers 503. */
export const AWAY = new RegExp(`${CUT_OFF.source}|status of 503 `)

export interface WebSuiteOptions extends ServedMeshOptions {
  /** Who visits, where a test does not say so; nobody where it is null. */
  readonly visitor?: string | null
  /** What the browser itself reports of what the suite does to it. Whatever else it reports fails the test. */
  readonly expected?: RegExp
}

/** What the tests of the page need: a Chromium, a mesh behind gateways, and visitors. To be made in a `describe`. */
export class WebSuite {
  readonly #visitor: string | null
  readonly #expected: RegExp | undefined
  readonly #visits: (Visit & Pick<VisitOptions, 'expected'>)[] = []
  #browser: Browser | null = null
  #served: ServedMesh | null = null

  constructor({ visitor = null, expected, ...served }: WebSuiteOptions = {}) {
    this.#visitor = visitor
    this.#expected = expected
    const suite = this
    before(async function () {
      suite.#browser = await borrowBrowser(this)
      suite.#served = await serveMesh(served)
    })
    after(async () => {
      if (this.#browser) returnBrowser()
      await this.#served?.stop()
    })
    afterEach(async () => {
      const visits = this.#visits.splice(0)
      await Promise.all(visits.map(({ context }) => context.close()))
      const errors = visits.flatMap(({ errors, expected }) => errors.filter((error) => !expected?.test(error)))
      expect(errors).to.deep.equal([])
    })
  }

  get browser(): Browser {
    return known(this.#browser)
  }

  get mesh(): TestMesh {
    return known(this.#served).mesh
  }

  /** Of the first node. */
  get gateway(): TestGateway {
    return known(this.#served).gateways[0]
  }

  get gateways(): readonly [TestGateway, ...TestGateway[]] {
    return known(this.#served).gateways
  }

  get accounts(): GatewayAccounts {
    return known(known(this.#served).accounts)
  }

  /** `where`: a path at the first gateway, or an address. */
  async visit(where: string, { expected = this.#expected, ...options }: VisitOptions = {}): Promise<Visit> {
    const url = where.startsWith('/') ? this.gateway.url + where : where
    const made = await visit(this.browser, url, { name: this.#visitor, ...options })
    this.#visits.push({ ...made, expected })
    return made
  }

  async open(where: string, options: VisitOptions = {}): Promise<Page> {
    return (await this.visit(where, options)).page
  }

  /** An auction of sam's: a chair from 75.00 EUR, in steps of 0.50. */
  openLot(terms: Record<string, unknown> = {}, through: TestGateway = this.gateway): Promise<string> {
    return through.open({ title: 'A chair', start_price: '75', increment: '0.50', ...terms })
  }

  close(id: string): Promise<unknown> {
    return this.gateway.post(`/api/v1/auctions/${id}/close`, { user_id: 'sam' })
  }

  async untilKnown(id: string, gateways: readonly Pick<TestGateway, 'url'>[] = this.gateways): Promise<void> {
    await eventually('the gateways know the auction', async () => {
      const answers = await Promise.all(gateways.map(({ url }) => fetch(`${url}/api/v1/auctions/${id}`)))
      return answers.every(({ status }) => status === 200)
    })
  }
}

function known<T>(value: T | null): T {
  if (value === null) throw new Error('the suite has not begun')
  return value
}
