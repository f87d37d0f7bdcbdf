import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { z } from 'zod'
import { SETTING_KEYS, settingsSchema } from '../../src/adapters/system/settings-schema.js'
import { parseSharedLog } from '../../src/adapters/system/shared-log-address.js'
import { makeClusterHome } from '../support/cluster-home.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess } from '../support/node-process.js'
import { endSharedServer, sharedServer } from '../support/postgres/postgres-server.js'
import { makeTempHome } from '../support/temp-home.js'

const MEMBERS = ['node1', 'node2', 'node3', 'gateway1', 'gateway2']
const ROOT = resolve(import.meta.dirname, '../../..')
const DOCKER = join(ROOT, 'docker')

interface Service {
  readonly hostname?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly depends_on?: readonly string[] | Readonly<Record<string, object>>
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: object
}

const duration = z.string().regex(/^(\d+(us|ms|s|m|h))+$/)
const mount = z.string().regex(/^[^:]+:\/[^:]*(:ro)?$/)
const service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).exactOptional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']).exactOptional(),
  hostname: z.string().exactOptional(),
  command: z.array(z.string()).exactOptional(),
  user: z.string().exactOptional(),
  environment: z.record(z.string(), z.string()).exactOptional(),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).exactOptional(),
  volumes: z.array(mount).exactOptional(),
  tmpfs: z.array(z.string().startsWith('/')).exactOptional(),
  read_only: z.boolean().exactOptional(),
  cap_drop: z.array(z.string()).exactOptional(),
  security_opt: z.array(z.string()).exactOptional(),
  stop_grace_period: duration.exactOptional(),
  healthcheck: z
    .union([
      z.strictObject({ disable: z.literal(true) }),
      z.strictObject({ test: z.array(z.string()), interval: duration, timeout: duration, retries: z.int() }),
    ])
    .exactOptional(),
  depends_on: z
    .union([
      z.array(z.string()),
      z.record(
        z.string(),
        z.strictObject({
          condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
        }),
      ),
    ])
    .exactOptional(),
})
/** The Compose specification, as far as our file uses it: github.com/compose-spec/compose-spec. */
const composeFile = z
  .looseObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
    services: z.record(z.string(), service),
    volumes: z.record(z.string(), z.null()),
  })
  .refine(
    (file) => Object.keys(file).every((key) => /^(name|services|volumes|x-.+)$/.test(key)),
    'unknown top-level key',
  )

const read = (name: string): unknown => parse(readFileSync(join(DOCKER, name), 'utf8'), { merge: true })

/** As Compose does it: maps are joined, lists of volumes too, and the rest is replaced. */
function overridden(base: Compose, more: Compose): Compose {
  const services = { ...base.services }
  for (const [name, { environment, volumes = [], depends_on, ...rest }] of Object.entries(more.services)) {
    const before = services[name] ?? {}
    services[name] = {
      ...before,
      ...rest,
      environment: { ...before.environment, ...environment },
      volumes: [...(before.volumes ?? []), ...volumes],
      depends_on: { ...before.depends_on, ...depends_on },
    }
  }
  return { ...base, services, volumes: { ...base.volumes, ...more.volumes } }
}

/** Those that start with it, in whatever order; fails where two wait for each other. */
function waitsFor(name: string, { services }: Compose, way: readonly string[] = []): string[] {
  if (way.includes(name)) throw new Error(`${[...way, name].join(' waits for ')}`)
  const { depends_on = {} } = services[name] ?? {}
  const next = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)
  return next.flatMap((other) => [other, ...waitsFor(other, { services, volumes: {} }, [...way, name])])
}

describe('what is under docker/, as a cluster', () => {
  const VARIANT = 'compose.cluster.yaml'
  let cluster: Compose

  before(() => {
    cluster = overridden(read('compose.yaml') as Compose, read(VARIANT) as Compose)
  })

  it('is valid together with the mesh, to docker compose too if that is installed', () => {
    expect(composeFile.safeParse(cluster).error?.issues).to.equal(undefined)
    if (spawnSync('docker', ['compose', 'version']).status !== 0) {
      console.error('      docker compose is not installed here: its own look at the files was left out')
      return
    }
    const files = ['compose.yaml', VARIANT].flatMap((name) => ['-f', join(DOCKER, name)])
    execFileSync('docker', ['compose', ...files, 'config', '--quiet'])
  })

  it('has three nodes and two gateways that share a log, with a primary and a standby', () => {
    const sharing = Object.entries(cluster.services).filter(([, { environment }]) => environment?.VENDUE_SHARED_LOG)
    expect(sharing.map(([name]) => name)).to.have.members(['cluster-init', ...MEMBERS])
    expect(Object.keys(cluster.services)).to.include.members(['primary', 'standby'])
  })

  it('names both servers to the nodes, by a URL that they take, for the database and user that there are', () => {
    for (const name of ['cluster-init', ...MEMBERS]) {
      const text = cluster.services[name]?.environment?.VENDUE_SHARED_LOG ?? ''
      const log = parseSharedLog(text.replace(/\$\{\w+:-([^}]*)\}/, '$1'))
      expect(log.hosts.map(({ host }) => host)).to.deep.equal(['primary', 'standby'])
      for (const { host, port } of log.hosts) {
        const server = cluster.services[host]
        expect(server?.hostname).to.equal(host)
        expect(port).to.equal(5_432)
        expect(server?.environment).to.include({ POSTGRES_USER: log.user, POSTGRES_DB: log.database })
        expect(text).to.contain(`:${server?.environment?.POSTGRES_PASSWORD}@`)
      }
    }
  })

  it('has the standby synchronous by the name that it follows under, and wait for none once it is promoted', () => {
    const { primary, standby } = cluster.services
    expect(primary?.command).to.include('synchronous_standby_names=standby')
    expect(standby?.command?.slice(0, 3)).to.deep.equal(['/follow-primary.sh', 'primary', 'standby'])
    expect(standby?.command?.join(' ')).not.to.contain('synchronous_standby_names')
  })

  it('mounts only what is there, sets only variables that exist, and starts one after the other', () => {
    for (const [name, { volumes = [], environment = {} }] of Object.entries(cluster.services)) {
      for (const source of volumes.map((mount) => mount.split(':')[0] as string)) {
        if (source.startsWith('.')) expect(existsSync(join(DOCKER, source)), `${name}: ${source}`).to.equal(true)
        else expect(cluster.volumes, name).to.have.property(source)
      }
      const known = SETTING_KEYS.map((key) => `VENDUE_${key.toUpperCase()}`)
      expect(known).to.include.members(Object.keys(environment).filter((key) => key.startsWith('VENDUE_')))
      expect(Object.keys(cluster.services)).to.include.members(waitsFor(name, cluster))
    }
    expect(waitsFor('node1', cluster)).to.include.members(['cluster-init', 'mesh-init', 'standby', 'primary'])
  })

  it('brings the token to the nodes that join, from where it is made', () => {
    const made = cluster.services['cluster-init']
    const [, directory, uses] = made?.command ?? []
    const joining = Object.values(cluster.services).filter(({ environment }) => environment?.CLUSTER_TOKEN)
    expect(joining).to.have.length(Number(uses))
    for (const { environment, volumes = [], command = [] } of joining) {
      expect(environment?.CLUSTER_TOKEN).to.equal(`${directory}/cluster`)
      expect(volumes).to.include(`invite:${directory}:ro`)
      expect(command[0]).to.equal('join-and-start.sh')
    }
    expect(dockerfile()).to.contain(`docker/${made?.command?.[0]}`)
  })
})

describe('what is under docker/', () => {
  let compose: Compose

  before(() => {
    compose = read('compose.yaml') as Compose
  })

  it('is valid: by the part of the Compose specification that it uses, and to docker compose where that is here', () => {
    expect(composeFile.safeParse(compose).error?.issues).to.equal(undefined)
    if (spawnSync('docker', ['compose', 'version']).status !== 0) {
      console.error('      docker compose is not installed here: its own look at the file was left out')
      return
    }
    execFileSync('docker', ['compose', '-f', join(DOCKER, 'compose.yaml'), 'config', '--quiet'])
  })

  it('has three nodes, two gateways, Prometheus and Grafana', () => {
    expect(Object.keys(compose.services)).to.have.members([
      ...['mesh-init', 'node1', 'node2', 'node3', 'gateway1', 'gateway2', 'prometheus', 'grafana'],
    ])
  })

  it('mounts only what is there, and volumes that it names', () => {
    for (const [name, { volumes = [], build }] of Object.entries(compose.services)) {
      for (const mount of volumes) {
        const source = mount.split(':')[0] as string
        if (source.startsWith('.')) expect(existsSync(join(DOCKER, source)), `${name}: ${source}`).to.equal(true)
        else expect(compose.volumes, name).to.have.property(source)
      }
      if (build) expect(existsSync(join(DOCKER, build.context, build.dockerfile)), name).to.equal(true)
    }
  })

  it('waits only for services that it has', () => {
    for (const { depends_on = {} } of Object.values(compose.services)) {
      const names = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)
      expect(Object.keys(compose.services)).to.include.members(names)
    }
  })

  it('sets only variables that exist', () => {
    const known = SETTING_KEYS.map((key) => `VENDUE_${key.toUpperCase()}`)
    for (const { environment = {} } of Object.values(compose.services)) {
      const ours = Object.keys(environment).filter((key) => key.startsWith('VENDUE_'))
      expect(known).to.include.members(ours)
    }
  })

  it('gives each member the address that the others dial, and asks for its health where it serves it', () => {
    for (const name of MEMBERS) {
      const { hostname, command = [], environment = {} } = compose.services[name] as Service
      expect(hostname).to.equal(name)
      expect(environment.VENDUE_NAME).to.equal(name)
      expect(command).to.include(`${name}:7000`)
      const port = environment.HEALTH_URL ? environment.VENDUE_METRICS_PORT : environment.VENDUE_HTTP_PORT
      const url = environment.HEALTH_URL ?? /HEALTH_URL=(\S+)/.exec(dockerfile())?.[1] ?? ''
      expect(new URL(url).port).to.equal(port)
    }
    const exposed = /^EXPOSE (.*)$/m.exec(dockerfile())?.[1]?.split(' ')
    expect(exposed).to.have.members(['7000', '8080', '9464'])
  })

  it('has both gateways know the same accounts, in a volume that their user may write', () => {
    const [first, second] = ['gateway1', 'gateway2'].map((name) => {
      const { environment = {}, volumes = [] } = compose.services[name] as Service
      return volumes.filter((mount) => mount.endsWith(`:${environment.VENDUE_ACCOUNTS_DIR}`))
    })
    expect(first).to.have.length(1)
    expect(first).to.deep.equal(second)
    const made = /install -d -o node .* -m 0700 (.*?) *\\?$/m.exec(dockerfile())?.[1]?.split(' ')
    const mounted = Object.values(compose.services).flatMap(({ build, volumes = [] }) =>
      build ? volumes.map((mount) => mount.split(':')[1]) : [],
    )
    expect(made).to.include.members(mounted)
  })

  it('names each gateway to the other by the addresses that it is published at', () => {
    for (const [name, other] of [
      ['gateway1', 'gateway2'],
      ['gateway2', 'gateway1'],
    ] as const) {
      const { ports = [] } = compose.services[other] as Service
      const port = /^127\.0\.0\.1:(\d+):/.exec(ports[0] ?? '')?.[1]
      const named = compose.services[name]?.environment?.VENDUE_HTTP_GATEWAYS
      expect(named).to.equal(`http://127.0.0.1:${port},http://localhost:${port}`)
      expect(settingsSchema.shape.http_gateways.safeParse(named).success).to.equal(true)
    }
  })

  it('copies into the image what the ignore file lets through', () => {
    const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    const copied = [...dockerfile().matchAll(/^COPY (?!--from)(?:--\S+ )*(.+)$/gm)].flatMap(([, words]) =>
      (words ?? '').split(' ').slice(0, -1),
    )
    expect(copied).to.not.have.length(0)
    for (const path of copied) {
      expect(allowed).to.include(path.split('/')[0])
      expect(existsSync(join(ROOT, path)), path).to.equal(true)
    }
  })

  it('has Prometheus ask every node and gateway where it serves its metrics', () => {
    const { scrape_configs, rule_files } = read('prometheus.yaml') as {
      scrape_configs: { static_configs: { targets: string[] }[] }[]
      rule_files: string[]
    }
    const targets = scrape_configs.flatMap((job) => job.static_configs.flatMap((config) => config.targets))
    const serving = Object.entries(compose.services).flatMap(([name, { environment = {} }]) => {
      const port = environment.VENDUE_METRICS_PORT ?? environment.VENDUE_HTTP_PORT
      return port && name !== 'mesh-init' ? [`${name}:${port}`] : []
    })
    expect(targets).to.have.members(serving)
    const mounted = (compose.services.prometheus?.volumes ?? []).map((mount) => mount.split(':')[1])
    expect(mounted).to.include.members(rule_files)
  })

  it('asks only for metrics that a node and its gateway have', async () => {
    const { home, remove } = makeTempHome()
    const server = await sharedServer()
    makeClusterHome(home, ['main'])
    const node = await NodeProcess.start({
      home,
      name: 'main',
      args: ['--grape-port', '0', '--dht-port', '0', '--http-port', '0'],
      env: { VENDUE_GATEWAY: 'yes', VENDUE_SHARED_LOG: server.url(await server.createDatabase()) },
    })
    try {
      const page = await metricsAfterSomeUse(node)
      const known = new Set(
        [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
          type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
        ),
      )
      const dashboard = readFileSync(join(DOCKER, 'grafana/dashboards/vendue.json'), 'utf8')
      const alerts = readFileSync(join(DOCKER, 'alerts.yaml'), 'utf8')
      for (const [file, text] of Object.entries({ dashboard, alerts })) {
        const used = new Set(text.match(/\b(?:vendue|process)_[a-z_0-9]+/g))
        expect(used.size, file).to.be.greaterThan(5)
        expect(
          [...used].filter((name) => !known.has(name)),
          file,
        ).to.deep.equal([])
      }
      const { panels } = JSON.parse(dashboard) as { panels: { targets: { expr: string }[] }[] }
      expect(panels.every(({ targets }) => targets.every(({ expr }) => expr.length > 0))).to.equal(true)
    } finally {
      await node.end()
      await endSharedServer()
      remove()
    }
  })
})

function dockerfile(): string {
  return readFileSync(join(DOCKER, 'Dockerfile'), 'utf8')
}

/** Some instruments are made when they are first used. */
async function metricsAfterSomeUse(node: NodeProcess): Promise<string> {
  const url = await eventually('it says where', () => /http {3}(http:\S+)/.exec(node.output)?.[1])
  const terms = { title: 'Lot', currency: 'EUR', start: '1' }
  const { auctionId } = (await node.api.open({ commandId: 'cmd_metrics', ...terms })).outcome
  const bid = await fetch(`${url}/api/v1/auctions/${auctionId}/bids`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ amount: 5, user_id: 'anna' }),
  })
  expect(bid.status).to.equal(201)
  return (await fetch(`${url}/metrics`)).text()
}
