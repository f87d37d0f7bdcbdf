import { basename } from 'node:path'

export const DIRECTORY_NAME_RULE =
  'must not be named like an option: a name that begins with "-" is usually a flag that was taken for a directory'

/** Whether a directory may be called so, and made: the last part of its path must not look like an option. */
export function isDirectoryName(path: string): boolean {
  return !basename(path).startsWith('-')
}
