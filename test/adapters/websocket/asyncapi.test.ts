import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect } from 'chai'
import { VERSION } from '../../../src/adapters/system/version.js'
import { asyncApiYaml } from '../../../src/adapters/websocket/asyncapi.js'
import { pathMessages } from '../../../src/adapters/websocket/event-frames.js'
import { clientMessages, replyMessages } from '../../../src/application/gateway/messages.js'
import { eventMessages } from '../../../src/application/gateway/public-events.js'

const FILE = resolve(import.meta.dirname, '../../../../docs/asyncapi.yaml')

describe('docs/asyncapi.yaml', () => {
  it('says what the code checks (bring it up to date from a gateway: curl URL/docs/asyncapi.yaml)', () => {
    expect(readFileSync(FILE, 'utf8')).to.equal(asyncApiYaml(VERSION))
  })

  it('describes every message', () => {
    const text = asyncApiYaml('1.2.3')
    const names = [clientMessages, replyMessages, eventMessages, pathMessages].flatMap((messages) =>
      Object.keys(messages),
    )
    for (const name of names)
      expect(text).to.match(new RegExp(`^    ${name}:\\n      name: ${name}\\n      summary: "`, 'm'))
    expect(text).to.contain('version: "1.2.3"')
  })
})
