import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect } from 'chai'

interface Manifest {
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
  readonly optionalDependencies: Record<string, string>
  readonly overrides: Record<string, string>
}
interface Lock {
  readonly packages: Record<string, { version?: string; integrity?: string; link?: true; inBundle?: true }>
}

const ROOT = resolve(import.meta.dirname, '../..')
const read = <T>(name: string): T => JSON.parse(readFileSync(resolve(ROOT, name), 'utf8')) as T
/** The project's own packages: the Node that a checkout runs on is named in one apart. */
const OWN = ['', 'bin/runtime']
const EXACT = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/

describe('what the project depends on', () => {
  const { dependencies, devDependencies, overrides } = read<Manifest>('package.json')
  const runtime = read<Pick<Manifest, 'optionalDependencies'>>('bin/runtime/package.json').optionalDependencies
  const named = { ...dependencies, ...devDependencies, ...runtime }
  delete named['vendue-runtime']
  const { packages } = read<Lock>('package-lock.json')

  it('is named in exact versions: no range lets in what nobody has looked at', () => {
    const all = Object.entries({ ...named, ...overrides })
    expect(all).to.have.length.above(20)
    expect(all.filter(([, version]) => !EXACT.test(version))).to.deep.equal([])
  })

  it('is locked down to the last package, with a hash of each', () => {
    const locked = Object.entries(packages).filter(([path]) => !OWN.includes(path))
    expect(locked).to.have.length.above(50)
    const open = locked.filter(([, { version, integrity, link, inBundle }]) => {
      return !link && !inBundle && !(version && EXACT.test(version) && integrity?.startsWith('sha512-'))
    })
    expect(open.map(([path]) => path)).to.deep.equal([])
  })

  it('is locked as it is named', () => {
    for (const [name, version] of Object.entries(named))
      expect(packages[`node_modules/${name}`]?.version, name).to.equal(version)
  })
})
