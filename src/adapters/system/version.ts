import { readFileSync } from 'node:fs'

/** This software's version, from the package.json two or three folders up (source tree or dist). */
export const VERSION: string = readVersion()

function readVersion(): string {
  for (const path of ['../../../package.json', '../../../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (found.name === 'vendue' && found.version) return found.version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error('the package.json of vendue is missing')
}
