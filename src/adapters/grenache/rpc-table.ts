import { type BoundRpc, bindRpc, type Services } from './define-rpc.js'
import { autoBidRpc } from './rpc/auto-bid.js'
import { autoBidsRpc } from './rpc/auto-bids.js'
import { bidRpc } from './rpc/bid.js'
import { buyNowRpc } from './rpc/buy-now.js'
import { cancelRpc } from './rpc/cancel.js'
import { closeRpc } from './rpc/close.js'
import { digestRpc } from './rpc/digest.js'
import { equivocationRpc } from './rpc/equivocation.js'
import { eventsRpc } from './rpc/events.js'
import { extendRpc } from './rpc/extend.js'
import { goodbyeRpc } from './rpc/goodbye.js'
import { handoverRpc } from './rpc/handover.js'
import { headsRpc } from './rpc/heads.js'
import { helloRpc } from './rpc/hello.js'
import { historyRpc } from './rpc/history.js'
import { joinRpc } from './rpc/join.js'
import { listRpc } from './rpc/list.js'
import { logRpc } from './rpc/log.js'
import { openRpc } from './rpc/open.js'
import { passHandoverRpc } from './rpc/pass-handover.js'
import { peersRpc } from './rpc/peers.js'
import { pingRpc } from './rpc/ping.js'
import { pingViaRpc } from './rpc/ping-via.js'
import { proofRpc } from './rpc/proof.js'
import { pullCommitsRpc } from './rpc/pull-commits.js'
import { pullMembersRpc } from './rpc/pull-members.js'
import { pushCommitsRpc } from './rpc/push-commits.js'
import { pushMembersRpc } from './rpc/push-members.js'
import { receiptsRpc } from './rpc/receipts.js'
import { renewCertificateRpc } from './rpc/renew-certificate.js'
import { showRpc } from './rpc/show.js'
import { statusRpc } from './rpc/status.js'
import { stopRpc } from './rpc/stop.js'
import { stopAutoBidRpc } from './rpc/stop-auto-bid.js'
import { submitRpc } from './rpc/submit.js'

/** Everything a node answers to, by its name on the wire. */
export function rpcTable({ peer, operator, mesh }: Services): ReadonlyMap<string, BoundRpc> {
  const table = [
    bindRpc(helloRpc, peer),
    bindRpc(pingRpc, peer),
    bindRpc(pingViaRpc, peer),
    bindRpc(goodbyeRpc, peer),
    bindRpc(submitRpc, peer),
    bindRpc(pushCommitsRpc, peer),
    bindRpc(pullCommitsRpc, peer),
    bindRpc(passHandoverRpc, peer),
    bindRpc(digestRpc, peer),
    bindRpc(headsRpc, peer),
    bindRpc(equivocationRpc, peer),
    bindRpc(joinRpc, mesh),
    bindRpc(renewCertificateRpc, mesh),
    bindRpc(pushMembersRpc, mesh),
    bindRpc(pullMembersRpc, mesh),
    bindRpc(statusRpc, operator),
    bindRpc(peersRpc, operator),
    bindRpc(openRpc, operator),
    bindRpc(bidRpc, operator),
    bindRpc(buyNowRpc, operator),
    bindRpc(closeRpc, operator),
    bindRpc(cancelRpc, operator),
    bindRpc(extendRpc, operator),
    bindRpc(handoverRpc, operator),
    bindRpc(autoBidRpc, operator),
    bindRpc(stopAutoBidRpc, operator),
    bindRpc(autoBidsRpc, operator),
    bindRpc(listRpc, operator),
    bindRpc(showRpc, operator),
    bindRpc(historyRpc, operator),
    bindRpc(eventsRpc, operator),
    bindRpc(logRpc, operator),
    bindRpc(proofRpc, operator),
    bindRpc(receiptsRpc, operator),
    bindRpc(stopRpc, operator),
  ]
  return new Map(table.map((rpc) => [rpc.name, rpc]))
}
