import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

// The ceiling: takes a JSON message, answers with one, and does nothing else. Tells its parent the port.

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { bid_id, amount } = JSON.parse(data.toString()) as { bid_id: string; amount: string }
    socket.send(JSON.stringify({ type: 'bid_accepted', bid_id, current_bid: amount, timestamp: new Date() }))
  })
})
server.on('listening', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit(0))
