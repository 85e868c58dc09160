import type { AuditEntry } from '../audit/audit-event';
import type { AuditService } from '../audit/audit.service';
import { databaseNow, type Database, type Transaction } from '../database/database';
import { ConflictError } from '../kernel/errors';
import { newApiKeyId, parseApiKeyId, type ApiKeyId } from '../kernel/ids';
import type { Caller } from '../kernel/principal';
import type { EffectivePolicy } from '../organizations/key-policy';
import type { KeyPolicyService } from '../organizations/key-policy.service';
import type { ApiKey } from './api-key';
import { checkIdempotencyKey, type ExpiryInput } from './api-key-input';
import type { ApiKeyRepository } from './api-key.repository';
import type { CallerGuard } from './caller-guard.service';
import type { IdempotencyService } from './idempotency.service';
import type { IssuingService, KeyOrder } from './issuing.service';
import type { SuccessionRepository } from './succession.repository';
import { noSuchKey } from './update.service';

/** A key that takes the place of another. */
export interface Succession {
  readonly apiKey: ApiKey;
  /** The other, as it is afterwards. */
  readonly predecessor: ApiKey;
  /** null when an earlier request with the same idempotency key made the successor. */
  readonly secret: string | null;
}

/** What becomes of a key and of the one that takes its place. */
export interface SuccessionPlan extends Pick<
  KeyOrder,
  'labels' | 'scopes' | 'expiry' | 'isAdditional'
> {
  /** When the predecessor stops by itself; null: it does not. */
  readonly retiresAt: Date | null;
}

/** What a succession is decided by. */
export interface SuccessionMoment {
  /** A working key without a successor. */
  readonly predecessor: ApiKey;
  /** The instant, by the database's clock. */
  readonly now: Date;
  readonly policy: EffectivePolicy;
}

/** Which key gets a successor, as a client sends it. */
export interface SuccessionInput extends ExpiryInput {
  readonly id: string;
  readonly idempotencyKey?: string | null | undefined;
}

/** What kind of successor is asked for. */
export interface SuccessionRequest {
  readonly action: 'api_key.rotated' | 'api_key.replaced';
  /** Everything that was asked for beside the key, as JSON values. */
  readonly asked: readonly unknown[];
  /** Decides what becomes of the two keys. */
  readonly plan: (
    tx: Transaction,
    moment: SuccessionMoment,
  ) => SuccessionPlan | Promise<SuccessionPlan>;
}

/** What successions need of others. */
export interface SuccessionParts {
  readonly database: Database;
  readonly keys: ApiKeyRepository;
  readonly successions: SuccessionRepository;
  readonly guard: CallerGuard;
  readonly idempotency: IdempotencyService;
  readonly policies: KeyPolicyService;
  readonly issuing: IssuingService;
  readonly audit: AuditService;
}

/** Puts a new key in the place of another: what rotation and replacement have in common. */
export class SuccessionService {
  constructor(private readonly parts: SuccessionParts) {}

  /**
   * Issues the successor and settles the predecessor's end, with both audit events, in one
   * transaction that holds the predecessor's lock: of concurrent requests, also for its revocation,
   * one comes first and the others see what it did.
   * @throws InputError naming `input.idempotencyKey`
   * @throws NotFoundError when the caller's organization has no such key
   * @throws ConflictError when the key does not work, has a successor (`successorId` in the
   * details), or the idempotency key was used with another input
   * @throws what `request.plan` and `IssuingService.issue` throw
   */
  async succeed(
    caller: Caller,
    input: Pick<SuccessionInput, 'id' | 'idempotencyKey'>,
    request: SuccessionRequest,
  ): Promise<Succession> {
    const idempotencyKey = checkIdempotencyKey(input.idempotencyKey);
    const id = parseApiKeyId(input.id);
    if (id === undefined) throw noSuchKey();
    return this.parts.database.transaction(async (tx) =>
      this.#succeed(tx, caller, { ...request, id, idempotencyKey }),
    );
  }

  async #succeed(
    tx: Transaction,
    caller: Caller,
    { id, idempotencyKey, action, ...request }: CheckedRequest,
  ): Promise<Succession> {
    const { keys, successions, guard, idempotency, policies } = this.parts;
    const { organizationId } = caller.principal;
    await successions.lock(tx, organizationId, 'share');
    await guard.admit(tx, caller.principal, [id]);
    const predecessor = await keys.find(tx, organizationId, id);
    if (predecessor === undefined) throw noSuchKey();
    const now = await databaseNow(tx);
    const apiKeyId = newApiKeyId();
    const asked = [action, id, ...request.asked];
    const earlier = await idempotency.findEarlier(tx, caller, {
      ...{ idempotencyKey, asked, apiKeyId, at: now },
    });
    if (earlier !== undefined) return { apiKey: earlier, predecessor, secret: null };
    requireSucceedable(predecessor);
    const policy = await policies.forNewKey(tx, caller.principal, now);
    const plan = await request.plan(tx, { predecessor, now, policy });
    const order: SuccessorOrder = {
      ...plan,
      id: apiKeyId,
      environment: predecessor.environment,
      policy,
      predecessor,
    };
    return this.#carryOut(tx, caller, order, action, now);
  }

  async #carryOut(
    tx: Transaction,
    caller: Caller,
    order: SuccessorOrder,
    action: SuccessionRequest['action'],
    now: Date,
  ): Promise<Succession> {
    const { keys, successions, issuing, audit } = this.parts;
    const { organizationId, actor } = caller.principal;
    const { id, predecessor, retiresAt } = order;
    const { apiKey, secret, event } = await issuing.issue(tx, caller, order, now);
    const retirement = retiresAt === null ? undefined : { at: retiresAt, by: actor };
    await successions.setSuccessor(tx, predecessor, { id, at: now }, retirement);
    const superseded = await keys.find(tx, organizationId, predecessor.id);
    if (superseded === undefined) throw new Error('a locked key is gone');
    await audit.record(tx, caller, now, event, supersededEvent(action, superseded));
    return { apiKey, predecessor: superseded, secret };
  }
}

/** A request whose input has been checked. */
interface CheckedRequest extends SuccessionRequest {
  readonly id: ApiKeyId;
  readonly idempotencyKey: string | undefined;
}

/** A key to be issued in the place of another. */
interface SuccessorOrder extends KeyOrder, Pick<SuccessionPlan, 'retiresAt'> {
  readonly predecessor: ApiKey;
}

function requireSucceedable({ successor, status }: ApiKey): void {
  if (successor !== null) {
    throw new ConflictError(
      `This key has a successor already: ${successor.id}. Rotate or replace that one.`,
      { successorId: successor.id },
    );
  }
  if (status === 'ACTIVE') return;
  const ended = status === 'EXPIRED' ? 'has expired' : 'is revoked';
  throw new ConflictError(`This key ${ended}, so nothing can take its place. Create a new key.`, {
    status,
  });
}

function supersededEvent(
  action: SuccessionRequest['action'],
  { id, name, successor, retiresAt }: ApiKey,
): AuditEntry {
  return {
    action,
    targetType: 'ApiKey',
    targetId: id,
    targetName: name,
    changes: {
      successor: { from: null, to: successor?.id },
      ...(retiresAt !== null && { retiresAt: { from: null, to: retiresAt } }),
    },
  };
}
