import { readFileSync, statSync } from 'node:fs'
import { nearest } from './nearest.js'
import { SettingsError } from './settings-error.js'
import { SETTING_KEYS } from './settings-schema.js'

const MAX_CONFIG_BYTES = 1024 * 1024

/**
 * The settings of a JSON config file, by key, not yet checked one by one. A file that nobody named may be missing.
 * Throws `SettingsError`, also for keys that are no settings.
 */
export function readConfigFile(path: string, named: boolean): Readonly<Record<string, unknown>> {
  const text = readText(path, named)
  if (text === null) return {}
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    // The parser quotes the text around the place, which may hold a password.
    const reason = (cause as SyntaxError).message.replace(/, (\.\.\.)?".*$/s, '')
    throw new SettingsError(null, `${path} is not JSON: ${reason}`, 'correct the file')
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new SettingsError(null, `${path} must hold a JSON object of settings`, 'write {"name": "value"} pairs')
  }
  for (const key of Object.keys(content)) {
    if ((SETTING_KEYS as readonly string[]).includes(key)) continue
    const close = nearest(key, SETTING_KEYS)
    throw new SettingsError(
      key,
      `${path}: ${JSON.stringify(key.slice(0, 60))} is not a setting`,
      close ? `did you mean "${close}"?` : `the settings are ${SETTING_KEYS.join(', ')}`,
    )
  }
  return content as Record<string, unknown>
}

function readText(path: string, named: boolean): string | null {
  try {
    const { size } = statSync(path)
    if (size > MAX_CONFIG_BYTES) {
      throw new SettingsError(null, `${path} has ${size} bytes; at most 1 MB is read`, 'make it smaller')
    }
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof SettingsError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' && !named) return null
    const reason = code === 'ENOENT' ? 'there is no such file' : (cause as Error).message
    throw new SettingsError(
      null,
      `cannot read the config file ${path}: ${reason}`,
      'check the path given with --config',
      { cause },
    )
  }
}
