import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { makeClusterHome } from '../support/cluster-home.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected } from '../support/node-process.js'
import { endSharedServer, sharedServer } from '../support/postgres/postgres-server.js'
import { skipUnless } from '../support/requires.js'
import { makeTempHome } from '../support/temp-home.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const DOCKER = join(ROOT, 'docker')
/** Until a query has what it needs: two scrapes, and whatever is measured now and then. */
const DATA_WITHIN_MS = 30_000

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}
interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { name: string; health: string; lastError?: string }[]
  }[]
}
interface ScrapeConfig {
  readonly job_name: string
  readonly static_configs: readonly object[]
}

describe('what docker/ has Prometheus do', () => {
  const { home, remove } = makeTempHome()
  const nodes: NodeProcess[] = []
  let prometheus: ChildProcess | null = null
  let url = ''

  before(async function () {
    const isHere = ['prometheus', 'promtool'].every((tool) => spawnSync(tool, ['--version']).status === 0)
    skipUnless(this, isHere, 'prometheus and promtool are not installed')
    const server = await sharedServer()
    makeClusterHome(home, ['shop', 'other'])
    const log = { VENDUE_SHARED_LOG: server.url(await server.createDatabase()) }
    const shop = await start('shop', { ...log, VENDUE_GATEWAY: 'yes' })
    const other = await start('other', log)
    await untilConnected([shop, other])
    const gateway = /http {3}http:\/\/(\S+)/.exec(shop.output)?.[1] ?? ''
    await bid(gateway, shop)
    await other.api.open({ commandId: 'cmd_metrics-2', title: 'Lot', currency: 'EUR', start: '1' })
    const targets = { nodes: nodes.map(metricsOf), gateways: [gateway] }
    url = await startPrometheus(targets)
  })

  after(async () => {
    if (prometheus !== null) {
      const ended = new Promise((done) => prometheus?.once('close', done))
      prometheus.kill('SIGTERM')
      await ended
    }
    await Promise.all(nodes.map((node) => node.end()))
    await endSharedServer()
    remove()
  })

  it('is sound to its own checker', () => {
    execFileSync('promtool', ['check', 'config', '--syntax-only', join(DOCKER, 'prometheus.yaml')])
    execFileSync('promtool', ['check', 'rules', join(DOCKER, 'alerts.yaml')])
  })

  it('alerts to what it should, and to nothing else', () => {
    const tests = join(ROOT, 'test/docker/alerts.test.yaml')
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', tests], { encoding: 'utf8' })
    expect(status, stdout + stderr).to.equal(0)
    const tested = readFileSync(tests, 'utf8')
    const { groups } = parse(readFileSync(join(DOCKER, 'alerts.yaml'), 'utf8')) as {
      groups: { rules: { alert: string }[] }[]
    }
    for (const { alert } of groups.flatMap(({ rules }) => rules)) {
      const fires = new RegExp(`alertname: ${alert}\\n +exp_alerts`)
      expect(fires.test(tested), `${alert} is seen to fire`).to.equal(true)
    }
  })

  it('finds data for every panel of the dashboard', async () => {
    const dashboard = readFileSync(join(DOCKER, 'grafana/dashboards/vendue.json'), 'utf8')
    const { panels } = JSON.parse(dashboard) as { panels: Panel[] }
    const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })))
    expect(queries.length).to.be.greaterThan(20)
    for (const { title, expr } of queries) {
      await eventually(
        `"${title}" has data: ${expr}`,
        async () => {
          const path = `query?query=${encodeURIComponent(expr)}`
          return (await ask<{ result: unknown[] }>(path)).result.length > 0
        },
        DATA_WITHIN_MS,
      )
    }
  })

  it('evaluates every alert, and none fires for a mesh that is well', async () => {
    const rules = await eventually(
      'all are evaluated',
      async () => {
        const all = (await ask<Rules>('rules')).groups.flatMap((group) => group.rules)
        return all.length > 0 && all.every(({ health }) => health !== 'unknown') ? all : null
      },
      DATA_WITHIN_MS,
    )
    expect(rules.filter(({ health }) => health !== 'ok')).to.deep.equal([])
    const { alerts } = await ask<{ alerts: { state: string }[] }>('alerts')
    expect(alerts.filter(({ state }) => state === 'firing')).to.deep.equal([])
  })

  async function start(name: string, env: NodeJS.ProcessEnv): Promise<NodeProcess> {
    const node = await NodeProcess.start({
      home,
      name,
      args: ['--grape-port', '0', '--dht-port', '0', '--http-port', '0'],
      env: { VENDUE_METRICS_PORT: '0', ...env },
    })
    nodes.push(node)
    return node
  }

  async function bid(gateway: string, shop: NodeProcess): Promise<void> {
    const terms = { title: 'Lot', currency: 'EUR', start: '1' }
    const { auctionId } = (await shop.api.open({ commandId: 'cmd_metrics-1', ...terms })).outcome
    const bidden = await fetch(`http://${gateway}/api/v1/auctions/${auctionId}/bids`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ amount: 5, user_id: 'anna' }),
    })
    expect(bidden.status).to.equal(201)
  }

  /** Where a node without a gateway, and beside one, says that it serves them. */
  function metricsOf(node: NodeProcess): string {
    const address = /"url":"http:\/\/([^/"]+)\/metrics"/.exec(node.output)?.[1]
    if (address === undefined) throw new Error(`no metrics: ${node.output}`)
    return address
  }

  /** Our configuration, with other addresses, and in more of a hurry. */
  async function startPrometheus(targets: Readonly<Record<string, string[]>>): Promise<string> {
    const config = parse(readFileSync(join(DOCKER, 'prometheus.yaml'), 'utf8')) as {
      global: object
      scrape_configs: ScrapeConfig[]
    }
    const hasty = { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' }
    const path = join(home, 'prometheus.json')
    writeFileSync(
      path,
      JSON.stringify({
        ...config,
        rule_files: [join(DOCKER, 'alerts.yaml')],
        global: { ...config.global, ...hasty },
        scrape_configs: config.scrape_configs.map((job) => ({
          ...job,
          static_configs: [{ targets: targets[job.job_name] }],
        })),
      }),
    )
    const args = [
      ...[`--config.file=${path}`, `--storage.tsdb.path=${join(home, 'tsdb')}`],
      '--web.listen-address=127.0.0.1:0',
    ]
    prometheus = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let output = ''
    prometheus.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-50_000)
    })
    const listening = await eventually('Prometheus listens', () => {
      if (prometheus?.exitCode !== null) throw new Error(output)
      return /msg="Listening on" address=(\S+)/.exec(output)?.[1]
    })
    return `http://${listening}/api/v1`
  }

  async function ask<T>(path: string): Promise<T> {
    const answer = (await (await fetch(`${url}/${path}`)).json()) as { data?: T; error?: string }
    if (answer.data === undefined) throw new Error(answer.error)
    return answer.data
  }
})
