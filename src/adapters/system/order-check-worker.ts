import { parentPort } from 'node:worker_threads'
import { readBodyAgain } from '../../application/log/commit-body.js'
import { orderFault } from '../../application/orders/check-orders.js'
import type { OrderCheck, OrderFault } from '../../ports/mesh/order-checker.js'
import { Ed25519Verifier } from './node-key.js'

// The thread on which orders are checked: half of what there is to compute in a log.

const port = parentPort
if (port === null) throw new Error('this file runs as a worker thread')
const verifier = new Ed25519Verifier()

port.on('message', (request: OrderCheck) => {
  const reply: OrderFault | null = orderFault(request, readBodyAgain(request.body), verifier)
  port.postMessage(reply)
})
