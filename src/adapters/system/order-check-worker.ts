import { parentPort } from 'node:worker_threads'
import { orderFault } from '../../application/check-orders.js'
import { readBodyAgain } from '../../application/commit-body.js'
import { Ed25519Verifier } from './node-key.js'
import type { OrderCheckReply, OrderCheckRequest } from './thread-order-checker.js'

// The thread on which orders are checked: half of what there is to compute in a log.

const port = parentPort
if (port === null) throw new Error('this file runs as a worker thread')
const verifier = new Ed25519Verifier()

port.on('message', ({ auctionId, body }: OrderCheckRequest) => {
  const reply: OrderCheckReply = orderFault(auctionId, readBodyAgain(body), verifier)
  port.postMessage(reply)
})
