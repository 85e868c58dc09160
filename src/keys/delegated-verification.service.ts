import type { Clock } from '../kernel/clock';
import type { OrganizationId } from '../kernel/ids';
import type { KeyRequest } from '../kernel/key-request';
import type { Caller } from '../kernel/principal';
import type { ScopeCatalogue } from '../kernel/scopes';
import { judge, type Judgement } from './judgement';
import type { ServiceKeyService } from './service-key.service';
import {
  checkVerificationRequest,
  type CheckedVerificationRequest,
  type VerificationRequest,
} from './verification-request';
import type { VerificationService } from './verification.service';

/** A judgement, and the record that must be durable before anybody reads it. */
export interface DelegatedVerification {
  readonly judgement: Judgement;
  readonly record: KeyRequest;
}

/** What verifying for others needs of others. */
export interface DelegatedVerificationParts {
  readonly verification: VerificationService;
  readonly serviceKeys: ServiceKeyService;
  readonly catalogue: ScopeCatalogue;
  readonly clock: Clock;
}

/** Judges secrets that were presented to other services. */
export class DelegatedVerificationService {
  constructor(private readonly parts: DelegatedVerificationParts) {}

  /**
   * Judges all, or refuses all; their look-ups share queries. Keys of organizations whose keys the
   * verifier may not know of are to it, in every respect, keys that do not exist.
   * @param verifier who asks, known to hold `api_keys:verify`
   * @param path where the request of an index stands, such as `verifications.3`, to be named in errors
   * @returns what became of each, in their order
   * @throws InputError naming the member at fault, before anything is looked up
   * @throws UnavailableError when the database cannot be asked, or the organization of a key cannot
   * be told that a service verifies its keys
   */
  async verify(
    verifier: Caller,
    requests: readonly VerificationRequest[],
    path: (index: number) => string,
  ): Promise<readonly DelegatedVerification[]> {
    const { catalogue, serviceKeys } = this.parts;
    const checked = requests.map((request, index) =>
      checkVerificationRequest(request, path(index), catalogue),
    );
    const service = await serviceKeys.serviceOf(verifier.principal);
    const judged = await Promise.all(
      checked.map(async (request) => this.#verify(verifier, request, service !== undefined)),
    );
    if (service !== undefined) {
      await serviceKeys.admit(verifier, service, new Set(judged.flatMap(organizationOf)));
    }
    return judged;
  }

  /** Judges one secret as `verify` judges many. */
  async verifyOne(
    verifier: Caller,
    request: VerificationRequest,
    path: string,
  ): Promise<DelegatedVerification> {
    const [one] = await this.verify(verifier, [request], () => path);
    if (one === undefined) throw new Error('a verification came to nothing');
    return one;
  }

  async #verify(
    { principal, requestId }: Caller,
    request: CheckedVerificationRequest,
    everywhere: boolean,
  ): Promise<DelegatedVerification> {
    const { verification, catalogue, clock } = this.parts;
    const { organizationId } = principal;
    const startedAtMs = clock.monotonicMs();
    const verdict = await verification.verify(
      request.key,
      (key) => everywhere || key.organizationId === organizationId,
    );
    const judgement = judge(verdict, request, catalogue);
    const { key, outcome } = judgement;
    return {
      judgement,
      record: {
        organizationId: key?.organizationId ?? organizationId,
        apiKeyId: key?.id ?? null,
        requestId: request.requestId ?? requestId,
        at: key?.checkedAt ?? clock.now(),
        service: request.service,
        operation: request.operation,
        outcome,
        ip: request.clientIp,
        userAgent: request.userAgent,
        durationMs: Math.round(clock.monotonicMs() - startedAtMs),
      },
    };
  }
}

function organizationOf({ judgement: { key } }: DelegatedVerification): readonly OrganizationId[] {
  return key === null ? [] : [key.organizationId];
}
