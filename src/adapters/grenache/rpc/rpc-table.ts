import { autoBidRpc } from './auto-bid.js'
import { autoBidsRpc } from './auto-bids.js'
import { bidRpc } from './bid.js'
import { buyNowRpc } from './buy-now.js'
import { cancelRpc } from './cancel.js'
import { closeRpc } from './close.js'
import { type BoundRpc, bindRpc, type Services } from './define-rpc.js'
import { digestRpc } from './digest.js'
import { equivocationRpc } from './equivocation.js'
import { eventsRpc } from './events.js'
import { extendRpc } from './extend.js'
import { goodbyeRpc } from './goodbye.js'
import { handoverRpc } from './handover.js'
import { headsRpc } from './heads.js'
import { helloRpc } from './hello.js'
import { historyRpc } from './history.js'
import { joinRpc } from './join.js'
import { listRpc } from './list.js'
import { logRpc } from './log.js'
import { openRpc } from './open.js'
import { passHandoverRpc } from './pass-handover.js'
import { peersRpc } from './peers.js'
import { pingRpc } from './ping.js'
import { pingViaRpc } from './ping-via.js'
import { proofRpc } from './proof.js'
import { pullCommitsRpc } from './pull-commits.js'
import { pullMembersRpc } from './pull-members.js'
import { pushCommitsRpc } from './push-commits.js'
import { pushMembersRpc } from './push-members.js'
import { receiptsRpc } from './receipts.js'
import { renewCertificateRpc } from './renew-certificate.js'
import { showRpc } from './show.js'
import { statusRpc } from './status.js'
import { stopRpc } from './stop.js'
import { stopAutoBidRpc } from './stop-auto-bid.js'
import { submitRpc } from './submit.js'

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
