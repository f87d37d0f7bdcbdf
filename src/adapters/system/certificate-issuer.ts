import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto'
import type { CaKeys, CertificateIssuer, CertificateRequest } from '../../ports/members/certificates.js'
import type { Signer } from '../../ports/system/signer.js'
import { memberUri } from './certificate-reader.js'
import { signerOf } from './node-key.js'

const ED25519 = { name: 'Ed25519' }
const SERVER_AND_CLIENT = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
const SERIAL_BYTES = 16

/**
 * Makes certificates with @peculiar/x509, which is loaded when the first is made: a node makes few in its life, and
 * loading takes longer than anything else at a start. The library needs the metadata polyfill of whoever composes it.
 */
export class X509CertificateIssuer implements CertificateIssuer {
  async createCa({
    meshName,
    notBefore,
    notAfter,
    signedBy,
  }: Parameters<CertificateIssuer['createCa']>[0]): Promise<CaKeys> {
    const x509 = await library()
    const pair = generateKeyPairSync('ed25519')
    const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const keys = {
      privateKey: await importPrivate(privateKey),
      publicKey: await importPublic(signerOf(pair.privateKey).publicKey),
    }
    // Each has a unique name: otherwise chains of them could not be distinguished.
    const { publicKey } = signerOf(pair.privateKey)
    const subject = `CN=Vendue mesh ${meshName} ${publicKey.slice(0, 8)}`
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject,
      signingAlgorithm: ED25519,
      issuer: signedBy ? new x509.X509Certificate(signedBy.certificate).subject : subject,
      publicKey: keys.publicKey,
      signingKey: signedBy ? await importPrivate(signedBy.privateKey) : keys.privateKey,
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return { publicKey, certificate: certificate.toString('pem'), privateKey }
  }

  async issue(ca: CaKeys, request: CertificateRequest): Promise<string> {
    const x509 = await library()
    const { meshId, nodeId, publicKey, role, notBefore, notAfter } = request
    const caKey = await importPublic(ca.publicKey)
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: `CN=${nodeId}`,
      signingAlgorithm: ED25519,
      issuer: new x509.X509Certificate(ca.certificate).subject,
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      publicKey: await importPublic(publicKey),
      signingKey: await importPrivate(ca.privateKey),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(SERVER_AND_CLIENT),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: memberUri(meshId, nodeId, role) }]),
        await x509.AuthorityKeyIdentifierExtension.create(caKey),
      ],
    })
    return certificate.toString('pem')
  }

  signer({ privateKey }: CaKeys): Signer {
    return signerOf(createPrivateKey(privateKey))
  }
}

async function library() {
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto)
  return x509
}

function importPrivate(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', der, ED25519, true, ['sign'])
}

function importPublic(publicKey: string): Promise<webcrypto.CryptoKey> {
  const der = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' }).export({
    type: 'spki',
    format: 'der',
  })
  return webcrypto.subtle.importKey('spki', der, ED25519, true, ['verify'])
}

/** Positive, as X.509 has it. */
function serial(): string {
  const bytes = randomBytes(SERIAL_BYTES)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}
