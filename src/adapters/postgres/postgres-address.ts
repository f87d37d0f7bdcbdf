export interface PostgresHost {
  readonly host: string
  readonly port: number
}

/** The address of a shared log. */
export interface PostgresAddress {
  /** Tried in order, until one takes writes. */
  readonly hosts: readonly PostgresHost[]
  readonly database: string
  readonly user: string
  /** Read again for each connection, so that it can be changed. */
  readonly password: () => string | Promise<string>
  /** Null: anybody on the way can read what is sent. */
  readonly tls: PostgresTls | null
}

export interface PostgresTls {
  /** Whether the server has to prove that it is the host; otherwise any server is accepted. */
  readonly verifies: boolean
  /** Certificates of the authority that has to sign the server's certificate; null: those that Node knows. */
  readonly ca: string | null
}

export function hostText({ host, port }: PostgresHost): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
