import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescript from '@graphql-codegen/typescript';
import * as operations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';
import * as ts from 'typescript';

/** What a team generates its client from, and that client; both written as they would be. */
const documents = `
  query Keys($filter: ApiKeyFilter, $after: String) {
    apiKeys(first: 200, after: $after, filter: $filter) {
      nodes { ...Row }
      pageInfo { hasNextPage endCursor }
    }
  }

  fragment Row on ApiKey {
    id name redacted environment scopes status expiresAt metadata
    createdBy { displayName }
    revocation { reason }
    rotation { retiresAt successor { id } }
    advice { code message }
  }

  mutation Create($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { apiKey { ...Row } secret }
  }

  mutation Revoke($id: ID!) {
    revokeApiKey(input: { id: $id, reason: COMPROMISED }) { notice apiKey { status } }
  }
`;
const client = `
  import { GraphQLClient } from 'graphql-request';
  import { CreateDocument, KeysDocument, RevokeDocument, type RowFragment } from './operations';
  import type { ApiKey, KeyAdviceCode } from './schema';

  const keyward = new GraphQLClient('http://localhost:4000/graphql');

  export async function expiring(before: string): Promise<readonly RowFragment[]> {
    const filter = { status: ['ACTIVE' as const], expiresBefore: before };
    const { apiKeys } = await keyward.request(KeysDocument, { filter });
    // @ts-expect-error a refusal nulls the field, and the client has to say what it does then
    apiKeys.nodes;
    // @ts-expect-error no such status
    await keyward.request(KeysDocument, { filter: { status: ['SLEEPING'] } });
    return apiKeys?.nodes ?? [];
  }

  export async function create(name: string): Promise<string> {
    const input = { name, scopes: ['contacts:read'], expiresIn: 'P90D', environment: 'TEST' as const };
    const { createApiKey } = await keyward.request(CreateDocument, { input });
    // @ts-expect-error a key needs a name
    await keyward.request(CreateDocument, { input: { scopes: ['contacts:read'] } });
    return createApiKey?.secret ?? 'shown before';
  }

  export async function revokeAll(rows: readonly RowFragment[]): Promise<void> {
    for (const { id } of rows) await keyward.request(RevokeDocument, { id });
  }

  export function advised(rows: readonly RowFragment[], wanted: KeyAdviceCode): Pick<ApiKey, 'name'>[] {
    return rows.filter(({ advice }) => advice.some(({ code }) => code === wanted));
  }
`;

const plugins = { typescript, operations, typedDocumentNode };
const config = {
  scalars: { DateTime: 'string', Duration: 'string', JSONObject: 'Record<string, unknown>' },
  strictScalars: true,
  useTypeImports: true,
};

async function generate(...names: readonly (keyof typeof plugins)[]): Promise<string> {
  return codegen({
    filename: 'generated.ts',
    schema: parse(readFileSync('schema.graphql', 'utf8')),
    documents: [{ location: 'client.graphql', document: parse(documents) }],
    config,
    plugins: names.map((name) => ({ [name]: {} })),
    pluginMap: plugins,
  });
}

let directory: string;
beforeAll(() => {
  mkdirSync('node_modules/.cache', { recursive: true });
  directory = mkdtempSync('node_modules/.cache/codegen-'); // from where packages are found
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What strict TypeScript has to say about these files. */
function complaints(files: Readonly<Record<string, string>>): readonly string[] {
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  });
  const program = ts.createProgram(paths, {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitReturns: true,
    noUnusedLocals: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2023,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName ?? ''}: ${JSON.stringify(messageText)}`);
}

test('graphql-codegen makes types of the SDL with which a strict client compiles, and a wrong one does not', async () => {
  const schema = await generate('typescript');
  const generated = await generate('operations', 'typedDocumentNode');
  expect(
    complaints({ 'schema.ts': schema, 'operations.ts': generated, 'client.ts': client }),
  ).toEqual([]);
});
