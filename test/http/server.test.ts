import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { send, sendJson, type RawAnswer, type RawRequest } from '../support/raw-http';

const allowed = 'https://app.example.com';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward({
    KEYWARD_CORS_ORIGINS: `${allowed},http://localhost:3000`,
  });
});
afterAll(async () => keyward.stop());

const ask = async (request: RawRequest) => send(keyward.url, request);
const query = '{ viewer { kind } }';
const json = JSON.stringify({ query });
const asJson = { 'content-type': 'application/json' };
const anonymous = { data: { viewer: { kind: 'ANONYMOUS' } } };
const inUrl = `/graphql?query=${encodeURIComponent(query)}`;

function expectError(answer: RawAnswer, status: number, code: string, says: string | RegExp) {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toMatch(/^application\/(graphql-response\+)?json/);
  const requestId = answer.headers['x-request-id'];
  expect(requestId).toMatch(/^[A-Za-z0-9._-]{8,64}$/);
  const [error] = answer.body.errors ?? [];
  expect(error?.extensions).toMatchObject({ code, requestId });
  expect(error?.message).toMatch(says);
}

describe('health', () => {
  test('/livez answers that the process runs', async () => {
    const answer = await ask({ method: 'GET', path: '/livez' });
    expect([answer.status, answer.text]).toEqual([200, '{"status":"alive"}']);
  });

  test('/readyz answers that requests can be answered', async () => {
    const answer = await ask({ method: 'GET', path: '/readyz' });
    expect([answer.status, answer.text]).toEqual([200, '{"status":"ready"}']);
  });
});

describe('every answer', () => {
  const requests: Record<string, RawRequest> = {
    query: { headers: asJson, body: json },
    health: { method: 'GET', path: '/livez' },
    'unknown path': { method: 'GET', path: '/nothing/here' },
    'bad credentials': { headers: { ...asJson, authorization: 'Bearer x' }, body: json },
    'broken body': { headers: asJson, body: '{' },
    'unknown expectation': { headers: { ...asJson, expect: 'wonders' }, body: json },
    'foreign media type': { headers: { 'content-type': 'text/xml' }, body: '<a/>' },
    method: { method: 'PUT', headers: asJson, body: json },
    preflight: {
      method: 'OPTIONS',
      headers: { origin: allowed, 'access-control-request-method': 'POST' },
    },
  };

  test.each(Object.entries(requests))(
    'may not be stored, sniffed, framed or run: %s',
    async (_what, request) => {
      const { headers } = await ask(request);
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringContaining('max-age=') as string,
      });
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('server');
      expect(headers).not.toHaveProperty('set-cookie');
    },
  );

  test('to a URL that is none is an error with its request id', async () => {
    const answer = await ask({ method: 'GET', path: '/%zz' });
    expectError(answer, 400, 'BAD_REQUEST', 'URL');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('to headers that are too large is an error with its request id', async () => {
    const headers = { ...asJson, 'x-large': 'x'.repeat(20_000) };
    expectError(await ask({ headers, body: json }), 431, 'BAD_REQUEST', 'too large');
  });

  test.each([
    ['what is no HTTP', '\u0016\u0003\u0001 this is not HTTP'],
    ['a request without Host', 'GET /livez HTTP/1.1\r\nConnection: close'],
  ])('to %s is an error with its request id', async (_what, head) => {
    const socket = connect(Number(new URL(keyward.url).port), '127.0.0.1');
    socket.end(`${head}\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/x-request-id: ([0-9a-f-]{36})\r\n[\s\S]*"requestId":"\1"/);
    expect(answer).toContain('"code":"BAD_REQUEST"');
  });

  test('to an unknown path is 404', async () => {
    for (const path of ['/', '/graphql/', '/graphq', '/livez/x', '//graphql', '/../etc/passwd']) {
      expectError(await ask({ method: 'GET', path }), 404, 'NOT_FOUND', '/graphql');
    }
  });
});

describe('CORS', () => {
  const corsHeaders = ({ headers }: RawAnswer) =>
    Object.fromEntries(
      Object.entries(headers).filter(([name]) => name.startsWith('access-control-')),
    );
  const preflight = (origin: string) =>
    ask({
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  test.each([allowed, 'http://localhost:3000'])('lets pages of %s read answers', async (origin) => {
    const answer = await ask({ headers: { ...asJson, origin }, body: json });
    expect(answer.body).toEqual(anonymous);
    expect(corsHeaders(answer)['access-control-allow-origin']).toBe(origin);
    expect(corsHeaders(answer)['access-control-expose-headers']).toContain('x-request-id');
    expect(answer.headers.vary).toMatch(/origin/i);
    const asked = await preflight(origin);
    expect(asked.status).toBe(204);
    expect(corsHeaders(asked)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization,content-type',
    });
    expect(corsHeaders(asked)['access-control-allow-methods']).toMatch(/POST/);
  });

  test('never allows credentials of the browser, or any origin at all', async () => {
    for (const answer of [
      await preflight(allowed),
      await ask({ headers: { ...asJson, origin: allowed }, body: json }),
    ]) {
      expect(corsHeaders(answer)).not.toHaveProperty('access-control-allow-credentials');
      expect(corsHeaders(answer)['access-control-allow-origin']).toBe(allowed);
    }
  });

  test.each([
    'https://evil.example',
    'null',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com.evil.example',
    'https://evil.example/https://app.example.com',
    'https://sub.app.example.com',
    'HTTPS://APP.EXAMPLE.COM',
    'http://localhost:3001',
  ])('gives pages of %s nothing', async (origin) => {
    const answer = await ask({ headers: { ...asJson, origin }, body: json });
    expect(corsHeaders(answer)).not.toHaveProperty('access-control-allow-origin');
    const asked = await preflight(origin);
    expect(corsHeaders(asked)).not.toHaveProperty('access-control-allow-origin');
  });

  test('is off unless origins are named', async () => {
    const { graphqlUrl } = await keyward.startReplica({ KEYWARD_CORS_ORIGINS: '' });
    const headers = { ...asJson, origin: allowed };
    const answer = await send(graphqlUrl, { headers, body: json });
    expect(corsHeaders(answer)).toEqual({});
    const asked = { origin: allowed, 'access-control-request-method': 'POST' };
    const refused = await send(graphqlUrl, { method: 'OPTIONS', headers: asked });
    expect(corsHeaders(refused)).toEqual({});
    expect(refused.status).toBe(404);
  });
});

describe('a request that a foreign page may have forged', () => {
  const signs: Record<string, Record<string, string>> = {
    'a cookie': { cookie: 'session=1' },
    'a foreign origin': { origin: 'https://evil.example' },
    'no origin to tell': { origin: 'null' },
    'the site header': { 'sec-fetch-site': 'cross-site' },
    'the site header of a sister': { 'sec-fetch-site': 'same-site' },
  };

  test.each(Object.entries(signs))('by %s is refused, and told what to send', async (_by, sign) => {
    const get = { method: 'GET', path: inUrl, headers: sign };
    expectError(await ask(get), 400, 'BAD_USER_INPUT', 'apollo-require-preflight');
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await ask({ headers: { ...sign, 'content-type': type }, body: json });
      expect([400, 415]).toContain(answer.status);
      expect(answer.body.data).toBeUndefined();
    }
    for (const name of ['apollo-require-preflight', 'x-apollo-operation-name']) {
      const sure = await ask({ ...get, headers: { ...sign, [name]: 'x' } });
      expect(sure.body).toEqual(anonymous);
    }
    const posted = await ask({ headers: { ...asJson, ...sign }, body: json });
    expect(posted.body).toEqual(anonymous);
  });

  test('is not taken for one when it comes from a program, or from a page of ours', async () => {
    const { host } = new URL(keyward.url);
    for (const headers of [
      {},
      { 'user-agent': 'curl/8.5.0', accept: '*/*' },
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'same-origin', origin: `http://${host}`, host },
      { origin: allowed },
    ]) {
      expect((await ask({ method: 'GET', path: inUrl, headers })).body).toEqual(anonymous);
    }
  });
});

describe('a body', () => {
  const post = async (body: string | Buffer, headers: Record<string, string> = asJson) =>
    ask({ headers, body });

  test('of 1 MiB is read, one byte more is refused with 413', async () => {
    const rest = JSON.stringify({ query, padding: '' });
    const padded = (size: number) => rest.replace('""', `"${'x'.repeat(size - rest.length)}"`);
    expect((await post(padded(1024 * 1024))).body).toEqual(anonymous);
    expectError(await post(padded(1024 * 1024 + 1)), 413, 'BAD_REQUEST', '1048576 bytes');
  });

  test.each(['{', '', 'null]', '{"query":}', '{"query":"{ viewer { kind } }",}', '\u0000', 'NaN'])(
    'that is no JSON is refused with 400: %j',
    async (body) => {
      expectError(await post(body), 400, 'BAD_USER_INPUT', /body/);
    },
  );

  test('that is no JSON is not repeated', async () => {
    const answer = await post(`{"query":"${keyward.adminKey}`);
    expect(answer.text).not.toContain(keyward.adminKey.slice(8, 20));
  });

  test.each(['null', '1', '"{ viewer { kind } }"', '[]', '{}', '{"query":null}', '{"query":[]}'])(
    'that is no GraphQL request is refused with 400: %s',
    async (body) => {
      expectError(await post(body), 400, 'BAD_REQUEST', /./);
    },
  );

  test('of several requests is refused with 400', async () => {
    expectError(await post(`[${json},${json}]`), 400, 'BAD_REQUEST', 'batching');
  });

  test.each([
    ['an invalid byte', [0xff]],
    ['an overlong form', [0xc0, 0xaf]],
    ['half a character', [0xe2, 0x82]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
  ])('with %s is no UTF-8 and refused with 400, not mended', async (_what, bytes) => {
    const [start = '', end = ''] = JSON.stringify({ query, variables: { a: '|' } }).split('|');
    const body = Buffer.concat([Buffer.from(start), Buffer.from(bytes), Buffer.from(end)]);
    expectError(await post(body), 400, 'BAD_USER_INPUT', 'UTF-8');
  });

  test.each([
    { 'content-type': 'text/xml' },
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/jsonp' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  ])('announced as %j is refused with 415', async (headers) => {
    expectError(await post(json, headers), 415, 'BAD_REQUEST', 'application/json');
  });

  test.each([
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/JSON',
  ])('announced as %s is read', async (type) => {
    expect((await post(json, { 'content-type': type })).body).toEqual(anonymous);
  });

  test('without a type is refused', async () => {
    const answer = await post(json, {});
    expect([400, 415]).toContain(answer.status);
    expect(answer.body.errors?.[0]?.extensions).toHaveProperty('code');
  });
});

describe('a method', () => {
  test.each(['PUT', 'PATCH', 'DELETE'])('%s is answered with 405', async (method) => {
    const answer = await ask({ method });
    expectError(answer, 405, 'BAD_REQUEST', 'GET/POST');
    expect(answer.headers.allow).toBe('GET, POST');
  });

  test('GET with a mutation is answered with 405', async () => {
    const mutation = 'mutation { revokeCurrentApiKey(reason: OTHER) { apiKey { id } } }';
    const answer = await sendJsonAsAdmin('GET', mutation);
    expectError(answer, 405, 'BAD_REQUEST', 'query');
    expect((await sendJson(keyward.url, json, bearer())).body).toEqual({
      data: { viewer: { kind: 'API_KEY' } },
    });
  });
});

const bearer = () => ({ authorization: `Bearer ${keyward.adminKey}` });
const sendJsonAsAdmin = async (method: string, source: string) =>
  ask({ method, path: `/graphql?query=${encodeURIComponent(source)}`, headers: bearer() });
