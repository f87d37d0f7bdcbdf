import { readFileSync, statSync } from 'node:fs'
import { SettingsError } from './settings-error.js'

export interface PasswordFile {
  /** The setting that names it, and the option of the command line. */
  readonly setting: string
  readonly flag: string
  /** Whose password it is. */
  readonly of: string
}

const MAX_PASSWORD_BYTES = 4_096

/** The password as it is now. Throws `SettingsError` if the file cannot be used; nothing of the password is in it. */
export function readPasswordFile(path: string, { setting, flag, of }: PasswordFile): string {
  const wrong = (why: string, cause?: unknown) =>
    new SettingsError(
      setting,
      `the password file of ${of}, ${path}, ${why}`,
      `write the password alone into it, and name it with ${flag}`,
      { cause },
    )
  let text: string
  try {
    const { size } = statSync(path)
    if (size > MAX_PASSWORD_BYTES) throw wrong(`has ${size} bytes; at most ${MAX_PASSWORD_BYTES} are read`)
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    if (cause instanceof SettingsError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw wrong(code === 'ENOENT' ? 'is not there' : `cannot be read: ${(cause as Error).message}`, cause)
  }
  if (text === '' || /[\r\n]/.test(text)) throw wrong(text === '' ? 'is empty' : 'has more than one line')
  return text
}
