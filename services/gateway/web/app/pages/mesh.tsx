import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { type NodeReport, type Peer, RequestRefused } from 'vendue/client'
import { figuresOf, type MeshFigures } from '../../model/mesh-picture.js'
import { Icon, type IconName, Note } from '../parts/icons.js'
import { MeshPicture } from '../parts/mesh-picture.js'
import { arrangement, lots } from '../state/catalogue.js'
import { t, writing } from '../state/language.js'
import { client, failed, isOpenMode, visitor } from '../state/session.js'
import '../../design/mesh.css'

const LOOK_MS = 2_000
const LOOKS: Readonly<Record<Peer['state'], readonly [tone: string, icon: IconName]>> = {
  alive: ['good', 'check'],
  suspect: ['warn', 'warn'],
  dead: ['bad', 'none'],
  left: ['', 'away'],
}

interface Seen {
  readonly peers: readonly Peer[]
  readonly node: NodeReport
  readonly figures: MeshFigures
}

/** The nodes, for whoever runs them: a picture, and beside it the same in a table. */
export function Mesh() {
  const seen = useSignal<Seen | null>(null)
  const wrong = useSignal<'forbidden' | 'failed' | null>(null)
  const by = client.value
  const isStranger = visitor.value === null && !isOpenMode.value
  useEffect(() => {
    if (!by) return
    // Somebody whose login is still on its way is asked for again as themselves.
    wrong.value = isStranger ? 'forbidden' : null
    if (isStranger) return
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    const options = { deadlineMs: 5_000 }
    const look = async () => {
      try {
        const [peers, node, samples] = await Promise.all([
          by.peers(options),
          by.nodeReport(options),
          by.metrics(options),
        ])
        seen.value = { peers, node, figures: figuresOf(samples) }
        wrong.value = null
      } catch (error) {
        const isRefused = error instanceof RequestRefused && (error.status === 401 || error.status === 403)
        wrong.value = isRefused ? 'forbidden' : 'failed'
        if (isRefused) return
      }
      if (!isOver) timer = setTimeout(() => void look(), LOOK_MS)
    }
    void look()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [by, isStranger])
  const homes = useHomes()
  return (
    <>
      <div class="page-head">
        <h1>{t('mesh.title')}</h1>
        <p class="soft">{t('mesh.intro')}</p>
      </div>
      {(wrong.value === 'failed' || failed.value) && (
        <Note tone="warn" icon="away" role="status">
          {t('catalogue.failed')}
        </Note>
      )}
      {wrong.value === 'forbidden' ? (
        <div class="empty">
          <Icon name="lock" />
          <p>{t('mesh.forbidden')}</p>
          <a class="button" href="/">
            {t('lot.back')}
          </a>
        </div>
      ) : seen.value ? (
        <Shown seen={seen.value} homes={homes} />
      ) : (
        wrong.value === null &&
        !failed.value && (
          <p class="soft" role="status">
            {t('loading')}
          </p>
        )
      )}
    </>
  )
}

/** Auctions that are not over, by the name of their home. */
function useHomes(): ReadonlyMap<string, number> {
  arrangement.value
  const homes = new Map<string, number>()
  for (const source of lots.values()) {
    const { home, ending } = source.peek()
    if (!ending) homes.set(home.name, (homes.get(home.name) ?? 0) + 1)
  }
  return homes
}

function Shown({ seen: { peers, node, figures }, homes }: { seen: Seen; homes: ReadonlyMap<string, number> }) {
  return (
    <div class="mesh">
      <div class="stack">
        {peers.length > 0 && <MeshPicture peers={peers} homes={homes} self={node.name} />}
        <Figures node={node} figures={figures} homes={homes} />
      </div>
      <div class="stack">
        {peers.length === 0 ? (
          <div class="empty">
            <p>{t('mesh.alone')}</p>
          </div>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled with the keyboard.
          <section class="card table-wrap" tabIndex={0} aria-label={t('mesh.table')}>
            <table>
              <thead>
                <tr>
                  <th>{t('mesh.node')}</th>
                  <th>{t('mesh.state')}</th>
                  <th>{t('mesh.round-trip')}</th>
                  <th>{t('mesh.homes')}</th>
                  <th>{t('mesh.lag')}</th>
                  <th>{t('mesh.seen')}</th>
                  <th>{t('mesh.address')}</th>
                  <th>{t('mesh.version')}</th>
                </tr>
              </thead>
              <tbody>
                {peers.map((peer) => (
                  <Row
                    key={peer.node_id}
                    peer={peer}
                    homes={homes.get(peer.name) ?? 0}
                    backlog={figures.backlog.get(peer.name) ?? 0}
                  />
                ))}
              </tbody>
            </table>
          </section>
        )}
        {node.cluster && <Cluster cluster={node.cluster} />}
        <Changes node={node} />
      </div>
    </div>
  )
}

function Row({ peer, homes, backlog }: { peer: Peer; homes: number; backlog: number }) {
  const [tone, icon] = LOOKS[peer.state]
  return (
    <tr>
      <td>
        <strong dir="auto">{peer.name}</strong>
      </td>
      <td>
        <span class={`standing ${tone}`}>
          <Icon name={icon} />
          {t(`mesh.state.${peer.state}`)}
        </span>
      </td>
      <td>{peer.round_trip_ms === null ? '–' : msText(peer.round_trip_ms)}</td>
      <td>{numberText(homes)}</td>
      <td>{t('mesh.commits', { count: backlog })}</td>
      <td>{peer.last_seen_at === null ? '–' : writing.value.clock(Date.parse(peer.last_seen_at))}</td>
      <td dir="ltr">{peer.address}</td>
      <td dir="ltr">{peer.version}</td>
    </tr>
  )
}

/** What waits, and what the disk has to hold. */
function Figures({
  node,
  figures,
  homes,
}: {
  node: NodeReport
  figures: MeshFigures
  homes: ReadonlyMap<string, number>
}) {
  const { sync } = node
  const waiting = [
    ...figures.waiting.map(([queue, count]) => t('mesh.waiting.queue', { queue, count })),
    ...(figures.waitingBids ? [t('mesh.waiting.bids', { count: figures.waitingBids })] : []),
  ]
  return (
    <section class="card" aria-labelledby="figures-title">
      <h2 id="figures-title">
        <bdi>{t('mesh.this', { name: node.name })}</bdi>
      </h2>
      <dl class="facts">
        <dt>{t('mesh.homes')}</dt>
        <dd>{numberText(homes.get(node.name) ?? 0)}</dd>
        <dt>{t('mesh.sync')}</dt>
        <dd>
          {sync.state === 'syncing'
            ? t('mesh.sync.syncing', { count: Math.max(0, sync.total - sync.done) })
            : t(`mesh.sync.${sync.state}`)}
        </dd>
        <dt>{t('mesh.delay')}</dt>
        <dd>{figures.replicationDelayMs === null ? '–' : msText(figures.replicationDelayMs)}</dd>
        <dt>{t('mesh.waiting')}</dt>
        <dd dir="auto">{waiting.length === 0 ? t('mesh.waiting.none') : waiting.join(' · ')}</dd>
        <dt>{t('mesh.disk')}</dt>
        <dd>
          {figures.databaseBytes === null
            ? '–'
            : t('mesh.disk.text', {
                database: bytesText(figures.databaseBytes),
                wal: bytesText(figures.walBytes ?? 0),
              })}
        </dd>
        <dt>{t('mesh.commit', { part: 99, all: 100 })}</dt>
        <dd>{figures.commitMs === null ? '–' : msText(figures.commitMs)}</dd>
        {node.held.length > 0 && (
          <>
            <dt>{t('mesh.held')}</dt>
            <dd>
              {node.held.map(({ auction_id: id, why }) => (
                <div key={id}>
                  <a href={`/lot/${id}`} dir="ltr">
                    {id}
                  </a>{' '}
                  <span dir="auto">{why}</span>
                </div>
              ))}
            </dd>
          </>
        )}
      </dl>
    </section>
  )
}

/** The nodes that share a log, and what this one has taken over from others. */
function Cluster({ cluster }: { cluster: NonNullable<NodeReport['cluster']> }) {
  const { log, nodes, takeovers } = cluster
  return (
    <section class="card" aria-labelledby="cluster-title" data-cluster>
      <h2 id="cluster-title">{t('mesh.cluster')}</h2>
      {log.outage && (
        <Note tone="bad" icon="warn" role="status">
          {t('mesh.cluster.unreachable', { time: writing.value.clock(Date.parse(log.outage.since)) })}{' '}
          <span dir="auto">{log.outage.why}</span>
        </Note>
      )}
      <dl class="facts">
        <dt>{t('mesh.cluster.log')}</dt>
        <dd dir="ltr">{log.connected_to ?? '–'}</dd>
        <dt>{t('mesh.cluster.taken-over')}</dt>
        <dd>{numberText(cluster.taken_over)}</dd>
        <dt>{t('mesh.cluster.healed')}</dt>
        <dd>{numberText(cluster.healed_commits)}</dd>
      </dl>
      <ul class="changes">
        {nodes.map(({ node_id: id, name, state, beat_age_ms: age }) => {
          const [tone, icon] = LOOKS[state]
          return (
            <li key={id}>
              <span class={`standing ${tone}`}>
                <Icon name={icon} />
                <bdi>{name}</bdi>
              </span>
              <span>{t(`mesh.state.${state}`)}</span>
              <span>{age === null ? '' : t('mesh.cluster.beat', { seconds: Math.round(age / 1_000) })}</span>
            </li>
          )
        })}
      </ul>
      <ol class="changes" data-takeovers>
        {takeovers.map(({ auction_id: id, at, from }) => (
          <li key={`${at} ${id}`}>
            <time dateTime={at}>{writing.value.clock(Date.parse(at))}</time>
            <a href={`/lot/${id}`} dir="ltr">
              {id}
            </a>
            <span>{t('mesh.cluster.from', { name: from.name ?? from.node_id })}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** Who came into use and who was taken out of it, and why. */
function Changes({ node }: { node: NodeReport }) {
  return (
    <section class="card" aria-labelledby="changes-title">
      <h2 id="changes-title">{t('mesh.changes')}</h2>
      {node.peer_changes.length === 0 && <p class="soft">{t('mesh.changes.none')}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long list is scrolled with the keyboard. */}
      <ol class="changes" data-changes tabIndex={0} aria-labelledby="changes-title">
        {node.peer_changes.map(({ at, name, state, why }) => {
          const [tone, icon] = LOOKS[state]
          return (
            <li key={`${at} ${name} ${why}`}>
              <time dateTime={at}>{writing.value.clock(Date.parse(at))}</time>
              <span class={`standing ${tone}`}>
                <Icon name={icon} />
                <bdi>{name}</bdi>
              </span>
              <span>{t(`mesh.why.${why}`)}</span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}

function numberText(value: number): string {
  return writing.value.number(String(value))
}

function msText(ms: number): string {
  return t('mesh.ms', { ms: writing.value.number(String(Math.round(ms * 10) / 10)) })
}

const UNITS = ['kilobyte', 'megabyte', 'gigabyte'] as const

function bytesText(bytes: number): string {
  const power = bytes >= 1e9 ? 2 : bytes >= 1e6 ? 1 : 0
  return writing.value.unit(bytes / 1_000 ** (power + 1), UNITS[power])
}
