// Before packing: bundled packages name what they are bundled with. Overrides hold for this project alone, so that npm
// would go back to what those packages name themselves, such as a git repository, in every project that installs this
// one.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './setup-tools.mjs'

const { overrides } = readJson('package.json')
const { packages } = readJson('package-lock.json')

for (const [path, { inBundle }] of Object.entries(packages)) {
  if (!inBundle) continue
  const manifest = readJson(join(path, 'package.json'))
  const named = manifest.dependencies ?? {}
  const replaced = Object.keys(named).filter((name) => name in overrides && named[name] !== overrides[name])
  if (replaced.length === 0) continue
  for (const name of replaced) manifest.dependencies[name] = overrides[name]
  writeFileSync(join(ROOT, path, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

function readJson(path) {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8'))
}
