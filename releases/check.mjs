/**
 * Compares schema.graphql (or the file that is named) with the last release's and fails where
 * clients of that release would no longer get what they got: `npm run check:release`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { parse } from 'graphql';

const released = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
  .at(-1);

const read = (path) => buildSubgraphSchema(parse(readFileSync(path, 'utf8')));

/** A field that was there and asks for another scope serves other callers than before. */
const breaks = ({ criticality: { level }, message }) =>
  level === CriticalityLevel.Breaking ||
  (level === CriticalityLevel.Dangerous && /requiresScopes|authenticated/.test(message));

const changes = await diff(
  read(`${import.meta.dirname}/${released}/schema.graphql`),
  read(process.argv[2] ?? 'schema.graphql'),
);
const breaking = changes.filter(breaks);
if (breaking.length > 0) {
  console.error(`schema.graphql breaks what clients of release ${released} rely on:

${breaking.map(({ path, message }) => `  ${path}: ${message}`).join('\n')}

Put it back; what is to go is first marked @deprecated, and goes with the next major version.
With that version, copy schema.graphql to releases/<version>/schema.graphql.`);
  process.exitCode = 1;
}
