import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VECTORS_DIR, vectorText } from './vector-files.js'
import { makeVectors } from './vectors.js'

/** Writes the vectors anew: `npm run vectors`. Whoever does that changes the protocol, and says so. */
for (const [name, vectors] of await makeVectors()) {
  writeFileSync(join(VECTORS_DIR, name), vectorText(vectors))
  console.log(`${name}: ${vectors.length}`)
}
process.exit()
