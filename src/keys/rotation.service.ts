import type { Product } from '../config-product';
import type { Transaction } from '../database/database';
import { addDuration, parseDuration, type IsoDuration } from '../kernel/duration';
import { InputError, PolicyError } from '../kernel/errors';
import type { Caller } from '../kernel/principal';
import type { ApiKey } from './api-key';
import { checkExpiry, checkLabels, describeExpiry, type Expiry } from './api-key-input';
import { lifetimeAgain } from './lifetime';
import type { SuccessionRepository } from './succession.repository';
import type {
  Succession,
  SuccessionInput,
  SuccessionMoment,
  SuccessionPlan,
  SuccessionService,
} from './succession.service';

/** Which key to rotate, and how, as a client sends it. */
export interface RotationInput extends SuccessionInput {
  /** ISO 8601; left out: the organization's. */
  readonly gracePeriod?: string | null | undefined;
  /** true: the key goes on working until someone revokes it. */
  readonly keepPredecessor?: boolean | null | undefined;
}

/** 'usual': the organization's; 'keep': no end. */
type Grace = IsoDuration | 'usual' | 'keep';

/** Rotates keys: new secrets for what old ones may do. */
export class RotationService {
  constructor(
    private readonly successions: SuccessionService,
    private readonly repository: SuccessionRepository,
    private readonly product: Pick<Product, 'keys'>,
  ) {}

  /**
   * Issues a successor with the same settings; the key itself stops when its grace ends or it
   * expires, whichever is first. Whoever asks gets a secret, so they must hold every scope of it.
   * @throws InputError naming the member of `input` at fault
   * @throws PolicyError with rule PREDECESSOR_IN_GRACE, or one of `IssuingService.issue`
   * @throws NotFoundError, ConflictError as `SuccessionService.succeed` does
   */
  async rotate(caller: Caller, input: RotationInput): Promise<Succession> {
    const { gracePeriod = null, keepPredecessor = null } = input;
    const grace = checkGrace(input);
    const expiry = checkExpiry(input);
    return this.successions.succeed(caller, input, {
      action: 'api_key.rotated',
      asked: [gracePeriod, keepPredecessor ?? false, describeExpiry(expiry)],
      plan: async (tx, moment) => this.#plan(tx, moment, grace, expiry),
    });
  }

  async #plan(
    tx: Transaction,
    { predecessor, now, policy }: SuccessionMoment,
    grace: Grace,
    expiry: Expiry,
  ): Promise<SuccessionPlan> {
    const usual = policy.defaultRotationGrace ?? this.product.keys.rotationGrace;
    const usualEnd = addDuration(now, parseDuration(usual, 'defaultRotationGrace'));
    const end = typeof grace === 'string' ? usualEnd : addDuration(now, grace);
    const retiresAt = grace === 'keep' ? null : earlier(end, predecessor);
    if (retiresAt === null || retiresAt > now) await this.#requireLoneKey(tx, predecessor);
    return {
      labels: checkLabels({}, predecessor),
      scopes: predecessor.scopes,
      expiry: expiry ?? lifetimeAgain(predecessor, now, policy),
      retiresAt,
      // Else a grace of centuries would be a way past the limit on active keys.
      isAdditional: retiresAt === null || retiresAt > usualEnd,
    };
  }

  // Else a rotation a day would keep a row of old secrets alive, whatever those in between did.
  async #requireLoneKey(tx: Transaction, key: ApiKey): Promise<void> {
    const before = await this.repository.findWorkingPredecessor(tx, key);
    if (before?.retiresAt == null) return;
    const { id: predecessorId, redacted } = before;
    const retiresAt = before.retiresAt.toISOString();
    throw new PolicyError(
      'PREDECESSOR_IN_GRACE',
      `This key’s own predecessor ${redacted} works until ${retiresAt}. Revoke it first, rotate with gracePeriod PT0S, or wait.`,
      { predecessorId, retiresAt },
    );
  }
}

function checkGrace({ gracePeriod, keepPredecessor }: RotationInput): Grace {
  if (keepPredecessor === true && gracePeriod != null) {
    throw new InputError(
      'input.keepPredecessor',
      'Give input.gracePeriod or input.keepPredecessor, not both.',
    );
  }
  if (keepPredecessor === true) return 'keep';
  return gracePeriod == null ? 'usual' : parseDuration(gracePeriod, 'input.gracePeriod');
}

function earlier(end: Date, { expiresAt }: ApiKey): Date {
  return expiresAt !== null && expiresAt < end ? expiresAt : end;
}
