// Certificates of the tests' own.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export type Certificate = {
  key: string;
  cert: string;
  /** Where the certificate lies; in SSL_CERT_FILE it is the one authority that OpenSSL believes. */
  file: string;
};

/** A key, and a certificate of 127.0.0.1 for it that nobody else has signed; kept in `folder`. */
export function makeCertificate(folder: string, name: string): Certificate {
  const [keyFile, file] = ['key', 'pem'].map((kind) => path.join(folder, `${name}.${kind}`));
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const key = [...curve, '-nodes', '-keyout', keyFile!];
  const of = ['-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...key, ...of, '-out', file!], { stdio: 'pipe' });
  return { key: readFileSync(keyFile!, 'utf8'), cert: readFileSync(file!, 'utf8'), file: file! };
}
