import { EXIT } from '../parse/exit-codes.js'
import { startOptions } from '../parse/node-options.js'
import { facts } from '../render/table.js'
import type { HostCommand } from '../session/host.js'
import { nodeLogger } from '../session/node-logger.js'
import { aborted } from '../session/waiting.js'

/** By tradition, a pair of Grapes has its APIs on 30001 and 40001, and its DHT on 20001 and 20002. */
const OPTIONS = ['grape-host', 'grape-port', 'dht-port', 'bootstrap', 'log-format'] as const

export const grapeCommand: HostCommand = {
  usage: 'grape',
  audited: 'changes nothing',
  summary: 'Run a Grape for several nodes to share, until Ctrl-C.',
  options: Object.fromEntries(OPTIONS.map((name) => [name, startOptions[name] as (typeof startOptions)[string]])),
  examples: [
    ['grape', 'API on 30001, DHT on 20001'],
    ['grape --grape-port 40001 --dht-port 20002 --bootstrap 127.0.0.1:20001', 'a second one, linked to it'],
    ['start --grape http://127.0.0.1:30001', 'a node that uses it'],
  ],
  async run({ deps, io, out, settings, program }, args) {
    const { values, sources } = settings(args)
    const logger = nodeLogger(
      { level: values.log_level, format: values.log_format },
      { stream: io.stderr, env: io.env },
    )
    const grape = await deps.startGrape(
      {
        host: values.grape_host,
        apiPort: values.grape_port,
        dhtPort: values.dht_port,
        // Without bootstrap nodes, a shared Grape is the first of its mesh.
        bootstrap: sources.bootstrap.kind === 'default' ? [] : values.bootstrap,
      },
      { logger },
    )
    try {
      out.document({ event: 'ready', url: grape.url, dht_address: grape.dhtAddress, pid: process.pid })
      out.lines(
        ...facts([
          ['grape', grape.url],
          ['dht', grape.dhtAddress],
        ]),
        `${out.look.paint.good('Ready')}: Ctrl-C stops it. Nodes use it with: ${program} start --grape ${grape.url}`,
      )
      await aborted(io.ended)
      if (!out.json) out.note('stopping')
      return EXIT.done
    } finally {
      await grape.stop()
    }
  },
}
