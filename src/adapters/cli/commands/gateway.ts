import { gatewaySettings } from '../../system/gateway-settings.js'
import { EXIT } from '../parse/exit-codes.js'
import { gatewayOptions, reachOptions } from '../parse/node-options.js'
import { followingNodeApi } from '../session/following-node-api.js'
import type { HostCommand } from '../session/host.js'
import { nodeLogger } from '../session/node-logger.js'
import { RpcSession } from '../session/node-session.js'
import { aborted } from '../session/waiting.js'
import { gatewayText, showPage } from './start.js'

export const gatewayCommand: HostCommand = {
  usage: 'gateway',
  audited: 'by itself',
  summary: 'Serve HTTP and WebSocket for a node that runs elsewhere, until Ctrl-C.',
  options: {
    ...reachOptions,
    ...gatewayOptions,
    'log-format': {
      kind: 'text',
      describe: 'pretty, json or auto (pretty on a terminal)',
      group: 'Configuration:',
    },
  },
  examples: [
    ['gateway --http-port 8081', 'one more gateway for the node of this machine'],
    ['gateway --auth accounts', 'bidders log in; see `vendue user --help`'],
    ['gateway --rpc 192.0.2.7:7000 --token-file operator.token', 'for a node of another machine'],
  ],
  notes: 'A gateway holds no auctions of its own: as many as you like may stand beside each other.',
  async run(host, args) {
    const { deps, io, out } = host
    const settings = host.settings(args)
    const { level, format } = { level: settings.values.log_level, format: settings.values.log_format }
    const logger = nodeLogger({ level, format }, { stream: io.stderr, env: io.env })
    const session = new RpcSession(host, args)
    try {
      // If the node cannot be found at all, that is an error now, not for each request.
      await session.api()
      const api = followingNodeApi(session)
      const gateway = await deps.startGateway(gatewaySettings(settings), { api, logger })
      try {
        const { node } = await api.status()
        const auth = gateway.open ? 'open' : 'accounts'
        out.document({ event: 'ready', http: gateway.url, auth, node_id: node.nodeId, pid: process.pid })
        const { paint } = out.look
        out.lines(`${paint.good('Ready')}: ${gatewayText(gateway)}, for the node ${node.name}. Ctrl-C stops it.`)
        if (args.flag('open')) await showPage(host, gateway)
        await aborted(io.ended)
        if (!out.json) out.note('stopping')
        return EXIT.done
      } finally {
        await gateway.stop()
      }
    } finally {
      await session.close()
    }
  },
}
