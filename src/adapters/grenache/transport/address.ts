/** A "host:port" taken apart; null for anything else. IPv6 hosts stand in brackets. */
export function parseAddress(address: string): { host: string; port: number } | null {
  const match = ADDRESS.exec(address)
  if (!match) return null
  const port = Number(match[3])
  return port >= 1 && port <= 65_535 ? { host: (match[1] ?? match[2]) as string, port } : null
}

export const MAX_ADDRESS_LENGTH = 262
const ADDRESS = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/
