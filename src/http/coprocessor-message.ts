import { z } from 'zod';
import { InputError } from '../kernel/errors';
import type { Environment } from '../kernel/principal';
import { recordable } from '../kernel/redaction';
import type { ErrorAnswer } from './error-answer';

/** Who makes a client's request, in the words of JSON Web Tokens, which a router expects. */
export interface Claims {
  /** The id of the key or person. */
  readonly sub: string;
  /** Separated by spaces, full access expanded: a router knows no catalogue. */
  readonly scope: string;
  readonly organization_id: string;
  readonly environment: Environment;
}

type Headers = Readonly<Record<string, readonly string[]>>;

/** A message at a stage that is none of Keyward's business. */
interface OtherMessage {
  readonly judged: false;
  readonly stage: string;
  readonly id: string | undefined;
}

/** A client's request that a router asks about before it plans or answers it. */
export interface RequestMessage {
  readonly judged: true;
  readonly stage: string;
  readonly id: string | undefined;
  readonly headers: Headers;
  readonly context: { readonly entries: Readonly<Record<string, unknown>> };
  /** The operation's name, where the stage knows one. */
  readonly operation: string | null;
}

/** Where Router 2 and later look for the claims. */
const claimsEntry = 'apollo::authentication::jwt_claims';

/** The entry's name in Router 1, by which later ones still send it with `context: deprecated`. */
const formerClaimsEntry = 'apollo_authentication::JWT::claims';

const operationEntry = 'apollo::supergraph::operation_name';

const judgedStages = new Set(['RouterRequest', 'SupergraphRequest']);

const control = z.object(
  {
    version: z.literal(1, 'must be 1, the version of the protocol that Keyward speaks'),
    stage: z
      .string('must be the name of a stage')
      .regex(/^[A-Z][A-Za-z]{0,40}(?:Request|Response)$/, 'must be the name of a stage'),
    id: z.string('must be a string').max(255, 'must be at most 255 characters long').optional(),
  },
  'must be a JSON object',
);

const request = control.extend({
  // Without its headers, every request would look like one without credentials.
  headers: z.record(z.string(), z.array(z.string('must be a string'), 'must be a list'), {
    error: 'must be an object of lists: set `headers: true` for this stage in router.yaml',
  }),
  // The router drops the entries that it does not get back, so they have to be sent.
  context: z.looseObject(
    { entries: z.record(z.string(), z.unknown(), 'must be an object') },
    'must be an object: set `context: all` for this stage in router.yaml',
  ),
  body: z.unknown().optional(),
});

/**
 * Reads a message of Apollo Router's external coprocessing, version 1 of the protocol.
 * @throws InputError naming the member that is missing or wrong
 * @source Apollo GraphOS Router documentation, "Coprocessor Reference"
 */
export function readMessage(body: unknown): RequestMessage | OtherMessage {
  const { stage, id } = parse(control, body);
  if (!judgedStages.has(stage)) return { judged: false, stage, id };
  const { headers, context, body: operation } = parse(request, body);
  return { judged: true, stage, id, headers, context, operation: nameOf(operation, context) };
}

/** The values of a header in a message, whose names may be in any case. */
export function headerValues(headers: Headers, name: string): readonly string[] {
  return Object.entries(headers).flatMap(([each, values]) =>
    each.toLowerCase() === name ? values : [],
  );
}

/** The answer that changes nothing. */
export function letPass({ stage, id }: OtherMessage): object {
  // A control in the answer to a response stage would become the response's status.
  return {
    ...sameMessage({ stage, id }),
    ...(stage.endsWith('Request') && { control: 'continue' }),
  };
}

/**
 * The answer that lets a client's request go on, with these claims or with none; claims that were
 * there before are taken out. What is left out of the answer stays as it is, so the key does not
 * travel back.
 */
export function letGoOn(message: RequestMessage, claims: Claims | undefined): object {
  const entries = Object.entries(message.context.entries).filter(
    ([name]) => name !== claimsEntry && name !== formerClaimsEntry,
  );
  if (claims !== undefined) entries.push([claimsEntry, claims]);
  const context = { ...message.context, entries: Object.fromEntries(entries) };
  return { ...sameMessage(message), control: 'continue', context };
}

const plain = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };

/** The answer that makes the router answer the client with this refusal. */
export function breakOff(message: RequestMessage, { status, headers, body }: ErrorAnswer): object {
  // These take the place of all headers that the router would have answered with.
  const all = { ...plain, ...headers };
  return {
    ...sameMessage(message),
    control: { break: status },
    headers: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]])),
    // Text at the first stage, an object at the second.
    body: message.stage === 'RouterRequest' ? body : (JSON.parse(body) as unknown),
  };
}

function sameMessage({ stage, id }: Pick<RequestMessage, 'stage' | 'id'>): object {
  return { version: 1, stage, ...(id !== undefined && { id }) };
}

// A body of the RouterRequest stage is text that nobody has judged yet, so it is not read.
function nameOf(body: unknown, { entries }: RequestMessage['context']): string | null {
  const { operationName }: { operationName?: unknown } =
    typeof body === 'object' && body !== null ? body : {};
  const name = operationName ?? entries[operationEntry];
  return typeof name === 'string' && name !== '' ? recordable(name) : null;
}

function parse<Shape extends z.ZodType>(shape: Shape, body: unknown): z.output<Shape> {
  const { success, data, error } = shape.safeParse(body);
  if (success) return data;
  const [issue] = error.issues;
  const path = issue?.path.join('.') ?? '';
  const field = path === '' ? 'body' : path;
  throw new InputError(field, `${field} ${issue?.message ?? 'is not valid'}.`);
}
