import autocannon from 'autocannon';
import type { Variant } from './rounds';
import type { ServerProcess } from './servers';

const body = JSON.stringify({ query: 'query WhoAmI { viewer { kind scopes } }' });
const expected =
  '{"data":{"viewer":{"kind":"API_KEY","scopes":["contacts:read","conversations:read"]}}}\n';

/** Asks a server who the caller is, over so many connections, each with keys of its own. */
export function asking(
  name: string,
  { url }: ServerProcess,
  connections: number,
  secrets: readonly string[],
): Variant {
  const each = Math.floor(secrets.length / connections);
  return {
    name,
    async measure(milliseconds) {
      let opened = 0;
      const result = await autocannon({
        url,
        connections,
        duration: milliseconds / 1000,
        method: 'POST',
        body,
        expectBody: expected,
        setupClient(client) {
          const own = secrets.slice(opened * each, (opened + 1) * each);
          opened += 1;
          client.setRequests(own.map(toRequest));
        },
      });
      const failures = result.errors + result.non2xx + result.mismatches;
      if (failures > 0) throw new Error(`${name}: ${failures} of its answers were wrong`);
      return result.requests.total / result.duration;
    },
  };
}

function toRequest(secret: string): autocannon.Request {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` };
  return { method: 'POST', body, headers };
}
