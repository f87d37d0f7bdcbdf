import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect } from 'chai'
import { WebSocket, WebSocketServer } from 'ws'
import { asciiFrame, SocketWriter, textFrame } from '../../../src/adapters/websocket/socket-writer.js'
import { eventually } from '../../support/eventually.js'

describe('SocketWriter', () => {
  it('writes frames of every size that a WebSocket client takes, in order and together', async () => {
    const http = createServer()
    const webSockets = new WebSocketServer({ noServer: true })
    const raws: Socket[] = []
    http.on('upgrade', (request, raw, head) => {
      webSockets.handleUpgrade(request, raw, head, () => raws.push(raw as Socket))
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const clients = [0, 1].map(() => new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`))
    const heard: string[][] = clients.map(() => [])
    try {
      clients.forEach((client, i) => {
        client.on('message', (data) => heard[i]?.push(data.toString()))
      })
      await eventually('both are there', () => raws.length === 2)
      const texts = [0, 1, 125, 126, 65_535, 65_536].map((length) => 'x'.repeat(length)).concat('für €5')
      const writer = new SocketWriter()
      const outlets = raws.map((raw) => ({ raw, frames: [] }))
      const frames = texts.map(textFrame)
      for (const frame of frames) for (const outlet of outlets) writer.write(outlet, frame)
      expect(writer.waiting).to.equal(2)
      await eventually('all have come', () => heard.every((own) => own.length === texts.length))
      for (const own of heard) expect(own).to.deep.equal(texts)
      expect(writer.waiting).to.equal(0)
      const ascii = texts.filter((text) => text.length < 65_536 && /^[\x20-\x7e]*$/.test(text))
      for (const raw of raws) for (const text of ascii) raw.write(asciiFrame(text), 'latin1')
      await eventually('these too', () => heard.every((own) => own.length === texts.length + ascii.length))
      for (const own of heard) expect(own.slice(texts.length)).to.deep.equal(ascii)
      expect(() => asciiFrame('x'.repeat(65_536))).to.throw(RangeError)
    } finally {
      for (const client of clients) client.terminate()
      webSockets.close()
      http.close()
    }
  })
})
