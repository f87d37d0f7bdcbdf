/** Room `grenache/rpc`: each remote procedure: its name, its schemas, who may call it. */

import { type BoundRpc, bindRpc, type Services } from './define-rpc.js'
import { digestRpc } from './digest.js'
import { equivocationRpc } from './equivocation.js'
import { goodbyeRpc } from './goodbye.js'
import { headsRpc } from './heads.js'
import { helloRpc } from './hello.js'
import { joinRpc } from './join.js'
import { type OperatorRpc, operatorRpcs } from './operator-rpcs.js'
import { passHandoverRpc } from './pass-handover.js'
import { pingRpc } from './ping.js'
import { pingViaRpc } from './ping-via.js'
import { pullCommitsRpc } from './pull-commits.js'
import { pullMembersRpc } from './pull-members.js'
import { pullPictureRpc } from './pull-picture.js'
import { pushCommitsRpc } from './push-commits.js'
import { pushMembersRpc } from './push-members.js'
import { refusalRpc } from './refusal.js'
import { renewCertificateRpc } from './renew-certificate.js'
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
    bindRpc(pullPictureRpc, peer),
    bindRpc(passHandoverRpc, peer),
    bindRpc(digestRpc, peer),
    bindRpc(headsRpc, peer),
    bindRpc(equivocationRpc, peer),
    bindRpc(refusalRpc, peer),
    bindRpc(joinRpc, mesh),
    bindRpc(renewCertificateRpc, mesh),
    bindRpc(pushMembersRpc, mesh),
    bindRpc(pullMembersRpc, mesh),
    ...Object.values(operatorRpcs).map((rpc) => bindRpc(rpc as OperatorRpc, operator)),
  ]
  return new Map(table.map((rpc) => [rpc.name, rpc]))
}
