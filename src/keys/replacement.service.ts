import type { Product } from '../config-product';
import { InputError } from '../kernel/errors';
import type { Caller } from '../kernel/principal';
import type { ApiKey } from './api-key';
import {
  checkExpiry,
  checkLabels,
  checkScopes,
  describeExpiry,
  type Expiry,
} from './api-key-input';
import type { Succession, SuccessionInput, SuccessionService } from './succession.service';

/** Which key to replace, and what is to be different, as a client sends it. */
export interface ReplacementInput extends SuccessionInput {
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly scopes?: readonly string[] | null | undefined;
  readonly neverExpires?: boolean | null | undefined;
}

/** Replaces keys ("Edit"): new keys with changed settings, while the old ones go on working. */
export class ReplacementService {
  constructor(
    private readonly successions: SuccessionService,
    private readonly product: Pick<Product, 'keys' | 'catalogue'>,
  ) {}

  /**
   * Issues a successor with other settings; what is left out is taken over, the end as it stands:
   * correcting a name gives no longer life. The key itself works until someone revokes it.
   * @throws InputError naming the member of `input` at fault
   * @throws PolicyError with a rule of `IssuingService.issue`
   * @throws NotFoundError, ConflictError as `SuccessionService.succeed` does
   */
  async replace(caller: Caller, input: ReplacementInput): Promise<Succession> {
    const { name, description } = input;
    const expiry = wishedExpiry(input);
    const scopes = input.scopes == null ? null : checkScopes(input.scopes, this.product.catalogue);
    return this.successions.succeed(caller, input, {
      action: 'api_key.replaced',
      asked: [{ name, description }, scopes, describeExpiry(expiry)],
      plan: (_tx, { predecessor }) => ({
        labels: checkLabels({ name, description }, predecessor),
        scopes: scopes ?? predecessor.scopes,
        expiry: expiry ?? sameEnd(predecessor),
        retiresAt: null,
        isAdditional: true,
      }),
    });
  }
}

function sameEnd({ expiresAt }: ApiKey): Expiry {
  return expiresAt === null ? { never: true } : { at: expiresAt };
}

function wishedExpiry(input: ReplacementInput): Expiry {
  const given = checkExpiry(input);
  if (input.neverExpires !== true) return given;
  if (given === undefined) return { never: true };
  throw new InputError(
    'input.neverExpires',
    'Give input.neverExpires, input.expiresAt or input.expiresIn, not two of them.',
  );
}
