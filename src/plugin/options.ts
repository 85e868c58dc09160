import { z } from 'zod';
import type { ClientRequest } from './client-request';

/** How Keyward is asked. */
export interface KeywardOptions {
  /** Keyward's GraphQL endpoint, such as `http://keyward:4000/graphql`; its other doors are beside it. */
  readonly url: string;
  /** A key of your own, with the scope `api_keys:verify`. */
  readonly key: string;
  /** What the usage records call the service that asks, such as `contacts`. */
  readonly service: string;
  /** How long a caller waits for Keyward at most, in milliseconds; 1000 unless told. */
  readonly deadlineMs?: number;
  /** Is told why Keyward cannot be asked, once an outage; a warning of the process unless given. */
  readonly warn?: (reason: string) => void;
  /** The client's address, for the usage record; nothing is recorded unless told. */
  readonly clientIp?: (request: ClientRequest) => string | undefined;
}

const schema = z.object({
  url: z.url({ protocol: /^https?$/ }),
  key: z.string().regex(/^[\x21-\x7e]+$/, 'must be an API key'),
  service: z.string().min(1).max(100),
  deadlineMs: z.int().positive().default(1000),
});

/**
 * Checks the options once, when the service starts.
 * @throws Error naming the option at fault, never with its value
 */
export function checkOptions(given: KeywardOptions): z.infer<typeof schema> {
  const checked = schema.safeParse(given);
  if (checked.success) return checked.data;
  const faults = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`These options of Keyward's plugin cannot be used. ${faults.join('; ')}`);
}
