import { createSchema, printSdl, withoutAccessDirectives } from '../graphql/schema';
import { ScopeCatalogue } from '../kernel/scopes';
import { resolvers } from './rooms';

/** The subgraph's SDL, which is the same whatever the product; needs neither settings nor database. */
export async function buildSdl(options: { readonly accessDirectives: boolean }): Promise<string> {
  const catalogue = new ScopeCatalogue([], undefined);
  const schema = await createSchema({ resolvers, instances: [], references: {} }, catalogue);
  const sdl = printSdl(schema);
  return options.accessDirectives ? sdl : withoutAccessDirectives(sdl);
}
