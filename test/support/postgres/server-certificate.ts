import 'reflect-metadata'
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const HOUR_MS = 3_600_000

/** PEM, of a server that is reached at this address and of the authority that has signed its certificate. */
export async function serverCertificate(ip: string): Promise<{ ca: string; certificate: string; key: string }> {
  const keysOf = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const [authority, server] = await Promise.all([keysOf(), keysOf()])
  const now = Date.now()
  const dates = { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + HOUR_MS) }
  const shared = { ...dates, signingAlgorithm: ALGORITHM, serialNumber: '01' }
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...shared,
    name: 'CN=authority',
    keys: authority,
    extensions: [new BasicConstraintsExtension(true)],
  })
  const certificate = await X509CertificateGenerator.create({
    ...shared,
    serialNumber: '02',
    subject: 'CN=server',
    issuer: 'CN=authority',
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: ip }])],
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', server.privateKey)).toString('base64')
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`
  return { ca: ca.toString('pem'), certificate: certificate.toString('pem'), key }
}
