import 'reflect-metadata'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AUTHORITY_FILE, SqliteAuthorityStore } from '../../src/adapters/sqlite/sqlite-authority-store.js'
import { X509CertificateIssuer } from '../../src/adapters/system/certificate-issuer.js'
import { Ed25519Verifier } from '../../src/adapters/system/node-key.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { Authority } from '../../src/application/members/authority.js'

export interface OpenAuthority {
  readonly authority: Authority
  close(): void
}

/** The authority of a mesh of this machine's user; null where there is none, unless it is to be founded. */
export async function openAuthority(
  meshesDir: string,
  meshName: string,
  { found, certificateMs }: { found: boolean; certificateMs?: number | undefined },
): Promise<OpenAuthority | null> {
  const path = join(meshesDir, meshName, AUTHORITY_FILE)
  if (!found && !existsSync(path)) return null
  const store = SqliteAuthorityStore.open(path)
  try {
    const authority = await Authority.open(
      {
        store,
        issuer: new X509CertificateIssuer(),
        verifier: new Ed25519Verifier(),
        clock: systemClock,
        random: systemRandom,
      },
      { meshName, ...(certificateMs === undefined ? {} : { certificateMs }) },
    )
    return { authority, close: () => store.close() }
  } catch (error) {
    store.close()
    throw error
  }
}
