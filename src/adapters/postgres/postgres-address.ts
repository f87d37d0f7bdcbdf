export interface PostgresHost {
  readonly host: string
  readonly port: number
}

/** Where a shared log lies. */
export interface PostgresAddress {
  /** Tried in order, until one takes writes. */
  readonly hosts: readonly PostgresHost[]
  readonly database: string
  readonly user: string
  /** Asked for with each connection, so that it can be changed. */
  readonly password: () => string | Promise<string>
  /** Null: what is sent can be read by whoever sits between. */
  readonly tls: PostgresTls | null
}

export interface PostgresTls {
  /** Whether the server has to prove that it is the host; otherwise whoever answers is believed. */
  readonly verifies: boolean
  /** Certificates of the authority that the server's has to be signed by; null: those that Node knows. */
  readonly ca: string | null
}

export function hostText({ host, port }: PostgresHost): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
