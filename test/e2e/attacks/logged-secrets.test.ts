import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { parseToken } from '../../../src/application/members/mesh-token.js'
import { AttackedMesh, FREE_PORTS, infoOf, openAuction, say } from '../../support/attacked-mesh.js'
import { eventually } from '../../support/eventually.js'
import { NodeProcess } from '../../support/node-process.js'

const AMOUNTS = { reserve: '91827364.55', max: '81726354.44', raised: '81726399.33', limit: '71625344.22' }

describe('what nodes log at level trace', () => {
  let mesh: AttackedMesh
  before(async () => {
    mesh = await AttackedMesh.start(['anna', 'ben'], { logLevel: 'trace' })
  })
  after(() => mesh.stop())

  it('holds no secret: no key, token, salt, maximum or limit, through joins, bids, a handover and wrong tokens', async () => {
    const [anna, ben] = [mesh.node(0), mesh.node(1)]
    const token = await mesh.token()
    await mesh.join('carla', { token })
    const carla = await NodeProcess.start({
      home: mesh.elsewhere,
      name: 'carla',
      logLevel: 'trace',
      args: [...FREE_PORTS, '--bootstrap', (await infoOf(anna)).dhtAddress ?? ''],
    })
    mesh.later(() => carla.end())
    await mesh.join('dora', { token }).then(
      () => expect.fail('a token for one let two in'),
      () => {},
    )
    const wrong = 'wrong-token-1f8e2c'
    expect(await say(anna, 'vendue.node.status', {}, null, wrong)).to.equal('FORBIDDEN')

    const auction = await openAuction(anna, { reserve: AMOUNTS.reserve })
    for (const node of [ben, carla]) await eventually('the auction is known', () => node.api.show({ auction }))
    await ben.api.bid({ auction, commandId: 'bid_secretly1', kind: 'max', amount: AMOUNTS.max })
    await ben.api.bid({ auction, commandId: 'bid_secretly2', kind: 'max', amount: AMOUNTS.raised })
    await carla.api.autoBid({ auction, limit: AMOUNTS.limit })
    await eventually('carla bids', async () => (await anna.api.show({ auction })).state.bidCount >= 3)
    await carla.api.stopAutoBid({ auction })
    await anna.api.handover({ auction, peer: 'ben' })
    await eventually('ben is the home', async () => {
      return (await ben.api.show({ auction })).state.home.nodeId === (await infoOf(ben)).nodeId
    })
    await ben.api.bid({ auction, commandId: 'bid_secretly3', kind: 'plain', amount: 'no amount' }).catch(() => {})

    const running = [anna, ben, carla]
    const secrets = new Map<string, string>([
      ['the secret of an invite', parseToken(token).secret],
      ['a token', token.slice(8)],
      ['a wrong token', wrong],
      ...running.flatMap((node): [string, string][] => [
        [`${node.options.name}'s operator token`, readFileSync(join(node.dataDir, 'operator.token'), 'utf8').trim()],
        [`${node.options.name}'s key`, keyText(readFileSync(join(node.dataDir, 'node.key'), 'utf8'))],
      ]),
      ["the authority's key", keyText(mesh.stolenAuthority().ca.privateKey)],
      ...Object.entries(AMOUNTS).flatMap(([name, amount]): [string, string][] => [
        [`${name}, as text`, amount],
        [`${name}, in minor units`, amount.replace('.', '')],
      ]),
      ...saltsOf(anna.dataDir).map((salt, i): [string, string] => [`salt ${i}`, salt]),
    ])
    expect([...secrets.keys()].filter((name) => name.startsWith('salt'))).to.have.length.above(2)
    for (const node of running) {
      const { output } = node
      expect(output, 'it does log in detail').to.include('"level":10')
      expect(output.length).to.be.above(2_000)
      for (const [what, secret] of secrets) {
        expect(secret.length, what).to.be.above(8)
        // Not `include` of chai, which would print the log and the secret.
        expect(output.includes(secret), `${node.options.name} logs ${what}`).to.equal(false)
      }
    }
  })
})

/** The bytes of a private key in PEM, as base64. */
function keyText(pem: string): string {
  return pem
    .split('\n')
    .filter((line) => line.length > 0 && !line.startsWith('---'))
    .join('')
}

function saltsOf(dataDir: string): string[] {
  const db = new Database(join(dataDir, 'vendue.db'), { readonly: true })
  try {
    const maxima = db.prepare('SELECT salt FROM sealed_maxima').pluck().all() as string[]
    const reserves = db.prepare('SELECT reserve_salt FROM auction_secrets').pluck().all() as (string | null)[]
    return [...maxima, ...reserves.filter((salt) => salt !== null)]
  } finally {
    db.close()
  }
}
