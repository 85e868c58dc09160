import {
  getOperationAST,
  GraphQLError,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { judgeAnew, scopesOf, type KeywardContext } from './caller';
import type { ClientRequest } from './client-request';
import { keywardContext } from './keyward-context';
import { mend } from './mended-result';
import type { KeywardOptions } from './options';
import type { PermittedDocument } from './refused-fields';
import { SupergraphRules } from './supergraph-rules';

/** What the gateway is about to execute; the plugin puts another document in its place. */
interface Execution {
  readonly schema: GraphQLSchema;
  document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly contextValue?: unknown;
}

interface ResultHook<Result> {
  readonly result: Result;
  readonly setResult: (result: ExecutionResult) => void;
}

type OnResult = (
  hook: ResultHook<ExecutionResult | AsyncIterable<ExecutionResult>>,
) => { onNext: (hook: ResultHook<ExecutionResult>) => Promise<void> | void } | undefined;

/** A plugin of Hive Gateway, as far as Keyward's goes; the gateway's `plugins` take it. */
export interface KeywardGatewayPlugin {
  /** Finds out who is calling. */
  onContextBuilding(hook: {
    readonly context: ClientRequest;
    readonly extendContext: (caller: KeywardContext) => void;
  }): Promise<void>;
  /** Takes refused fields out of what is executed, and puts them back into the result as nulls. */
  onExecute(hook: { readonly args: Execution }): { onExecuteDone: OnResult } | undefined;
  /** Does the same for each event of a subscription; one whose events are refused is not begun. */
  onSubscribe(hook: {
    readonly args: Execution;
    readonly setResultAndStopExecution: (result: ExecutionResult) => void;
  }): { onSubscribeResult: OnResult } | undefined;
}

/**
 * Makes a plugin for Hive Gateway: before a subgraph is asked, Keyward says who is calling, and
 * what the supergraph's `@authenticated` and `@requiresScopes` do not let the caller see is not
 * asked for. A refused field is null with the error that Keyward itself gives; the rest is answered.
 * @throws Error at once when an option cannot be used
 */
export function useKeyward(options: KeywardOptions): KeywardGatewayPlugin {
  const identify = keywardContext(options);
  const rules = new WeakMap<GraphQLSchema, SupergraphRules>();

  const permit = (args: Execution): PermittedDocument | undefined => {
    const operation = getOperationAST(args.document, args.operationName);
    if (operation == null) return undefined; // execution says what is wrong
    const known = rules.get(args.schema) ?? new SupergraphRules(args.schema);
    rules.set(args.schema, known);
    const permitted = known.permit(args.document, operation, scopesOf(args.contextValue));
    if (permitted !== undefined) args.document = permitted.document;
    return permitted;
  };

  return {
    async onContextBuilding({ context, extendContext }) {
      extendContext(await identify(context));
    },
    onExecute({ args }) {
      const permitted = permit(args);
      return permitted && { onExecuteDone: mendWith(permitted) };
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const permitted = permit(args);
      const root = args.schema.getSubscriptionType();
      const events = [...(permitted?.refused ?? [])].find(([, { parent }]) => parent === root);
      if (permitted === undefined || events === undefined) {
        return { onSubscribeResult: judgeEvents(args.contextValue, permitted) };
      }
      setResultAndStopExecution(mend({ data: { [events[0]]: null } }, permitted));
      return undefined;
    },
  };
}

function judgeEvents(context: unknown, permitted: PermittedDocument | undefined): OnResult {
  return ({ result, setResult }) => {
    if (Symbol.asyncIterator in result) {
      return {
        onNext: async (next) => next.setResult(await judged(context, next.result, permitted)),
      };
    }
    if (permitted !== undefined) setResult(mend(result, permitted));
    return undefined;
  };
}

// A subscription goes on after its key was revoked: its events do not.
async function judged(
  context: unknown,
  event: ExecutionResult,
  permitted: PermittedDocument | undefined,
): Promise<ExecutionResult> {
  try {
    await judgeAnew(context);
  } catch (error) {
    if (error instanceof GraphQLError) return { data: null, errors: [error] };
    throw error;
  }
  return permitted === undefined ? event : mend(event, permitted);
}

function mendWith(permitted: PermittedDocument): OnResult {
  return ({ result, setResult }) => {
    if (Symbol.asyncIterator in result) {
      return { onNext: (next) => next.setResult(mend(next.result, permitted)) };
    }
    setResult(mend(result, permitted));
    return undefined;
  };
}
