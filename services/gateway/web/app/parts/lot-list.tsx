import { useEffect, useRef, useState } from 'preact/hooks'
import { rowsInSight } from '../../model/catalogue.js'
import type { Lot } from '../../model/lot.js'
import { lots } from '../state/catalogue.js'
import { useKeys } from './keyboard.js'
import { Tile } from './tile.js'

const TILE_MIN_PX = 272
/** A tile and the gap below it; the style sheet has the same. */
const ROW_REM = 13.5 + 1
/** Where any of them has a picture: rows are of one height. */
const PICTURED_ROW_REM = 22.5 + 1

/** However many there are, only those in sight are in the document. */
export function LotList({ shown, label }: { shown: readonly Lot[]; label: string }) {
  const element = useRef<HTMLUListElement>(null)
  const [frame, setFrame] = useState({ columns: 1, scrollTop: 0, height: innerHeight })
  const pictured = shown.some(({ pictures }) => pictures.length > 0)
  const rem = pictured ? PICTURED_ROW_REM : ROW_REM
  const rowHeight = rem * Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
  useEffect(() => {
    const list = element.current as HTMLUListElement
    const measure = () => {
      const { width, top } = list.getBoundingClientRect()
      const columns = Math.max(1, Math.floor((width + 16) / (TILE_MIN_PX + 16)))
      setFrame((before) => {
        const next = { columns, scrollTop: Math.max(0, -top), height: innerHeight }
        const isNear = Math.abs(next.scrollTop - before.scrollTop) < rowHeight / 2
        return isNear && next.columns === before.columns && next.height === before.height ? before : next
      })
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(list)
    addEventListener('scroll', measure, { passive: true })
    return () => {
      observer.disconnect()
      removeEventListener('scroll', measure)
    }
  }, [rowHeight])
  const move = (by: 1 | -1) => {
    const links = [...(element.current?.querySelectorAll<HTMLAnchorElement>('.tile-title a') ?? [])]
    const at = links.indexOf(document.activeElement as HTMLAnchorElement)
    // From nowhere to the first that is in sight.
    const next = at === -1 ? links.find((link) => link.getBoundingClientRect().top > 0) : links[at + by]
    next?.focus()
    next?.scrollIntoView({ block: 'center' })
  }
  useKeys({ j: () => move(1), k: () => move(-1) })
  const count = Math.ceil(shown.length / frame.columns)
  const { from, to } = rowsInSight({ ...frame, rowHeight, count })
  const cells = shown.slice(from * frame.columns, to * frame.columns)
  return (
    <ul
      class={pictured ? 'lots pictured' : 'lots'}
      ref={element}
      aria-label={label}
      style={{ blockSize: `${count * rowHeight}px` }}
    >
      {cells.map((lot, index) => {
        const source = lots.get(lot.id)
        const at = from * frame.columns + index
        if (!source) return null
        const column = at % frame.columns
        const gap = 16 / frame.columns
        return (
          <li
            key={lot.id}
            class="lot-cell"
            aria-posinset={at + 1}
            aria-setsize={shown.length}
            style={{
              position: 'absolute',
              insetBlockStart: `${Math.floor(at / frame.columns) * rowHeight}px`,
              insetInlineStart: `calc(${(100 / frame.columns) * column}% + ${gap * column}px)`,
              inlineSize: `calc(${100 / frame.columns}% - ${16 - gap}px)`,
            }}
          >
            <Tile lot={source} pictured={pictured} />
          </li>
        )
      })}
    </ul>
  )
}
