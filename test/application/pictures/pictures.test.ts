import { expect } from 'chai'
import { addWhole, readWhole } from '../../../src/application/pictures/picture-transfer.js'
import type { PeerService } from '../../../src/ports/mesh/peer-service.js'
import type { NodeApi } from '../../../src/ports/node/node-api.js'
import type { KeptPicture } from '../../../src/ports/node/node-pictures.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryPictureStore } from '../../support/memory/memory-picture-store.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'
import { exifSegment, JPEG, jpegWith, noise, sha256 } from '../../support/pictures.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ANNA = { id: 'acc_anna', name: 'Anna' }
const EVE = { id: 'acc_eve', name: 'Eve' }
/** Several pieces between peers, and two to a node. */
const LARGE = noise(7, 600, 500)

describe('pictures of a mesh', () => {
  let network: MemoryNetwork
  let time: ManualTime
  let home: MemoryNode
  let other: MemoryNode
  let opened = 0

  beforeEach(async () => {
    network = new MemoryNetwork()
    time = new ManualTime()
    home = await new MemoryNode({ name: 'home', network, time }).start()
    other = await new MemoryNode({ name: 'other', network, time }).start()
    await time.advance(2_000)
  })
  afterEach(async () => {
    await home.stop()
    await other.stop()
  })

  const add = (bytes: Uint8Array, api: NodeApi = home.api): Promise<KeptPicture> => addWhole(api, bytes)

  async function open(pictures: { hash: string; alt?: string }[], node = home) {
    const commandId = `cmd_open_${String(opened++).padStart(8, '0')}`
    const terms = { title: 'A chair', currency: 'EUR', start: '20', commandId, pictures }
    const { outcome, auction } = await node.api.open(terms)
    if (outcome.status !== 'accepted') throw new Error(`refused: ${JSON.stringify(outcome.rejection)}`)
    await settle()
    return auction?.auctionId ?? ''
  }

  async function codeOf(promise: Promise<unknown>) {
    const found = await promise.then(
      () => ({ code: 'DONE', message: '', field: undefined, next: undefined }),
      (error: { code: string; message: string; field?: string; next?: string }) => error,
    )
    return found
  }

  /** Until it has been looked for everywhere, in virtual time. */
  async function inTime<T>(promise: Promise<T>): Promise<T> {
    let isOver = false
    const over = () => {
      isOver = true
    }
    promise.then(over, over)
    for (let steps = 0; !isOver && steps < 200; steps++) await time.advance(500)
    return promise
  }

  it('stand in the terms by their hashes, once what is not the image has been removed', async () => {
    const photo = jpegWith(exifSegment(6))
    const kept = await add(photo)
    expect(kept.removed).to.include('EXIF')
    const id = await open([{ hash: kept.hash, alt: ' A  chair \n from the side ' }])
    const { state } = await home.api.show({ auction: id })
    expect(state.terms.pictures).to.deep.equal([
      {
        hash: kept.hash,
        bytes: kept.bytes,
        type: 'image/jpeg',
        width: 8,
        height: 16,
        alt: 'A chair from the side',
      },
    ])
    const read = await readWhole(home.api, kept.hash)
    expect(sha256(read.bytes)).to.equal(kept.hash)
    expect(read.bytes.includes('GPS')).to.equal(false)
    expect(home.pictureStore.kindOf(kept.hash)).to.equal('own')
  })

  it('come in pieces, each of which may be sent twice', async () => {
    const hash = sha256(LARGE)
    const piece = (offset: number, length: number) => ({
      hash,
      bytes: LARGE.length,
      offset,
      piece: LARGE.subarray(offset, offset + length).toString('base64'),
    })
    expect(await home.api.addPicture(piece(0, 500_000))).to.deep.equal({ picture: null, next: 500_000 })
    expect(await home.api.addPicture(piece(0, 500_000))).to.deep.equal({ picture: null, next: 500_000 })
    const { picture } = await home.api.addPicture(piece(500_000, LARGE.length))
    expect(picture).to.include({ hash, bytes: LARGE.length, width: 600, height: 500 })
    expect((await add(LARGE)).hash).to.equal(hash)
  })

  it('are refused where they are none, with the rule and what to do', async () => {
    const error = await codeOf(add(Buffer.from('<svg onload="alert(1)"/>')))
    expect(error).to.include({ code: 'PICTURE_REFUSED', field: 'picture' })
    expect(error.message).to.equal('the picture is no JPEG, PNG or WebP')
    expect(error.next).to.equal('save it as one of these')
    expect(await codeOf(home.api.addPicture({ hash: sha256(JPEG), bytes: 3, offset: 0, piece: 'AAAA' }))).to.include({
      code: 'PICTURE_REFUSED',
    })
    const huge = { hash: sha256(JPEG), bytes: 9_000_000, offset: 0, piece: 'AAAA' }
    expect((await codeOf(home.api.addPicture(huge))).message).to.match(/has 9000000 bytes; at most 8388608/)
  })

  it('have to be added before an auction names them', async () => {
    const error = await codeOf(open([{ hash: (await add(JPEG)).hash }, { hash: 'f'.repeat(64) }]))
    expect(error).to.include({ code: 'PICTURE_NOT_FOUND', field: 'pictures.1' })
  })

  it('may be named by nothing but a hash', async () => {
    for (const hash of ['../../../etc/passwd', 'F'.repeat(64), '', 'a'.repeat(63)]) {
      expect(await codeOf(home.api.picture({ hash, offset: 0 })), hash).to.include({ code: 'INVALID_INPUT' })
      expect(await codeOf(open([{ hash }])), hash).to.include({ code: 'INVALID_INPUT' })
    }
  })

  it('are copied by other nodes, which have them while the home is away', async () => {
    const { hash } = await add(LARGE)
    await open([{ hash }])
    await time.advance(5_000)
    expect(other.pictureStore.kindOf(hash)).to.equal('copy')
    network.fault(home.info.address, 'unreachable')
    expect(sha256((await readWhole(other.api, hash)).bytes)).to.equal(hash)
  })

  it('are dropped by a node that needs room, and fetched again when somebody asks', async () => {
    const { hash } = await add(LARGE)
    await open([{ hash }])
    await time.advance(5_000)
    await other.pictureStore.drop(hash)
    const again = await new MemoryNode({ name: 'late', network, time, store: other.store }).start()
    try {
      await time.advance(2_000)
      expect(sha256((await inTime(readWhole(again.api, hash))).bytes)).to.equal(hash)
    } finally {
      await again.stop()
    }
  })

  it('are fetched again where the disk has damaged them, at the home as well', async () => {
    const { hash } = await add(LARGE)
    await open([{ hash }])
    await time.advance(5_000)
    const store = home.pictureStore as MemoryPictureStore
    store.damage(hash)
    // Not from what it has read before.
    const back = new MemoryNode({
      name: 'home',
      network,
      time,
      store: home.store,
      signer: home.signer,
      pictureStore: store,
    })
    await home.stop()
    home = await back.start()
    await time.advance(6_000)
    expect(sha256((await inTime(readWhole(home.api, hash))).bytes)).to.equal(hash)
    expect(store.kindOf(hash)).to.equal('own')
  })

  it('come from another peer where one lies, cuts them off, or goes on for ever', async () => {
    const liars: Partial<PeerService>[] = [
      { pullPicture: async () => ({ bytes: JPEG.length, piece: JPEG.toString('base64') }) },
      { pullPicture: async () => ({ bytes: 1_000, piece: '' }) },
      {
        pullPicture: async () => ({
          bytes: 99_999_999,
          piece: LARGE.subarray(0, 200_000).toString('base64'),
        }),
      },
      { pullPicture: () => new Promise(() => {}) },
      { pullPicture: () => Promise.reject(new Error('no')) },
    ]
    const { hash } = await add(LARGE)
    await open([{ hash }])
    await time.advance(5_000)
    for (const liar of liars) {
      const honest = home.services.parts.peerService
      const lying = new Proxy(honest, {
        get: (target, name) => Reflect.get(liar, name) ?? bound(target, name),
      })
      network.serve(home.info.address, lying, home.time)
      const reader = await new MemoryNode({ name: 'reader', network, time, store: other.store }).start()
      try {
        await time.advance(3_000)
        expect(sha256((await inTime(readWhole(reader.api, hash))).bytes)).to.equal(hash)
      } finally {
        await reader.stop()
      }
    }
  })

  it('are not there where every peer lies about them, and nothing else is shown instead', async () => {
    const { hash } = await add(LARGE)
    await open([{ hash }])
    await other.pictureStore.drop(hash)
    for (const node of [home, other]) {
      const honest = node.services.parts.peerService
      const liar: Partial<PeerService> = {
        pullPicture: async () => ({ bytes: JPEG.length, piece: JPEG.toString('base64') }),
      }
      const lying = new Proxy(honest, {
        get: (target, name) => Reflect.get(liar, name) ?? bound(target, name),
      })
      network.serve(node.info.address, lying, node.time)
    }
    const reader = await new MemoryNode({ name: 'reader', network, time, store: other.store }).start()
    try {
      await time.advance(3_000)
      const error = await inTime(codeOf(reader.api.picture({ hash, offset: 0 })))
      expect(error).to.include({ code: 'PICTURE_UNAVAILABLE', field: 'hash' })
      expect(reader.pictureStore.kindOf(hash)).to.equal(null)
    } finally {
      await reader.stop()
    }
  })

  it('are shown clean or not at all, whatever the home has put under their hash', async () => {
    const kept = await add(LARGE)
    const dirty = jpegWith(exifSegment(1))
    const hash = sha256(dirty)
    await home.pictureStore.put(hash, dirty, 'own')
    const named = home.services.parts.pictures
    const { width, height } = kept
    named.named = async () => [{ hash, bytes: dirty.length, type: 'image/jpeg', width, height, alt: '' }]
    await open([{ hash }])
    await time.advance(5_000)
    expect(other.pictureStore.kindOf(hash)).to.equal(null)
    expect(await inTime(codeOf(other.api.picture({ hash, offset: 0 })))).to.include({
      code: 'PICTURE_UNAVAILABLE',
    })
  })

  it('that no auction names are asked of no peer', async () => {
    network.calls.length = 0
    expect(await codeOf(other.api.picture({ hash: 'e'.repeat(64), offset: 0 }))).to.include({
      code: 'PICTURE_NOT_FOUND',
    })
    expect(network.calls.filter(({ method }) => method === 'pullPicture')).to.deep.equal([])
  })

  it('that no auction has named within a day are dropped, and what a crash left between is made good', async () => {
    const named = await add(noise(3))
    await open([{ hash: named.hash }])
    const store = new MemoryPictureStore()
    const keep = async (bytes: Buffer, at: number) => {
      store.now = at
      await store.put(sha256(bytes), bytes, 'new')
    }
    await keep(noise(1), time.now() - DAY_MS - HOUR_MS)
    await keep(noise(3), time.now() - DAY_MS - HOUR_MS)
    await keep(noise(2), time.now() - HOUR_MS)
    await home.stop()
    const { signer, store: log } = home
    home = await new MemoryNode({
      name: 'home',
      network,
      time,
      store: log,
      signer,
      pictureStore: store,
    }).start()
    const kinds = [1, 2, 3].map((seed) => store.kindOf(sha256(noise(seed))))
    expect(kinds).to.deep.equal([null, 'new', 'own'])
  })

  it('move with their auction to its new home, which keeps them for good', async () => {
    const { hash } = await add(LARGE)
    const auction = await open([{ hash }])
    await other.pictureStore.drop(hash)
    await time.advance(5_000)
    await inTime(home.api.handover({ auction, peer: other.info.nodeId }))
    await time.advance(40_000)
    expect(other.pictureStore.kindOf(hash)).to.equal('own')
    expect(home.pictureStore.kindOf(hash)).to.equal('copy')
  })

  it('stay own at the old home while another auction of it shows them', async () => {
    const { hash } = await add(LARGE)
    const auction = await open([{ hash }])
    await open([{ hash }])
    await time.advance(5_000)
    await inTime(home.api.handover({ auction, peer: other.info.nodeId }))
    await time.advance(5_000)
    expect(home.pictureStore.kindOf(hash)).to.equal('own')
  })
})

describe('room for pictures', () => {
  it('is bounded for each seller, so that one who adds without end leaves it to the others', async () => {
    const network = new MemoryNetwork()
    const budgets = { 'picture-uploads': 2_000 }
    const node = await new MemoryNode({ name: 'home', network, time: new ManualTime(), budgets }).start()
    try {
      let refused: { code: string; message: string; next: string } | null = null
      for (let i = 0; i < 20 && refused === null; i++)
        refused = await addWhole(node.api, noise(i), EVE).then(
          () => null,
          (error) => error,
        )
      expect(refused).to.include({ code: 'PICTURES_FULL' })
      expect(refused?.message).to.match(/of the 2000 bytes of pictures that one seller may add in a day/)
      expect((await addWhole(node.api, noise(50), ANNA)).width).to.equal(16)
      expect((await addWhole(node.api, noise(51))).width).to.equal(16)
    } finally {
      await node.stop()
    }
  })

  it('is bounded for the node, whoever adds', async () => {
    const network = new MemoryNetwork()
    const pictureStore = new MemoryPictureStore({ ownLimit: 1_000, copyLimit: 0 })
    const node = await new MemoryNode({ name: 'home', network, time: new ManualTime(), pictureStore }).start()
    try {
      await addWhole(node.api, noise(1))
      const error = await addWhole(node.api, noise(2, 40, 40)).catch((failure) => failure)
      expect(error).to.include({ code: 'PICTURES_FULL' })
      expect(error.message).to.match(/of 1000 are taken/)
      expect((await node.api.status()).pictures).to.include({ ownLimit: 1_000, copyLimit: 0 })
    } finally {
      await node.stop()
    }
  })

  it('is bounded for what is on its way, for each sender and for all', async () => {
    const network = new MemoryNetwork()
    const node = await new MemoryNode({ name: 'home', network, time: new ManualTime() }).start()
    const begin = (i: number, as: typeof EVE) =>
      node.api.addPicture({ hash: i.toString(16).padStart(64, '0'), bytes: 1_000, offset: 0, piece: 'AAAA', as }).then(
        () => 'taken',
        (error: { code: string }) => error.code,
      )
    try {
      const eve = await Promise.all(Array.from({ length: 6 }, (_, i) => begin(i, EVE)))
      expect(eve).to.deep.equal(['taken', 'taken', 'taken', 'taken', 'BUSY', 'BUSY'])
      expect(await begin(1, ANNA)).to.equal('taken')
    } finally {
      await node.stop()
    }
  })
})

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name)
  return typeof value === 'function' ? value.bind(target) : value
}
