import type { AuditService } from '../audit/audit.service';
import type { Product } from '../config-product';
import { databaseNow, type Database, type Transaction } from '../database/database';
import { ConflictError, InputError, PolicyError } from '../kernel/errors';
import { newApiKeyId, type ApiKeyId } from '../kernel/ids';
import type { Caller, Environment } from '../kernel/principal';
import { checkText } from '../kernel/text';
import type { KeyPolicyService } from '../organizations/key-policy.service';
import type { ApiKey, ApiKeyLabels, NewApiKey } from './api-key';
import {
  checkExpiry,
  checkLabels,
  checkScopes,
  limits,
  noLabels,
  type CreateInput,
  type Expiry,
} from './api-key-input';
import type { ApiKeyRepository } from './api-key.repository';
import type { CallerGuard } from './caller-guard.service';
import { fingerprintOf } from './fingerprint';
import { requireGrantable } from './grant';
import type { IdempotencyRepository } from './idempotency.repository';
import type { KeyDigester } from './key-digest';
import { mintKey } from './key-secret';
import { fixExpiry } from './lifetime';

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
  readonly keys: ApiKeyRepository;
  readonly idempotency: IdempotencyRepository;
  readonly guard: CallerGuard;
  readonly digester: KeyDigester;
  readonly policies: KeyPolicyService;
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
    const wish = this.#check(input);
    await this.parts.guard.admit(tx, caller.principal);
    const now = await databaseNow(tx);
    const id = newApiKeyId();
    const earlier = await this.#findEarlier(tx, caller, wish, id, now);
    if (earlier !== undefined) return { apiKey: earlier, secret: null };
    return this.#issue(tx, caller, wish, id, now);
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
      idempotencyKey:
        input.idempotencyKey == null
          ? undefined
          : checkText(input.idempotencyKey, 'input.idempotencyKey', {
              min: 1,
              max: limits.idempotencyKey,
            }),
    };
  }

  #impliedScopes(): readonly string[] | undefined {
    const { keys, catalogue } = this.parts.product;
    if (keys.permissions !== 'full_access' || catalogue.fullAccess === undefined) return undefined;
    return [catalogue.fullAccess];
  }

  async #findEarlier(
    tx: Transaction,
    { principal: { organizationId } }: Caller,
    wish: Wish,
    apiKeyId: ApiKeyId,
    at: Date,
  ): Promise<ApiKey | undefined> {
    const { idempotencyKey } = wish;
    if (idempotencyKey === undefined) return undefined;
    const request = {
      organizationId,
      idempotencyKey,
      fingerprint: fingerprintOfWish(wish),
      apiKeyId,
      at,
    };
    const earlier = await this.parts.idempotency.claim(tx, request);
    if (earlier === undefined) return undefined;
    if (!earlier.sameInput) {
      throw new ConflictError(
        'This idempotencyKey was used with another input in the last 24 hours. Use a new one.',
        { field: 'input.idempotencyKey' },
      );
    }
    return this.parts.keys.find(tx, organizationId, earlier.apiKeyId);
  }

  async #issue(
    tx: Transaction,
    caller: Caller,
    wish: Wish,
    id: ApiKeyId,
    now: Date,
  ): Promise<Creation> {
    const { keys, digester, audit, product } = this.parts;
    const { organizationId, actor } = caller.principal;
    const { labels, environment, scopes } = wish;
    const policy = await this.parts.policies.forNewKey(tx, caller.principal, now);
    const expiresAt = fixExpiry(wish.expiry, now, policy);
    requireGrantable(caller.principal, { scopes, environment, expiresAt });
    await this.#requireRoom(tx, caller, policy.maxActiveKeys);
    const { secret, prefix, redacted } = mintKey(product.keys, environment);
    const key: NewApiKey = {
      ...labels,
      ...{ id, organizationId, environment, prefix, redacted, scopes, expiresAt },
      ...{ createdAt: now, createdBy: actor },
    };
    await keys.add(tx, key, digester.current(secret));
    await audit.record(tx, caller, now, {
      action: 'api_key.created',
      targetType: 'ApiKey',
      targetId: id,
      targetName: key.name,
      changes: createdChanges(key),
    });
    return { apiKey: { ...key, status: 'ACTIVE', lastUsedAt: null, revocation: null }, secret };
  }

  async #requireRoom(tx: Transaction, { principal }: Caller, max: number | null): Promise<void> {
    if (max === null) return;
    if ((await this.parts.keys.countActive(tx, principal.organizationId, max)) < max) return;
    throw new PolicyError(
      'MAX_ACTIVE_KEYS',
      `The organization has ${max} active keys, which is all it may have. Revoke one first.`,
    );
  }
}

function fingerprintOfWish({ labels, environment, scopes, expiry }: Wish): Buffer {
  const end = expiry && ('at' in expiry ? expiry.at.toISOString() : expiry.in.text);
  return fingerprintOf([labels, environment, scopes, end ?? null]);
}

function createdChanges({ redacted, environment, scopes, expiresAt, ...key }: NewApiKey) {
  const { name, description, owner, application, usageLocation, tags, metadata } = key;
  const set = {
    ...{ name, redacted, environment, scopes, expiresAt },
    ...{ description, owner, application, usageLocation },
    ...{ tags: tags.length > 0 ? tags : null },
    ...{ metadata: Object.keys(metadata).length > 0 ? metadata : null },
  };
  return Object.fromEntries(
    Object.entries(set)
      .filter(([, to]) => to !== null)
      .map(([field, to]) => [field, { from: null, to }]),
  );
}
