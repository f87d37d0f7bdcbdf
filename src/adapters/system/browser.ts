import { spawn } from 'node:child_process'

/** The command that shows an address in the user's browser, by platform. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly [command: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}
/** An opener that still runs after this has found a browser. */
const PATIENCE_MS = 2_000

/** False if there is no browser, such as on a server. Never rejects. */
export function showInBrowser(url: string): Promise<boolean> {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open']
  return new Promise((resolve) => {
    const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true, windowsHide: true })
    const timer = setTimeout(() => resolve(true), PATIENCE_MS)
    const settle = (shown: boolean) => {
      clearTimeout(timer)
      resolve(shown)
    }
    child.once('error', () => settle(false))
    child.once('exit', (code) => settle(code === 0))
    child.unref()
  })
}
