import { readdirSync, readFileSync } from 'node:fs'
import { basename, posix, resolve } from 'node:path'
import { expect } from 'chai'

interface SourceFile {
  /** From the project's root, with slashes: src/domain/money.ts */
  readonly path: string
  readonly text: string
}

/** Finds what breaks it, as `path:line: what`. */
type Rule = (files: readonly SourceFile[]) => string[]

interface Import {
  readonly specifier: string
  /** The file that a relative import names, from the project's root, still with its .js; null for packages. */
  readonly target: string | null
  readonly line: number
}

const ROOT = resolve(import.meta.dirname, '../..')
const SOURCE_DIRS = ['bin', 'demo', 'services', 'src']

/** The rooms of a layer by floor: a room uses those on lower floors alone. */
const FLOORS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'src/application/': [
    ['audit', 'budgets', 'log', 'turns'],
    ['accounts', 'mesh', 'submissions'],
    ['members', 'pictures', 'proof'],
    ['consumers', 'replication'],
    ['analytics', 'home', 'notices'],
    ['cluster', 'commands', 'handover', 'recovery'],
    ['node'],
    ['gateway'],
  ],
  'src/ports/': [['accounts', 'audit', 'notices', 'store', 'system'], ['members'], ['node'], ['mesh']],
}

/** A room of the application holds less than this part of its lines: one that grows beyond has to be divided. */
const LARGEST_ROOM = 1 / 4

/** That of the formatter, which leaves comments as they are. Instructions to the linter cannot be wrapped. */
const MAX_WIDTH = 120
const COMMENT_LINE = /^\s*(\/\*\*|\*|\/\/) (?!biome-ignore)/

/** A file with more lines says in its first comment why: "Long because ...". */
const MAX_LINES = 300

/** What adapters of one technology may use of others: sockets begin as HTTP requests, and calls are some. */
const SHARED_TECHNOLOGIES: Readonly<Record<string, readonly string[]>> = {
  connect: ['http', 'system'],
  socketio: ['http', 'system'],
  websocket: ['http', 'system'],
}

/** What each layer may import; `null` stands for packages and built-ins, each layer's own matter. */
interface Allowance {
  readonly targets: readonly RegExp[]
  readonly packages: RegExp | null
}

const domainOnly = layering('src/domain/', { targets: [/^src\/domain\//], packages: null })

const portsKnowTheDomain = layering('src/ports/', {
  targets: [/^src\/(ports|domain)\//],
  packages: null,
})

const applicationKnowsNoAdapter = layering('src/application/', {
  targets: [/^src\/(application|ports|domain)\//],
  packages: /^(node:.+|zod(\/.+)?|opossum|ipaddr\.js)$/,
})

const roomsUseLowerFloors = (layer: string): Rule => {
  const floorOf = (path: string) => FLOORS[layer]?.findIndex((rooms) => rooms.includes(roomOf(path))) ?? -1
  return (files) =>
    files
      .filter(({ path }) => path.startsWith(layer))
      .flatMap((file) => {
        const floor = floorOf(file.path)
        if (floor < 0) return [at(file, 1, 'is in a room without a floor')]
        return importsOf(file)
          .filter(({ target }) => target?.startsWith(layer))
          .filter(({ target }) => roomOf(target as string) !== roomOf(file.path))
          .filter(({ target }) => floorOf(target as string) >= floor)
          .map((found) => at(file, found.line, `imports ${found.specifier}`))
      })
}

/** In its first comment: "Room `orders`: who wanted what, signed." */
const roomsSayWhatTheyAreFor: Rule = (files) => {
  const rooms = grouped(
    files.filter(({ path }) => /^src\/(application|ports|adapters)\/.+\//.test(path)),
    ({ path }) => posix.dirname(path),
  )
  return [...rooms].flatMap(([dir, inside]) => {
    const room = dir.split('/').slice(2).join('/')
    const opening = inside.filter((file) => firstComment(file).includes(`Room \`${room}\`: `))
    if (opening.length === 1) return []
    return [`${dir}: ${opening.length} files say what the room is for`]
  })
}

/** It starts with each store: what its imports bring with them is loaded once more. */
const writerThreadLoadsNoSchemas: Rule = (files) => {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const seen = new Set<string>()
  const found: string[] = []
  const visit = (path: string): void => {
    const file = byPath.get(path)
    if (file === undefined || seen.has(path)) return
    seen.add(path)
    // Types are gone by then.
    const text = file.text.replace(/^(import|export) type [^;'"]*/gm, (types) => types.replace(/[^\n]/g, ' '))
    const values = text.replace(/^ *from '[^'\n]*'/gm, '').replace(/^ +'[^'\n]*'$/gm, '')
    for (const { specifier, target, line } of importsOf({ path, text: values })) {
      if (specifier === 'zod') found.push(at(file, line, 'imports zod'))
      if (target !== null) visit(target.replace(/\.js$/, '.ts'))
    }
  }
  visit('src/adapters/sqlite/sqlite-writer-worker.ts')
  return found
}

const noRoomOutgrowsTheOthers: Rule = (files) => {
  const inside = files.filter(({ path }) => path.startsWith('src/application/'))
  const linesOf = (some: readonly SourceFile[]) => some.reduce((sum, file) => sum + lineCount(file), 0)
  return [...grouped(inside, ({ path }) => roomOf(path))]
    .filter(([, room]) => linesOf(room) >= linesOf(inside) * LARGEST_ROOM)
    .map(([room]) => `src/application/${room}: is too large`)
}

/** What is named nowhere but where it is exported is dead. */
const exportsAreNamed: Rule = (files) => {
  const times = new Map<string, number>()
  const others = [
    ...readSources(['bench', 'test'], /(?<!architecture\.test)\.ts$/),
    ...readSources(['services'], /\.tsx$/),
  ]
  for (const { text } of [...files, ...others])
    for (const name of text.match(/[\w$]+/g) ?? []) times.set(name, (times.get(name) ?? 0) + 1)
  return files.flatMap((file) =>
    [...file.text.matchAll(EXPORTED)]
      .filter(([, name]) => times.get(name as string) === 1)
      .map((found) => at(file, lineAt(file.text, found.index), `exports ${found[1]}, which nothing names`)),
  )
}
const EXPORTED = /^export (?:abstract |async )?(?:const|function\*?|class|interface|type) ([\w$]+)/gm

const commentsWrap: Rule = (files) =>
  files.flatMap((file) =>
    file.text
      .split('\n')
      .flatMap((line, i) =>
        COMMENT_LINE.test(line) && line.length > MAX_WIDTH ? [at(file, i + 1, 'is too wide')] : [],
      ),
  )

const longFilesSayWhy: Rule = (files) =>
  files
    .filter((file) => lineCount(file) > MAX_LINES && !/\bLong because \w/.test(firstComment(file)))
    .map((file) => at(file, MAX_LINES + 1, `has ${lineCount(file)} lines`))

const adaptersLookInwards = layering('src/adapters/', {
  targets: [/^(src|gen)\//],
  packages: /./,
})

const adaptersKeepApart: Rule = (files) =>
  files
    .filter(({ path }) => technologyOf(path) !== undefined)
    .flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => {
          const other = target === null ? undefined : technologyOf(target)
          const own = technologyOf(file.path) as string
          return other !== undefined && other !== own && !(SHARED_TECHNOLOGIES[own] ?? ['system']).includes(other)
        })
        .map((found) => at(file, found.line, `imports ${found.specifier}`)),
    )

/**
 * What cleans pictures before they are sent, and types of the gateway's messages; a test of the client sees to it that
 * those are nothing more.
 */
const clientStandsAlone = layering('src/client/', {
  targets: [
    /^src\/client\//,
    /^src\/(adapters\/http\/(stat-)?resources|application\/gateway\/(messages|public-events))\.js$/,
    /^src\/domain\/pictures\/clean-picture\.js$/,
  ],
  packages: /^(ws|zod)$/,
})

const containerOnlyInServices: Rule = (files) =>
  files
    .filter(({ path }) => !path.startsWith('services/'))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ specifier }) => /^(tsyringe|reflect-metadata)(\/|$)/.test(specifier))
        .map((found) => at(file, found.line, `imports ${found.specifier}`)),
    )

const noBarrels: Rule = (files) => named(files, /^index\./)

const noCatchAllNames: Rule = (files) => [
  ...named(files, /^utils?\.|manager|(^|[-_.])impl([-_.]|$)/i),
  ...lines(files, /\b(?:class|interface|type) (\w*(?:Manager|Impl))\b/, 'is called'),
]

const noPrefixedInterfaces: Rule = (files) => lines(files, /\binterface (I[A-Z][a-z]\w*)/, 'has the interface')

/** Types count too: files in a circle cannot be understood, or moved, one by one. */
const noCircles: Rule = (files) => {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const found: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (file: SourceFile): void => {
    state.set(file.path, 'open')
    for (const { target, specifier, line } of importsOf(file)) {
      const next = byPath.get(target?.replace(/\.js$/, '.ts') ?? '')
      if (next === undefined) continue
      const seen = state.get(next.path)
      if (seen === 'open') found.push(at(file, line, `imports ${specifier}`))
      else if (seen === undefined) visit(next)
    }
    state.set(file.path, 'done')
  }
  for (const file of files) if (!state.has(file.path)) visit(file)
  return found
}

/** Declarations of foreign packages have to say what those do. */
const noDefaultExports: Rule = (files) =>
  lines(
    files.filter(({ path }) => !path.endsWith('.d.ts')),
    /\b(export default\b|export\s*\{[^}]*\bas default\b)/,
    'has',
  )

/** `toISOString` throws for times that no calendar has; others' times are shown whatever they are. */
const timesBecomeTextInOnePlace: Rule = (files) =>
  lines(
    files.filter(({ path }) => /^(src|services)\//.test(path) && !/^src\/client\/|\/log\/time-text\.ts$/.test(path)),
    /\.(toISOString|toJSON)\(/,
    'calls',
  )

/** Each with a file that breaks it, so that a rule which finds nothing is known to have looked. */
const RULES: { title: string; rule: Rule; planted: Record<string, string>; found: string[] }[] = [
  {
    title: 'the domain imports nothing outside itself',
    rule: domainOnly,
    planted: {
      'src/domain/a.ts': "import { b } from './b.js'\nimport { randomUUID } from 'node:crypto'\n",
      'src/domain/b.ts': "import type {\n  Clock,\n} from '../ports/clock.js'\n",
      'src/domain/c.ts': "// import { z } from 'zod'\nexport * from 'zod'\n",
      'src/domain/d.ts': 'const x = await import(name)\n',
    },
    found: ['src/domain/a.ts:2', 'src/domain/b.ts:3', 'src/domain/c.ts:2', 'src/domain/d.ts:1'],
  },
  {
    title: 'ports import only ports and the domain',
    rule: portsKnowTheDomain,
    planted: {
      'src/ports/a.ts': "import type { Money } from '../domain/money.js'\nimport './b.js'\nimport 'node:fs'\n",
      'src/ports/b.ts': "export type { Feed } from '../application/feed.js'\n",
    },
    found: ['src/ports/a.ts:3', 'src/ports/b.ts:1'],
  },
  {
    title: 'the application imports ports, the domain, built-ins and zod, and never an adapter',
    rule: applicationKnowsNoAdapter,
    planted: {
      'src/application/a.ts': "import { z } from 'zod'\nimport { on } from 'node:events'\nimport pino from 'pino'\n",
      'src/application/b.ts': "type Db = import('../adapters/sqlite/db.js').Db\n",
      'src/application/c.ts': "import { compose } from '../../services/node/compose.js'\n",
    },
    found: ['src/application/a.ts:3', 'src/application/b.ts:1', 'src/application/c.ts:1'],
  },
  {
    title: 'the rooms of the application use those on lower floors alone',
    rule: roomsUseLowerFloors('src/application/'),
    planted: {
      'src/application/log/a.ts': "import { b } from './b.js'\nimport { c } from '../submissions/c.js'\n",
      'src/application/submissions/c.ts': "import { b } from '../log/b.js'\nimport { d } from '../mesh/d.js'\n",
      'src/application/cellar/e.ts': '',
    },
    found: ['src/application/log/a.ts:2', 'src/application/submissions/c.ts:2', 'src/application/cellar/e.ts:1'],
  },
  {
    title: 'the rooms of the ports use those on lower floors alone',
    rule: roomsUseLowerFloors('src/ports/'),
    planted: {
      'src/ports/store/a.ts': "import type { b } from '../mesh/b.js'\nimport type { c } from './c.js'\n",
      'src/ports/mesh/b.ts': "import type { c } from '../store/c.js'\n",
      'src/ports/d.ts': '',
    },
    found: ['src/ports/store/a.ts:1', 'src/ports/d.ts:1'],
  },
  {
    title: 'each room has one file that opens with what the room is for',
    rule: roomsSayWhatTheyAreFor,
    planted: {
      'src/application/log/commit.ts': '/** Room `log`: commits. */\n',
      'src/application/submissions/a.ts': "import { b } from './b.js'\n/** Room `submissions`: too late. */\n",
      'src/ports/mesh/a.ts': '/**\n * Room `mesh`: peers.\n */\n',
      'src/ports/mesh/b.ts': '/** Room `mesh`: them again. */\n',
      'src/adapters/cli/render/a.ts': '/** Room `cli`: of another room. */\n',
      'src/adapters/error-codes.ts': '',
    },
    found: ['src/application/submissions', 'src/ports/mesh', 'src/adapters/cli/render'],
  },
  {
    title: 'the thread that writes a store loads no schemas',
    rule: writerThreadLoadsNoSchemas,
    planted: {
      'src/adapters/sqlite/sqlite-writer-worker.ts':
        "import { a } from './a.js'\nimport type { b } from './b.js'\nimport type {\n  z,\n} from 'zod'\n",
      'src/adapters/sqlite/a.ts': "import type { Z } from 'zod'\nimport { c } from '../../application/log/c.js'\n",
      'src/adapters/sqlite/b.ts': "import { z } from 'zod'\n",
      'src/application/log/c.ts': "import {\n  z,\n} from 'zod'\n",
    },
    found: ['src/application/log/c.ts:3'],
  },
  {
    title: 'nothing is exported that nothing names',
    rule: exportsAreNamed,
    planted: {
      'src/domain/a.ts':
        'export const USED = 1\n\nexport function nobodyCalls() {}\nexport const OWN = 2\nconst b = OWN\n',
      'services/b.ts': "import { USED } from '../src/domain/a.js'\n",
      'src/domain/c.ts': 'export type NobodyNames = string\n',
    },
    found: ['src/domain/a.ts:3', 'src/domain/c.ts:1'],
  },
  {
    title: 'no room of the application holds a quarter of it',
    rule: noRoomOutgrowsTheOthers,
    planted: Object.fromEntries(
      ['log', 'submissions', 'home', 'mesh', 'node'].map((room) => [
        `src/application/${room}/a.ts`,
        '\n'.repeat(room === 'home' ? 14 : 10),
      ]),
    ),
    found: ['src/application/home'],
  },
  {
    title: 'comments wrap where code does',
    rule: commentsWrap,
    planted: {
      'src/domain/a.ts': `/** ${'w'.repeat(113)} */\n`,
      'src/domain/b.ts': `/** ${'w'.repeat(114)} */\n`,
      'bin/c.ts': `const text = 1\n  // ${'w'.repeat(116)}\n// biome-ignore ${'w'.repeat(116)}\n`,
    },
    found: ['src/domain/b.ts:1', 'bin/c.ts:2'],
  },
  {
    title: 'a file of more than 300 lines opens with why it is long',
    rule: longFilesSayWhy,
    planted: {
      'src/domain/a.ts': '\n'.repeat(300),
      'src/domain/b.ts': '\n'.repeat(301),
      'services/c.ts': `/** Long because it is one list. */\n${'\n'.repeat(400)}`,
      'bin/d.ts': `${'\n'.repeat(400)}// Long because nobody reads this far.\n`,
    },
    found: ['src/domain/b.ts:301', 'bin/d.ts:301'],
  },
  {
    title: 'adapters import nothing from the services and programs that put them together',
    rule: adaptersLookInwards,
    planted: {
      'src/adapters/cli/a.ts': "import yargs from 'yargs'\nimport { x } from '../../../services/node/x.js'\n",
      'src/adapters/cli/b.ts': "import { y } from '../../../test/support/y.js'\n",
    },
    found: ['src/adapters/cli/a.ts:2', 'src/adapters/cli/b.ts:1'],
  },
  {
    title: 'adapters of one technology import no other but the system, and sockets HTTP',
    rule: adaptersKeepApart,
    planted: {
      'src/adapters/cli/a.ts': "import { x } from '../system/x.js'\nimport { y } from './y.js'\n",
      'src/adapters/cli/deep/b.ts': "import { z } from '../../sqlite/z.js'\n",
      'src/adapters/system/c.ts': "\nconst { w } = await import('../grenache/w.js')\n",
    },
    found: ['src/adapters/cli/deep/b.ts:1', 'src/adapters/system/c.ts:2'],
  },
  {
    title: 'the client imports nothing of the node, and no built-ins',
    rule: clientStandsAlone,
    planted: {
      'src/client/a.ts': "import { b } from './b.js'\nimport { randomUUID } from 'node:crypto'\n",
      'src/client/b.ts': "import { NodeError } from '../ports/node-api.js'\nimport type { z } from 'zod'\n",
    },
    found: ['src/client/a.ts:2', 'src/client/b.ts:1'],
  },
  {
    title: 'tsyringe and reflect-metadata appear only under services/',
    rule: containerOnlyInServices,
    planted: {
      'services/container.ts': "import 'reflect-metadata'\nimport { container } from 'tsyringe'\n",
      'bin/vendue.ts': "#!/usr/bin/env node\nimport 'reflect-metadata'\n",
      'src/application/a.ts': "import { injectable } from 'tsyringe'\n",
    },
    found: ['bin/vendue.ts:2', 'src/application/a.ts:1'],
  },
  {
    title: 'no file is an index.ts barrel',
    rule: noBarrels,
    planted: { 'src/domain/index.ts': '', 'src/domain/auction-index.ts': '' },
    found: ['src/domain/index.ts:1'],
  },
  {
    title: 'nothing is called utils, manager or impl',
    rule: noCatchAllNames,
    planted: {
      'src/adapters/cli/utils.ts': '',
      'src/application/lot-manager.ts': '',
      'src/adapters/cli/session.impl.ts': '',
      'src/domain/simple.ts': '// A class Manager would say nothing.\nexport class ClockImpl {}\n',
    },
    found: [
      'src/adapters/cli/utils.ts:1',
      'src/application/lot-manager.ts:1',
      'src/adapters/cli/session.impl.ts:1',
      'src/domain/simple.ts:2',
    ],
  },
  {
    title: 'only time-text.ts turns times into text, which must not fail for any',
    rule: timesBecomeTextInOnePlace,
    planted: {
      'src/application/log/time-text.ts': 'new Date(ms).toISOString()\n',
      'src/application/node/a.ts': 'const text = new Date(ms).toISOString()\n',
      'services/b.ts': '\nconst text = at.toISOString()\n',
    },
    found: ['src/application/node/a.ts:1', 'services/b.ts:2'],
  },
  {
    title: 'no interface has an I before its name',
    rule: noPrefixedInterfaces,
    planted: { 'src/ports/a.ts': 'export interface Increments {}\nexport interface IClock {}\n' },
    found: ['src/ports/a.ts:2'],
  },
  {
    title: 'no files import each other in a circle',
    rule: noCircles,
    planted: {
      'src/domain/a.ts': "import { b } from './b.js'\nimport { d } from './d.js'\n",
      'src/domain/b.ts': "import type { c } from './c.js'\n",
      'src/domain/c.ts': "\nimport { a } from './a.js'\n",
      'src/domain/d.ts': "import { c } from './c.js'\n",
    },
    found: ['src/domain/c.ts:2'],
  },
  {
    title: 'nothing is exported as the default',
    rule: noDefaultExports,
    planted: {
      'src/domain/a.ts': 'const a = 1\nexport default a\n',
      'src/domain/b.ts': 'const b = 1\nexport { b as default }\n',
      'src/adapters/grenache/foreign.d.ts': 'export default class Link {}\n',
    },
    found: ['src/domain/a.ts:2', 'src/domain/b.ts:2'],
  },
]

describe('the architecture', () => {
  const sources = readSources()

  it('is read from sources that are there', () => {
    const dirs = new Set(sources.map(({ path }) => path.split('/').slice(0, 2).join('/')))
    expect([...dirs]).to.include.members(['src/domain', 'src/ports', 'src/application', 'src/adapters'])
    expect(sources.flatMap(importsOf).length).to.be.greaterThan(100)
  })

  for (const { title, rule } of RULES) {
    it(title, () => {
      const found = rule(sources)
      expect(found, `\n${found.join('\n')}\n`).to.deep.equal([])
    })
  }

  describe('each rule catches what breaks it:', () => {
    for (const { title, rule, planted, found } of RULES) {
      it(title, () => {
        const files = Object.entries(planted).map(([path, text]) => ({ path, text }))
        expect(rule(files).map((line) => line.split(': ')[0])).to.deep.equal(found)
      })
    }
  })
})

function readSources(dirs = SOURCE_DIRS, names = /\.ts$/): SourceFile[] {
  return dirs.flatMap((dir) =>
    readdirSync(resolve(ROOT, dir), { recursive: true, encoding: 'utf8' })
      .filter((name) => names.test(name))
      .map((name) => ({
        path: `${dir}/${name.replaceAll('\\', '/')}`,
        text: readFileSync(resolve(ROOT, dir, name), 'utf8'),
      })),
  )
}

function layering(layer: string, { targets, packages }: Allowance): Rule {
  const allowed = ({ specifier, target }: Import): boolean =>
    target === null ? packages?.test(specifier) === true : targets.some((pattern) => pattern.test(target))
  return (files) =>
    files
      .filter(({ path }) => path.startsWith(layer))
      .flatMap((file) =>
        importsOf(file)
          .filter((found) => !allowed(found))
          .map((found) => at(file, found.line, `imports ${found.specifier}`)),
      )
}

/** Static, dynamic and type imports, re-exports and requires; one whose name is computed is called (computed). */
function importsOf(file: SourceFile): Import[] {
  const code = withoutComments(file.text)
  const patterns = [
    /\b(?:import|export)\b[^'"`();=]*?\bfrom\s*(['"])(?<specifier>[^'"\n]+)\1/g,
    /\bimport\s*(['"])(?<specifier>[^'"\n]+)\1/g,
    /\b(?:import|require)\s*\(\s*(?:(['"`])(?<specifier>[^'"`\n]+)\1|(?=[^'"`\s)]))/g,
  ]
  return patterns
    .flatMap((pattern) => [...code.matchAll(pattern)])
    .map(({ 0: match, index, groups }) => {
      const specifier = groups?.specifier ?? '(computed)'
      return {
        specifier,
        target: specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : null,
        line: lineAt(code, index + match.length),
      }
    })
    .sort((a, b) => a.line - b.line)
}

/** Blanks comments out, and keeps strings, so that both places and what looks like a comment stay as they are. */
function withoutComments(text: string): string {
  return text.replace(
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (match) => (/^\/[/*]/.test(match) ? match.replace(/[^\n]/g, ' ') : match),
  )
}

function lines(files: readonly SourceFile[], pattern: RegExp, verb: string): string[] {
  return files.flatMap((file) => {
    const code = withoutComments(file.text)
    return [...code.matchAll(new RegExp(pattern, 'g'))].map((match) =>
      at(file, lineAt(code, match.index), `${verb} ${match[1]?.replace(/\s+/g, ' ')}`),
    )
  })
}

function named(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files
    .filter(({ path }) => pattern.test(basename(path)))
    .map((file) => at(file, 1, `is called ${basename(file.path)}`))
}

function grouped(files: readonly SourceFile[], keyOf: (file: SourceFile) => string): Map<string, SourceFile[]> {
  const groups = new Map<string, SourceFile[]>()
  for (const file of files) groups.set(keyOf(file), [...(groups.get(keyOf(file)) ?? []), file])
  return groups
}

function roomOf(path: string): string {
  return path.split('/')[2] as string
}

function technologyOf(path: string): string | undefined {
  return /^src\/adapters\/([^/]+)\//.exec(path)?.[1]
}

function at({ path }: SourceFile, line: number, what: string): string {
  return `${path}:${line}: ${what}`
}

/** That stands before everything else; empty where none does. */
function firstComment({ text }: SourceFile): string {
  return /^(\/\*[\s\S]*?\*\/|(\/\/[^\n]*\n)+)/.exec(text)?.[0] ?? ''
}

function lineCount({ text }: SourceFile): number {
  return text.split('\n').length - 1
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
