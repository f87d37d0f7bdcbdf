import { eventually } from '../support/eventually.js'
import { serveMesh } from '../support/served-mesh.js'
import type { TestGateway } from '../support/test-gateway.js'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
export const PASSWORD = 'a long enough password'
/** Whose screens are shown. */
export const VISITOR = 'mia'
/** Who runs a node, and may see the mesh. */
export const OPERATOR = 'operator'

type Step = readonly [who: string, amount: string, kind?: 'plain' | 'max']

interface Item {
  readonly title: string
  /** Its drawing. */
  readonly picture: string
  readonly seller: string
  /** Which of the nodes is its home. */
  readonly home: 0 | 1 | 2
  readonly terms: Record<string, unknown>
  /** From now on; absent: until it is closed. */
  readonly lastsSeconds?: number
  readonly bids: readonly Step[]
  readonly description?: string
  readonly closed?: true
  readonly watched?: true
}

const SOFT_CLOSE = { window_ms: 600_000, extension_ms: 120_000 }

/** The star of the page of one auction. */
export const CAMERA = 'Rangefinder camera with 50 mm lens, 1958'
/** The visitor is outbid in it, and it ends soon. */
export const LAMP = 'Banker’s lamp, green glass shade, c. 1925'

/** A house of some taste: three sellers on three nodes, and the same every time. */
const ITEMS: readonly Item[] = [
  {
    title: LAMP,
    picture: 'lamp',
    seller: 'northgate',
    home: 0,
    terms: { start_price: '80', increment: '5', soft_close: SOFT_CLOSE },
    lastsSeconds: 8 * MINUTE + 40,
    bids: [
      ['mia', '80'],
      ['tobias', '95'],
      ['mia', '110'],
      ['ines', '125'],
    ],
    description: 'Brass, weighted foot, rewired in 2019. The shade has one small chip at the back rim.',
  },
  {
    title: CAMERA,
    picture: 'camera',
    seller: 'northgate',
    home: 0,
    terms: {
      start_price: '240',
      increment: '10',
      reserve: '400',
      soft_close: SOFT_CLOSE,
    },
    lastsSeconds: 18 * MINUTE + 25,
    bids: [
      ['ines', '240'],
      ['tobias', '300', 'max'],
      ['mia', '320'],
      ['ines', '380'],
      ['tobias', '420'],
      ['mia', '560', 'max'],
      ['ines', '440'],
      ['tobias', '470'],
    ],
    description:
      'Chrome body with its original leather, serviced last spring: all speeds within a third of a stop. The 50 mm f/2 lens is clear, with faint cleaning marks on the front element.\n\nComes with the ever-ready case, a lens cap and the manual in German.',
  },
  {
    title: 'Bentwood café chair, No. 14',
    picture: 'chair',
    seller: 'atelier-lund',
    home: 1,
    terms: { start_price: '60', increment: '2' },
    lastsSeconds: 46 * MINUTE,
    bids: [
      ['ines', '60'],
      ['mia', '90', 'max'],
      ['tobias', '74'],
    ],
  },
  {
    title: 'Stoneware moon jar, iron glaze',
    picture: 'jar',
    seller: 'atelier-lund',
    home: 1,
    terms: { start_price: '120', increment: '5' },
    lastsSeconds: 2 * HOUR + 12 * MINUTE,
    bids: [
      ['tobias', '120'],
      ['ines', '150'],
    ],
    watched: true,
  },
  {
    title: 'Mantel clock, walnut, eight-day movement',
    picture: 'clock',
    seller: 'northgate',
    home: 0,
    terms: { start_price: '150', increment: '10', reserve: '300' },
    lastsSeconds: 3 * HOUR + 40 * MINUTE,
    bids: [['tobias', '150']],
  },
  {
    title: 'Violin, 4/4, Markneukirchen, about 1890, with bow',
    picture: 'violin',
    seller: 'quai-9',
    home: 2,
    terms: { start_price: '900', increment: '50' },
    lastsSeconds: 5 * HOUR + 5 * MINUTE,
    bids: [
      ['mia', '900'],
      ['tobias', '1100'],
      ['ines', '1450'],
    ],
  },
  {
    title: 'Iris germanica, hand-coloured copperplate',
    picture: 'iris',
    seller: 'quai-9',
    home: 2,
    terms: { start_price: '45', increment: '1', buy_now: '140' },
    lastsSeconds: 9 * HOUR,
    bids: [],
  },
  {
    title: 'Enamelled coffee pot, cobalt blue',
    picture: 'pot',
    seller: 'atelier-lund',
    home: 1,
    terms: { start_price: '18', increment: '1' },
    lastsSeconds: 22 * HOUR,
    bids: [['ines', '21']],
  },
  {
    title: 'Portable typewriter, olive, with case',
    picture: 'typewriter',
    seller: 'northgate',
    home: 0,
    terms: { start_price: '95', increment: '5' },
    lastsSeconds: DAY + 3 * HOUR,
    bids: [
      ['tobias', '95'],
      ['ines', '115'],
    ],
    watched: true,
  },
  {
    title: 'Three-masted barque in a bottle',
    picture: 'ship',
    seller: 'quai-9',
    home: 2,
    terms: { start_price: '70', increment: '2' },
    lastsSeconds: 2 * DAY + 6 * HOUR,
    bids: [['tobias', '78']],
  },
  {
    title: 'Wool rug, madder ground, 170 × 240 cm',
    picture: 'rug',
    seller: 'atelier-lund',
    home: 1,
    terms: { start_price: '380', increment: '20' },
    lastsSeconds: 3 * DAY,
    bids: [],
  },
  {
    title: 'Travelling chess set, rosewood and box',
    picture: 'chess',
    seller: 'northgate',
    home: 0,
    terms: { start_price: '55', increment: '2' },
    lastsSeconds: 4 * DAY + 2 * HOUR,
    bids: [['ines', '61']],
  },
  {
    title: 'Botanist’s brass microscope, cased',
    picture: 'microscope',
    seller: 'quai-9',
    home: 2,
    terms: { start_price: '210', increment: '10' },
    bids: [
      ['ines', '210'],
      ['mia', '260'],
    ],
    closed: true,
  },
  {
    title: 'Pair of brass candlesticks',
    picture: 'candlesticks',
    seller: 'atelier-lund',
    home: 1,
    terms: { start_price: '40', increment: '2' },
    bids: [
      ['mia', '44'],
      ['tobias', '58'],
    ],
    closed: true,
  },
]

/** Auctions were opened so long ago, and had their bids since. */
const OPENED_AGO_MS = 12 * MINUTE * 1_000

export interface House {
  readonly url: string
  /** Of the auctions, by their titles. */
  readonly ids: ReadonlyMap<string, string>
  readonly watched: readonly string[]
  close(): Promise<void>
}

/**
 * Three nodes that know each other, a gateway on each with the same accounts, and auctions under way. `setClock`: of
 * this process, so that bids have times of their own; it is left at `nowMs`.
 */
export async function openHouse(
  drawings: ReadonlyMap<string, Buffer>,
  nowMs: number,
  setClock: (ms: number) => void,
): Promise<House> {
  setClock(nowMs - OPENED_AGO_MS)
  const { gateways, accounts, stop } = await serveMesh({
    nodes: 3,
    gateways: 3,
    nameOf: (place) => ['northgate', 'lund', 'quai'][place - 1] as string,
    withAccounts: true,
  })
  const [front] = gateways
  try {
    await accounts?.accounts.add({ name: OPERATOR, password: PASSWORD }, ['admin'])
    const headers = new Map<string, Record<string, string>>()
    for (const { seller, bids } of ITEMS)
      for (const who of [seller, VISITOR, ...bids.map(([who]) => who)])
        if (!headers.has(who)) headers.set(who, await registered(front, who))
    const ids = new Map<string, string>()
    const steps: { atMs: number; make: () => Promise<void> }[] = []
    for (const item of ITEMS) {
      const by = { gateway: gateways[item.home] as TestGateway, headers, drawings }
      const id = await offer(item, by)
      ids.set(item.title, id)
      for (const [place, bid] of item.bids.entries()) {
        const share = (place + 0.6) / item.bids.length
        // Bids come closer together towards the end.
        const atMs = nowMs - OPENED_AGO_MS * (1 - share) ** 1.6 - place * 1_000
        steps.push({ atMs, make: () => placed(id, bid, by) })
      }
    }
    for (const { atMs, make } of steps.sort((a, b) => a.atMs - b.atMs)) {
      setClock(atMs)
      await make()
    }
    setClock(nowMs)
    for (const { title, seller, home, closed } of ITEMS)
      if (closed) await gateways[home]?.post(`/api/v1/auctions/${ids.get(title)}/close`, {}, headers.get(seller) ?? {})
    await eventually('the gateway knows all auctions', async () => {
      const { body } = await front.get('/api/v1/auctions?limit=100')
      return body.auctions.length === ITEMS.length
    })
    const watched = ITEMS.filter((item) => item.watched).map(({ title }) => ids.get(title) as string)
    return { url: front.url, ids, watched, close: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

interface By {
  readonly gateway: TestGateway
  readonly headers: ReadonlyMap<string, Record<string, string>>
  readonly drawings: ReadonlyMap<string, Buffer>
}

async function registered(gateway: TestGateway, username: string): Promise<Record<string, string>> {
  const { body } = await gateway.post('/api/v1/auth/register', { username, password: PASSWORD })
  return { authorization: `Bearer ${body.access_token}` }
}

async function offer(item: Item, { gateway, headers, drawings }: By): Promise<string> {
  const { title, seller, terms, description = '', lastsSeconds } = item
  const closes_in_seconds = lastsSeconds === undefined ? undefined : lastsSeconds + OPENED_AGO_MS / 1_000
  const added = await fetch(`${gateway.url}/api/v1/pictures`, {
    method: 'POST',
    headers: { ...headers.get(seller), 'content-type': 'image/jpeg' },
    body: new Uint8Array(drawings.get(item.picture) as Buffer),
  })
  const { hash } = (await added.json()) as { hash: string }
  const pictures = [{ hash, alt: title }]
  const opening = { title, currency: 'EUR', description, ...terms, closes_in_seconds, pictures }
  const { status, body } = await gateway.post('/api/v1/auctions', opening, headers.get(seller))
  if (status !== 201) throw new Error(`${title}: ${JSON.stringify(body)}`)
  return body.id
}

async function placed(id: string, [who, amount, kind = 'plain']: Step, { gateway, headers }: By): Promise<void> {
  const { status, body } = await gateway.post(`/api/v1/auctions/${id}/bids`, { amount, kind }, headers.get(who))
  if (status >= 300) throw new Error(`${id}, ${who} ${amount}: ${JSON.stringify(body)}`)
}
