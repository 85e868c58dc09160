import type { AuditService } from '../audit/audit.service';
import type { Product } from '../config-product';
import { databaseNow, type Database, type Transaction } from '../database/database';
import { InputError } from '../kernel/errors';
import { newApiKeyId } from '../kernel/ids';
import type { Caller, Environment } from '../kernel/principal';
import type { KeyPolicyService } from '../organizations/key-policy.service';
import type { ApiKey, ApiKeyLabels } from './api-key';
import {
  checkExpiry,
  checkIdempotencyKey,
  checkLabels,
  checkScopes,
  describeExpiry,
  noLabels,
  type CreateInput,
  type Expiry,
} from './api-key-input';
import type { CallerGuard } from './caller-guard.service';
import type { IdempotencyService } from './idempotency.service';
import type { IssuingService } from './issuing.service';

/** A created key; the secret is null when an earlier request with the same idempotency key made it. */
export interface Creation {
  readonly apiKey: ApiKey;
  readonly secret: string | null;
}

interface Wish {
  readonly labels: ApiKeyLabels;
  readonly environment: Environment;
  readonly scopes: readonly string[];
  readonly expiry: Expiry;
  readonly idempotencyKey: string | undefined;
}

/** What creating keys needs of others. */
export interface CreationParts {
  readonly database: Database;
  readonly guard: CallerGuard;
  readonly policies: KeyPolicyService;
  readonly idempotency: IdempotencyService;
  readonly issuing: IssuingService;
  readonly audit: AuditService;
  readonly product: Pick<Product, 'keys' | 'catalogue'>;
}

/** Creates keys. */
export class CreationService {
  constructor(private readonly parts: CreationParts) {}

  /**
   * Creates a key, with its audit event, in one transaction. With an idempotency key
   * (organization-wide, 24 hours) it can be sent again safely, also to another replica.
   * @throws InputError naming the member of `input` at fault
   * @throws PolicyError with rule GRANT_SCOPES, GRANT_ENVIRONMENT, GRANT_EXPIRY,
   * REQUIRED_PLAN, EXPIRATION_REQUIRED, MAX_LIFETIME or MAX_ACTIVE_KEYS
   * @throws ConflictError when the idempotency key was used with another input
   */
  async create(caller: Caller, input: CreateInput): Promise<Creation> {
    return this.parts.database.transaction(async (tx) => this.createIn(tx, caller, input));
  }

  /** Creates a key as part of a larger change. */
  async createIn(tx: Transaction, caller: Caller, input: CreateInput): Promise<Creation> {
    const { guard, idempotency, policies, issuing, audit } = this.parts;
    const wish = this.#check(input);
    await guard.admit(tx, caller.principal);
    const now = await databaseNow(tx);
    const id = newApiKeyId();
    const { idempotencyKey, labels, environment, scopes, expiry } = wish;
    const asked = [labels, environment, scopes, describeExpiry(expiry)];
    const request = { idempotencyKey, asked, apiKeyId: id, at: now };
    const earlier = await idempotency.findEarlier(tx, caller, request);
    if (earlier !== undefined) return { apiKey: earlier, secret: null };
    const policy = await policies.forNewKey(tx, caller.principal, now);
    const order = { ...wish, id, predecessor: null, isAdditional: true, policy };
    const { apiKey, secret, event } = await issuing.issue(tx, caller, order, now);
    await audit.record(tx, caller, now, event);
    return { apiKey, secret };
  }

  #check(input: CreateInput): Wish {
    const { keys, catalogue } = this.parts.product;
    const environment = input.environment ?? 'LIVE';
    if (!keys.environments.includes(environment)) {
      throw new InputError(
        'input.environment',
        `input.environment must be ${keys.environments.join(' or ')} for this product.`,
      );
    }
    return {
      labels: checkLabels(input, noLabels),
      environment,
      scopes: checkScopes(input.scopes ?? this.#impliedScopes(), catalogue),
      expiry: checkExpiry(input),
      idempotencyKey: checkIdempotencyKey(input.idempotencyKey),
    };
  }

  #impliedScopes(): readonly string[] | undefined {
    const { keys, catalogue } = this.parts.product;
    if (keys.permissions !== 'full_access' || catalogue.fullAccess === undefined) return undefined;
    return [catalogue.fullAccess];
  }
}
