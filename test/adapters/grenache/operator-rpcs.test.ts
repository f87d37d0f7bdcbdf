import { expect } from 'chai'
import { type OperatorRpc, operatorRpcs } from '../../../src/adapters/grenache/rpc/operator-rpcs.js'
import { submitResultSchema } from '../../../src/adapters/grenache/rpc/submit-answer-schema.js'
import { checkedNodeApi } from '../../../src/application/node/node-methods.js'
import type { NodeApi } from '../../../src/ports/node/node-api.js'

type Call = (request: object) => Promise<unknown>

describe('what a node does for its user', () => {
  const called: string[] = []
  const anything = new Proxy({} as NodeApi, {
    get: (_, method) => async (request: unknown) => called.push(`${String(method)} ${JSON.stringify(request)}`),
  })
  const checked = checkedNodeApi(anything, anything) as unknown as Record<string, Call>
  const rpcs = Object.entries(operatorRpcs) as [string, OperatorRpc][]

  beforeEach(() => {
    called.length = 0
  })

  it('has an RPC for each method, and no method without one', () => {
    expect(rpcs.map(([name]) => name)).to.have.members(Object.keys(checked))
    expect(new Set(rpcs.map(([, rpc]) => rpc.name)).size).to.equal(rpcs.length)
  })

  it('is refused in the same process where its RPC would refuse it', async () => {
    const takeSomething = rpcs.filter(([, rpc]) => !rpc.request.safeParse({}).success)
    expect(takeSomething).to.have.length.greaterThan(8)
    for (const [name] of takeSomething) {
      const refused = await checked[name]?.({}).catch((error: unknown) => error)
      expect(refused, name).to.include({ name: 'NodeError', code: 'INVALID_INPUT' })
    }
    expect(called).to.deep.equal([])
  })

  it('is passed on in the form in which it stands in the log', async () => {
    const cancel = { auction: 'auc_1', commandId: 'cmd_1', reason: 'a cafe\u0301' }
    await checked.cancel?.(cancel)
    await checked.peers?.({})
    expect(called).to.deep.equal([`cancel ${JSON.stringify({ ...cancel, reason: 'a caf\u00e9' })}`, 'peers undefined'])
  })

  it('counts as failed inside where a home gives a code that this version does not know', () => {
    const result = (code: string) => submitResultSchema.parse({ ok: false, code, message: 'no' })
    expect(result('BUSY')).to.include({ code: 'BUSY' })
    expect(result('OF_THE_FUTURE')).to.include({ code: 'INTERNAL', message: 'no' })
    expect(() => result('busy')).to.throw()
  })
})
