import { readFileSync } from 'node:fs';
import { composeServices as composeWithTheGuild } from '@theguild/federation-composition';
import { Kind, parse, print, visit } from 'graphql';
import { buildSdl } from '../../src/app/sdl';
import { deploymentsSdl } from '../support/deployments-subgraph';
import { startTestKeyward } from '../support/keyward';
import { compose, readSdl, type Subgraph } from '../support/supergraph';

/** What a team beside Keyward may bring: joins on both entities, its own pages and instants. */
const releasesSdl = `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])

  scalar DateTime

  type Query {
    releases: ReleaseConnection!
  }

  type ReleaseConnection {
    nodes: [Release!]!
    pageInfo: PageInfo!
  }

  type PageInfo @shareable {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }

  type Release @key(fields: "id") {
    id: ID!
    at: DateTime!
    by: ApiKey
    organization: Organization
  }

  type ApiKey @key(fields: "id", resolvable: false) {
    id: ID!
  }

  type Organization @key(fields: "id") {
    id: ID!
    releases: [Release!]!
  }
`;

const neighbours: Readonly<Record<string, readonly string[]>> = {
  'by itself': [],
  'with a subgraph that joins on ApiKey': [deploymentsSdl],
  'with subgraphs that join on both entities and page': [deploymentsSdl, releasesSdl],
};

describe.each([
  ['with the access directives', true],
  ['without the access directives', false],
])('the SDL %s', (_, accessDirectives) => {
  test.each(Object.entries(neighbours))(
    'composes %s, with both libraries, without errors or hints',
    async (_name, others) => {
      const sdls = [await buildSdl({ accessDirectives }), ...others];
      const subgraphs = sdls.map((sdl, index) => toSubgraph(sdl, `subgraph${index}`));
      const directives = accessDirectives ? ['@authenticated', '@requiresScopes'] : [];

      const supergraph = compose(subgraphs);
      expect(usedDirectives(supergraph)).toEqual(directives);

      const { errors, supergraphSdl = '' } = composeWithTheGuild(
        subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })),
      );
      expect(errors).toBeUndefined();
      expect(usedDirectives(supergraphSdl)).toEqual(directives);
    },
  );
});

test('schema.graphql is what the code prints', async () => {
  expect(readFileSync('schema.graphql', 'utf8')).toBe(await buildSdl({ accessDirectives: true }));
});

test('the SDL without access directives lacks them and their imports, and nothing else', async () => {
  const full = await buildSdl({ accessDirectives: true });
  const without = await buildSdl({ accessDirectives: false });
  expect(usedDirectives(full)).toEqual(['@authenticated', '@requiresScopes']);
  expect(without).not.toMatch(/@(authenticated|requiresScopes)/);
  expect(print(parse(without))).toBe(print(stripAccessDirectives(full)));
});

test.each([
  ['with the access directives, unless told', {}, true],
  ['without them when told', { KEYWARD_SDL_ACCESS_DIRECTIVES: 'off' }, false],
])('a running Keyward serves the SDL %s', async (_, settings, accessDirectives) => {
  const keyward = await startTestKeyward(settings);
  try {
    expect(await readSdl(keyward.url)).toBe(await buildSdl({ accessDirectives }));
  } finally {
    await keyward.stop();
  }
});

function toSubgraph(sdl: string, name: string): Subgraph {
  return { name, url: `http://${name}.example.com/graphql`, sdl };
}

/** The access directives that stand on something. */
function usedDirectives(sdl: string): string[] {
  const used = new Set<string>();
  visit(parse(sdl), {
    Directive: ({ name }) => {
      if (/^(authenticated|requiresScopes)$/.test(name.value)) used.add(`@${name.value}`);
    },
  });
  return [...used].sort();
}

function stripAccessDirectives(sdl: string) {
  return visit(parse(sdl), {
    Directive: ({ name }) =>
      /^(authenticated|requiresScopes)$/.test(name.value) ? null : undefined,
    ListValue: (list) => ({
      ...list,
      values: list.values.filter(
        (value) =>
          value.kind !== Kind.STRING || !/^@(authenticated|requiresScopes)$/.test(value.value),
      ),
    }),
  });
}
