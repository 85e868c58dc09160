import type { Product } from '../config-product';
import { InputError } from '../kernel/errors';
import type { Caller } from '../kernel/principal';
import {
  checkExpiry,
  checkIdempotencyKey,
  checkLabels,
  checkScopes,
  describeExpiry,
  type Expiry,
  type ExpiryInput,
} from './api-key-input';
import { lifetimeAgain } from './lifetime';
import type {
  Succession,
  SuccessionMoment,
  SuccessionPlan,
  SuccessionService,
} from './succession.service';

/** Which key to replace, and what is to be different, as a client sends it. */
export interface ReplacementInput extends ExpiryInput {
  readonly id: string;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly scopes?: readonly string[] | null | undefined;
  readonly neverExpires?: boolean | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

interface Wish {
  readonly labels: Pick<ReplacementInput, 'name' | 'description'>;
  /** undefined: those of the predecessor. */
  readonly scopes: readonly string[] | undefined;
  /** undefined: the predecessor's lifetime again. */
  readonly expiry: Expiry;
}

/** Replaces keys ("Edit"): new keys with changed settings, while the old ones go on working. */
export class ReplacementService {
  constructor(
    private readonly successions: SuccessionService,
    private readonly product: Pick<Product, 'keys' | 'catalogue'>,
  ) {}

  /**
   * Issues a successor with other settings; what is left out is taken over. The key itself works
   * until someone revokes it.
   * @throws InputError naming the member of `input` at fault
   * @throws PolicyError with a rule of `IssuingService.issue`
   * @throws NotFoundError, ConflictError as `SuccessionService.succeed` does
   */
  async replace(caller: Caller, input: ReplacementInput): Promise<Succession> {
    const wish = this.#check(input);
    const { labels, scopes = null, expiry } = wish;
    return this.successions.succeed(caller, {
      id: input.id,
      action: 'api_key.replaced',
      idempotencyKey: checkIdempotencyKey(input.idempotencyKey),
      asked: [labels, scopes, describeExpiry(expiry)],
      plan: async (_tx, moment) => Promise.resolve(this.#plan(moment, wish)),
    });
  }

  #check(input: ReplacementInput): Wish {
    const { name, description, scopes } = input;
    const given = checkExpiry(input);
    if (input.neverExpires === true && given !== undefined) {
      throw new InputError(
        'input.neverExpires',
        'Give input.neverExpires, input.expiresAt or input.expiresIn, not two of them.',
      );
    }
    return {
      labels: { name, description },
      scopes: scopes == null ? undefined : checkScopes(scopes, this.product.catalogue),
      expiry: input.neverExpires === true ? { never: true } : given,
    };
  }

  #plan(
    { predecessor, now, policy }: SuccessionMoment,
    { labels, scopes, expiry }: Wish,
  ): SuccessionPlan {
    return {
      labels: checkLabels(labels, predecessor),
      scopes: scopes ?? predecessor.scopes,
      expiry: expiry ?? lifetimeAgain(predecessor, now, policy),
      retiresAt: null,
      isAdditional: true,
    };
  }
}
