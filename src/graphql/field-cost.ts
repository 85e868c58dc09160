import {
  getNamedType,
  getNullableType,
  isListType,
  isScalarType,
  type GraphQLField,
} from 'graphql';

/** What things cost beside a plain field, which costs 1 (about 1.5 µs of CPU); measured. */
const extra = {
  /** One more query to the database: 200 µs and more. */
  query: 50,
  /** One that reads many days of records, or the counts of a whole organization: 3 ms and more. */
  scan: 500,
  /** A row that a query brings, whatever is selected of it; refusing it costs as much. */
  row: 6,
  /** A list of plain values, such as a key's scopes, or a JSON object of up to 4 KiB. */
  bulk: 4,
  /** A field that may be refused: 30 µs. */
  guarded: 20,
} as const;

const scans = new Set(['requests', 'apiKeyRequests', 'apiKeyUsage']);
const guards = new Set(['authenticated', 'requiresScopes']);

/**
 * What it costs to resolve a field once, without its selection. A field with arguments asks the
 * database, and so does the total of a list; everything else is in memory by then or loaded
 * together with its like.
 * @param items how many items the field may answer with
 */
export function fieldCost(field: GraphQLField<unknown, unknown>, items: number): number {
  if (field.args.length > 0) {
    const query = scans.has(field.name) ? extra.scan : extra.query;
    return 1 + query + extra.row * (isCounted(field) ? 1 : items);
  }
  if (field.name === 'totalCount') return 1 + extra.query;
  if (isBulk(field)) return 1 + extra.bulk;
  return isGuarded(field) ? 1 + extra.guarded : 1;
}

// The database brings few of the buckets of usage, and nothing but numbers.
function isCounted({ type }: GraphQLField<unknown, unknown>): boolean {
  return getNamedType(type).name === 'UsageBucket';
}

function isBulk({ type }: GraphQLField<unknown, unknown>): boolean {
  const named = getNamedType(type);
  if (!isScalarType(named)) return false;
  return isListType(getNullableType(type)) || named.name === 'JSONObject';
}

function isGuarded({ astNode }: GraphQLField<unknown, unknown>): boolean {
  return astNode?.directives?.some(({ name }) => guards.has(name.value)) === true;
}
