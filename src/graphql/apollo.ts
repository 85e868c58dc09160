import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { GraphQLSchema } from 'graphql';
import type { IntrospectionAccess } from '../config';
import type { Logger } from '../kernel/logger';
import { answerPlugin } from './answer.plugin';
import { toClientError, withoutSuggestions } from './client-error';
import type { RequestContext } from './context';
import type { ListSizes } from './document-cost';
import { defaultDocumentLimits, documentLimitOptions } from './document-limits';
import { costLimitPlugin } from './limits.plugin';
import { schemaAccessPlugin } from './schema-access.plugin';

/** What the GraphQL server is made of. */
export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly introspection: IntrospectionAccess;
  /** How long lists may be that are not asked for page by page; left out: each is one item. */
  readonly listSizes?: ListSizes;
  readonly logger: Logger;
}

/** Apollo Server with everything off that Keyward does not use, and its limits and answers on. */
export function createApollo(options: ApolloOptions): ApolloServer<RequestContext> {
  const limits = defaultDocumentLimits;
  const hidesSchema = options.introspection !== 'public';
  return new ApolloServer<RequestContext>({
    schema: options.schema,
    introspection: true, // schemaAccessPlugin decides
    csrfPrevention: false, // http/cross-site.ts asks only requests that a browser may have forged
    hideSchemaDetailsFromClientErrors: hidesSchema, // of documents; formatError of variables
    includeStacktraceInErrorResponses: false,
    persistedQueries: false, // they would be state of one replica
    stopOnTerminationSignals: false,
    allowBatchedHttpRequests: false,
    nodeEnv: 'production',
    logger: options.logger,
    ...documentLimitOptions(limits),
    formatError: (formatted, error) => {
      const shown = toClientError(formatted, error);
      return hidesSchema ? withoutSuggestions(shown) : shown;
    },
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      schemaAccessPlugin(options.introspection),
      costLimitPlugin(limits, options.listSizes),
      answerPlugin(options.logger),
    ],
  });
}
