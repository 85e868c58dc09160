import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose';
import { steadyPort } from './steady-port';

/** What the tests' Keyward is to its identity provider. */
export const audience = 'https://keyward.example';

/** One of the provider's keys, with its private half. */
export interface ProviderKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** The private half, as the provider takes it. */
  readonly jwk: JWK;
}

/** A real OpenID provider on loopback. */
export interface IdentityProvider {
  readonly issuer: string;
  /** What Keyward needs to believe it. */
  readonly settings: Readonly<Record<string, string>>;
  /** The keys it publishes; the first of an algorithm signs. */
  readonly keys: readonly ProviderKey[];
  /** A token as the provider issues it to somebody of whom it knows these claims. */
  issue(claims: JWTPayload, request?: { resource?: string; algorithm?: string }): Promise<string>;
  /** Makes new keys and forgets the old. */
  rotate(): Promise<void>;
  /** How often its keys were fetched. */
  keyRequests(): Promise<number>;
  /** Ends its process. */
  stop(): Promise<void>;
  /** Starts it again, where it was and with the keys it had. */
  restart(): Promise<void>;
}

const script = join(__dirname, 'identity-provider-process.mjs');

/** Starts a provider for one test file; stop it in `afterAll`. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  let keys = await makeKeys();
  let child = start();
  const port = await steadyPort(); // the same after a restart
  let issuer = await publish(child, keys, port);
  return {
    get issuer() {
      return issuer;
    },
    get settings() {
      return { KEYWARD_OIDC_ISSUER: issuer, KEYWARD_OIDC_AUDIENCE: audience };
    },
    get keys() {
      return keys;
    },
    async issue(claims, { resource = audience, algorithm = 'RS256' } = {}) {
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from('app:secret+of+the+app').toString('base64')}`,
          'x-claims': JSON.stringify(claims),
          'x-algorithm': algorithm,
        },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
      });
      const answer = (await response.json()) as { access_token?: string }; // RFC 6749, section 5.1
      if (answer.access_token === undefined) throw new Error(JSON.stringify(answer));
      return answer.access_token;
    },
    async rotate() {
      keys = await makeKeys();
      issuer = await publish(child, keys, port);
    },
    async keyRequests() {
      return (await ask<{ keyRequests: number }>(child, { count: true })).keyRequests;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    async restart() {
      child = start();
      issuer = await publish(child, keys, port);
    },
  };
}

/** A key that no provider knows. */
export async function makeKey(algorithm: string, kid: string): Promise<ProviderKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, privateKey, publicKey, jwk };
}

/** A token signed past the provider, with whatever key and words the test wants. */
export async function forge(
  { kid, algorithm, privateKey }: ProviderKey,
  claims: JWTPayload,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: algorithm, kid, typ: 'at+jwt', ...header })
    .sign(privateKey);
}

let made = 0;

async function makeKeys(): Promise<readonly ProviderKey[]> {
  made += 1;
  return Promise.all(
    ['RS256', 'ES256'].map((algorithm) => makeKey(algorithm, `${algorithm}-${made}`)),
  );
}

function start(): ChildProcess {
  return fork(script, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

async function publish(
  child: ChildProcess,
  keys: readonly ProviderKey[],
  port: number,
): Promise<string> {
  const jwks = { keys: keys.map(({ jwk }) => jwk) };
  return (await ask<{ issuer: string }>(child, { jwks, port })).issuer;
}

async function ask<Reply>(child: ChildProcess, question: object): Promise<Reply> {
  const answered = once(child, 'message');
  child.send(question);
  const [reply] = (await answered) as [Reply]; // the script says what it answers to what
  return reply;
}
