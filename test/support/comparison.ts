import { randomBytes } from 'node:crypto';
import { execute, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { newJournal } from '../../src/graphql/context';
import { FieldRefusedError } from '../../src/kernel/errors';
import type { Principal } from '../../src/kernel/principal';
import { Chance, randomRequest, type RandomRequest, type Subject } from './random-documents';
import type { ReferenceCaller, ReferenceEvaluator } from './reference-evaluator';

/**
 * What everything random is made of. Printed, and taken from the environment: a difference that was
 * found can be found again.
 */
export const seed = Number(process.env.KEYWARD_TEST_SEED ?? randomBytes(4).readUInt32LE());
process.stdout.write(`random documents: KEYWARD_TEST_SEED=${seed}\n`);

/** A caller, for both sides of the comparison. */
export interface TestCaller extends ReferenceCaller {
  readonly secret: string | null;
  readonly principal: Principal;
}

/** What became of a request: its data, and what was refused of it. */
interface Refusals {
  readonly data: unknown;
  readonly refused: { readonly path: (string | number)[]; readonly reason: unknown }[];
}

/** Sends a request as a caller. */
export type Ask = (request: RandomRequest, caller: TestCaller) => Promise<Refusals>;

/** Executes on a schema in this process, with the caller's real principal. */
export function inProcess(on: GraphQLSchema): Ask {
  return async ({ document, variables }, { principal }) => {
    const journal = newJournal();
    const contextValue = { caller: { principal, requestId: 'random', ip: null }, journal };
    const result: ExecutionResult = await execute({
      ...{ schema: on, document, variableValues: variables, contextValue },
    });
    const refused = (result.errors ?? []).flatMap(({ path = [], originalError }) =>
      originalError instanceof FieldRefusedError
        ? [{ path: [...path], reason: originalError.reason }]
        : [],
    );
    return { data: result.data, refused };
  };
}

/**
 * Sends random documents of random callers and returns every difference, up to ten.
 * @param from how many documents of the seed were sent before
 */
export async function compare(
  count: number,
  ask: Ask,
  about: Subject,
  by: ReferenceEvaluator,
  who: readonly TestCaller[],
  from = 0,
): Promise<{ differences: string[]; refusals: number }> {
  const differences: string[] = [];
  let refusals = 0;
  let sent = from;
  const sendSome = async (): Promise<void> => {
    while (sent < from + count && differences.length < 10) {
      sent += 1;
      const chance = new Chance(seed + sent * 0x9e37_79b1); // its own, whatever is in flight beside
      const request = randomRequest(about, chance);
      const [nobody, ...known] = who;
      const caller = chance.happens(0.1) && nobody ? nobody : chance.one(known);
      const { document, variables, text } = request;
      const answer = await ask(request, caller);
      refusals += answer.refused.length;
      const scopes = caller.scopes === null ? 'nobody' : [...caller.scopes].join(' ');
      for (const each of by.differences({ document, variables, caller, ...answer })) {
        differences.push(`${each}\n  by ${scopes}: ${text} ${JSON.stringify(variables)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, sendSome));
  return { differences, refusals };
}
