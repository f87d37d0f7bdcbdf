import { useEffect, useState } from 'preact/hooks'
import { type Peer, RequestRefused } from 'vendue/client'
import { Icon, type IconName, Note } from '../parts/icons.js'
import { lots } from '../state/catalogue.js'
import { t, writing } from '../state/language.js'
import { client, isOpenMode, visitor } from '../state/session.js'

const LOOK_MS = 2_000
const LOOKS: Readonly<Record<Peer['state'], readonly [tone: string, icon: IconName]>> = {
  alive: ['good', 'check'],
  suspect: ['', 'warn'],
  dead: ['bad', 'none'],
  left: ['', 'away'],
}

/** The nodes, for whoever runs them. */
export function Mesh() {
  const [peers, setPeers] = useState<readonly Peer[] | null>(null)
  const [wrong, setWrong] = useState<string | null>(null)
  const by = client.value
  const isStranger = visitor.value === null && !isOpenMode.value
  useEffect(() => {
    if (!by) return
    // Somebody whose login is still on its way is asked for again as themselves.
    if (isStranger) return setWrong(t('mesh.forbidden'))
    setWrong(null)
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    const look = async () => {
      try {
        setPeers(await by.peers({ deadlineMs: 5_000 }))
        setWrong(null)
      } catch (error) {
        if (error instanceof RequestRefused && (error.status === 401 || error.status === 403)) {
          setWrong(t('mesh.forbidden'))
          return
        }
        setWrong(t('catalogue.failed'))
      }
      if (!isOver) timer = setTimeout(() => void look(), LOOK_MS)
    }
    void look()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [by, isStranger])
  const homes = new Map<string, number>()
  for (const source of lots.values()) {
    const { home, ending } = source.peek()
    if (!ending) homes.set(home.name, (homes.get(home.name) ?? 0) + 1)
  }
  return (
    <>
      <div class="page-head">
        <h1>{t('mesh.title')}</h1>
        <p class="soft">{t('mesh.intro')}</p>
      </div>
      {wrong && (
        <Note tone="warn" icon="lock" role="status">
          {wrong}
        </Note>
      )}
      {peers?.length === 0 && (
        <div class="empty">
          <p>{t('mesh.alone')}</p>
        </div>
      )}
      {peers && peers.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled with the keyboard.
        <section class="card table-wrap" tabIndex={0} aria-label={t('mesh.title')}>
          <table>
            <thead>
              <tr>
                <th>{t('mesh.node')}</th>
                <th>{t('mesh.state')}</th>
                <th>{t('mesh.round-trip')}</th>
                <th>{t('mesh.homes')}</th>
                <th>{t('mesh.seen')}</th>
                <th>{t('mesh.address')}</th>
                <th>{t('mesh.version')}</th>
              </tr>
            </thead>
            <tbody>
              {peers.map((peer) => (
                <Row key={peer.node_id} peer={peer} homes={homes.get(peer.name) ?? 0} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  )
}

function Row({ peer, homes }: { peer: Peer; homes: number }) {
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
      <td>
        {peer.round_trip_ms === null
          ? '–'
          : t('mesh.ms', { ms: writing.value.number(String(Math.round(peer.round_trip_ms * 10) / 10)) })}
      </td>
      <td>{homes}</td>
      <td>{peer.last_seen_at === null ? '–' : writing.value.clock(Date.parse(peer.last_seen_at))}</td>
      <td dir="ltr">{peer.address}</td>
      <td dir="ltr">{peer.version}</td>
    </tr>
  )
}
