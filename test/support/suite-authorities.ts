import { openAuthority } from '../../services/mesh/open-authority.js'
import type { Authority } from '../../src/application/members/authority.js'
import { makeTempDir } from './temp-dir.js'

/** A folder for the authorities of a suite, which is gone after it. */
export function authoritiesOfSuite(): {
  readonly path: string
  /** The authority of the mesh of that name, founded at first. */
  open(mesh: string): Promise<Authority>
  /** To be closed after the suite. */
  readonly closes: (() => void)[]
} {
  const { path, remove } = makeTempDir()
  const closes: (() => void)[] = []
  after(() => {
    for (const close of closes) close()
    remove()
  })
  return {
    path,
    closes,
    async open(mesh) {
      const opened = await openAuthority(path, mesh, { found: true })
      if (!opened) throw new Error('it should have been founded')
      closes.push(opened.close)
      return opened.authority
    },
  }
}
