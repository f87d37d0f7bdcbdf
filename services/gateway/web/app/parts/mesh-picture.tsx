import type { Peer } from 'vendue/client'
import { drawPeers, MAX_DRAWN } from '../../model/mesh-picture.js'
import { t, writing } from '../state/language.js'

/** This node and its peers, for eyes; the table beside it has the same, and more, for everybody. */
export function MeshPicture({
  peers,
  homes,
  self,
}: {
  peers: readonly Peer[]
  homes: ReadonlyMap<string, number>
  self: string
}) {
  const drawn = drawPeers(peers, homes)
  const count = (state: Peer['state']) => peers.filter((peer) => peer.state === state).length
  const summary = t('mesh.picture', {
    name: self,
    alive: count('alive'),
    suspect: count('suspect'),
    dead: count('dead'),
    left: count('left'),
  })
  return (
    <figure class="card mesh-picture">
      <svg viewBox="-20 -20 240 242" role="img" aria-label={summary}>
        <circle class="ring" cx="100" cy="100" r="38" />
        <circle class="ring" cx="100" cy="100" r="82" />
        {drawn.map(({ peer, x, y }) => (
          <line key={peer.node_id} class={`link ${peer.state}`} x1="100" y1="100" x2={x} y2={y} />
        ))}
        {drawn.map(({ peer, x, y, radius, named }) => (
          <g key={peer.node_id} class={`peer ${peer.state}`} data-peer={peer.name} data-state={peer.state}>
            <circle cx={x} cy={y} r={radius} />
            {(peer.state === 'dead' || peer.state === 'left') && (
              <path d={`M${x - 3} ${y - 3}l6 6M${x + 3} ${y - 3}l-6 6`} />
            )}
            <title>{`${peer.name}: ${standingOf(peer)}`}</title>
            {named && (
              <>
                <text x={x} y={below(y, radius, 11)} text-anchor="middle">
                  {short(peer.name)}
                </text>
                <text class="soft" x={x} y={below(y, radius, 22)} text-anchor="middle">
                  {standingOf(peer)}
                </text>
              </>
            )}
          </g>
        ))}
        <circle class="self" cx="100" cy="100" r="9" />
        <text x="100" y="121" text-anchor="middle">
          {short(self)}
        </text>
      </svg>
      <figcaption class="soft small">
        {t('mesh.legend')}
        {peers.length > MAX_DRAWN && ` ${t('mesh.not-drawn', { count: peers.length - MAX_DRAWN })}`}
      </figcaption>
    </figure>
  )
}

/** Away from the middle, so that no line runs through it. */
function below(y: number, radius: number, lines: number): number {
  return y < 95 ? y - radius - 26 + lines : y + radius + lines
}

const MAX_NAME_LENGTH = 12

function short(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH - 1)}…` : name
}

function standingOf({ state, round_trip_ms: ms }: Peer): string {
  if (state !== 'alive' || ms === null) return t(`mesh.state.${state}`)
  return t('mesh.ms', { ms: writing.value.number(String(Math.round(ms * 10) / 10)) })
}
