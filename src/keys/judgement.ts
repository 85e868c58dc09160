import type { VerificationOutcome } from '../kernel/key-request';
import type { Environment } from '../kernel/principal';
import { missingScopes, type RequiredScopes, type ScopeCatalogue } from '../kernel/scopes';
import type { PresentedKey, Verdict } from './presented-key';

/** What a key must be for what it was presented for. */
export interface Demands {
  /** Any of the lists, all of its members; empty: nothing is required. */
  readonly requiredScopes: RequiredScopes;
  /** null: either will do. */
  readonly environment: Environment | null;
}

/** What a presented secret is worth for what it was presented for. */
export interface Judgement {
  readonly outcome: VerificationOutcome;
  /** There whenever the secret was right, valid or not. */
  readonly key: PresentedKey | null;
  /** What the key may do, full access expanded; empty unless it is alive. */
  readonly scopes: readonly string[];
  /** What each of the required lists lacks; empty when nothing does, or the key is not alive. */
  readonly missingScopes: RequiredScopes;
  /** Whether another key took its place: its holder should move. */
  readonly superseded: boolean;
}

/** Holds a verdict against what was demanded: that it is alive, its environment, its scopes. */
export function judge(verdict: Verdict, demands: Demands, catalogue: ScopeCatalogue): Judgement {
  const nothing = { scopes: [], missingScopes: [] };
  const { outcome } = verdict;
  if (!('key' in verdict)) return { outcome, key: null, ...nothing, superseded: false };
  const { key } = verdict;
  const superseded = key.successorId !== null;
  if (outcome !== 'VALID') return { outcome, key, ...nothing, superseded };
  const effective = catalogue.effective(key.scopes);
  const missing = missingScopes(effective, demands.requiredScopes);
  const { environment } = demands;
  return {
    outcome:
      environment !== null && environment !== key.environment
        ? 'WRONG_ENVIRONMENT'
        : missing.length > 0
          ? 'INSUFFICIENT_SCOPE'
          : 'VALID',
    ...{ key, superseded, scopes: [...effective], missingScopes: missing },
  };
}
