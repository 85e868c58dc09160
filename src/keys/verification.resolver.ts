import { Arg, Ctx, Directive, Mutation, Resolver } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { requireCaller } from '../kernel/principal';
import type { ApiKey } from './api-key';
import type { DelegatedVerificationService } from './delegated-verification.service';
import type { ListingService } from './listing.service';
import type { PresentedKey } from './presented-key';
import { ApiKeyVerificationType, VerifyApiKeyInput } from './verification.types';

/** Judges secrets that were presented to other services. */
@Resolver()
export class VerificationResolver {
  constructor(
    private readonly verifications: DelegatedVerificationService,
    private readonly listing: ListingService,
  ) {}

  @Directive('@requiresScopes(scopes: [["api_keys:verify"]])')
  @Mutation(() => ApiKeyVerificationType, {
    nullable: true,
    description:
      'Says whose key a secret is and whether it may do what it was presented for, now. Leaves a usage record of that key.',
  })
  async verifyApiKey(
    @Ctx() { caller, journal }: RequestContext,
    @Arg('input', { description: 'The secret, and what it was presented for.' })
    input: VerifyApiKeyInput,
  ): Promise<ApiKeyVerificationType> {
    const verifier = requireCaller(caller);
    const { judgement, record } = await this.verifications.verifyOne(verifier, input, 'input');
    journal.verifications.push(record);
    const { key, outcome, scopes, missingScopes, superseded } = judgement;
    return {
      valid: outcome === 'VALID',
      ...{ outcome, scopes, missingScopes, superseded },
      apiKey: this.#loadOnce(key),
    };
  }

  // By the key's own organization: that of a service key is another one.
  #loadOnce(key: PresentedKey | null): () => Promise<ApiKey | null> {
    let found: Promise<ApiKey | undefined> | undefined;
    return async () => {
      if (key === null) return null;
      found ??= this.listing.find(key);
      return (await found) ?? null;
    };
  }
}
