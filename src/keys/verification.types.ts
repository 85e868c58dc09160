import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { VerificationOutcome } from '../kernel/key-request';
import type { Environment } from '../kernel/principal';
import type { RequiredScopes } from '../kernel/scopes';
import type { ApiKey } from './api-key';
import { ApiKeyType, environments } from './api-key.types';

/** What a presented secret is worth, as GraphQL has it. */
export const verificationOutcomes = {
  VALID: 'VALID',
  MALFORMED: 'MALFORMED',
  UNKNOWN: 'UNKNOWN',
  EXPIRED: 'EXPIRED',
  REVOKED: 'REVOKED',
  INSUFFICIENT_SCOPE: 'INSUFFICIENT_SCOPE',
  WRONG_ENVIRONMENT: 'WRONG_ENVIRONMENT',
  ORGANIZATION_SUSPENDED: 'ORGANIZATION_SUSPENDED',
} as const satisfies { readonly [Outcome in VerificationOutcome]: Outcome };
registerEnumType(verificationOutcomes, {
  name: 'VerificationOutcome',
  description: 'What a presented secret is worth for what it was presented for.',
  valuesConfig: {
    VALID: { description: 'It is a key, alive, and it may do what was asked about.' },
    MALFORMED: { description: 'It has not the shape of a key; was it copied whole?' },
    UNKNOWN: { description: 'It is no key, or none that who asks may know of.' },
    EXPIRED: { description: 'Its key’s end has come.' },
    REVOKED: { description: 'Somebody ended its key, or the key retired after its rotation.' },
    INSUFFICIENT_SCOPE: { description: 'Its key is alive and lacks a scope.' },
    WRONG_ENVIRONMENT: { description: 'Its key is alive and meant for the other environment.' },
    ORGANIZATION_SUSPENDED: {
      description: 'Reserved, never answered yet: the organization of its key is suspended.',
    },
  },
});

/** A secret to be verified, and for what. */
@InputType('VerifyApiKeyInput', {
  description: 'A secret that was presented to your service, and what it was presented for.',
})
export class VerifyApiKeyInput {
  @Field({ description: 'What was presented, as it came. It is kept nowhere.' })
  readonly key: string;

  @Field(() => [[String]], {
    nullable: true,
    description:
      'What it must be able to do, as in @requiresScopes: any of the lists, all of its members. Left out or empty: nothing.',
  })
  readonly requiredScopes?: string[][] | null;

  @Field(() => environments, {
    nullable: true,
    description: 'The environment that it must be meant for. Left out: either.',
  })
  readonly environment?: Environment | null;

  @Field({
    description: 'Which service asks, for the usage record; 1 to 100 characters.',
  })
  readonly service: string;

  @Field(() => String, {
    nullable: true,
    description: 'What the client asked your service for, for the usage record.',
  })
  readonly operation?: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'The id of the client’s request, for the usage record; 1 to 200 characters. Left out: that of the request which asks.',
  })
  readonly requestId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The client’s IP address, for the usage record.',
  })
  readonly clientIp?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The client’s User-Agent, for the usage record.',
  })
  readonly userAgent?: string | null;
}

/** What a secret is worth, as GraphQL shows it. */
@ObjectType('ApiKeyVerification', {
  description: 'What a presented secret is worth at this moment.',
  simpleResolvers: true,
})
export class ApiKeyVerificationType {
  @Field({ description: 'Whether to let it in: the outcome is VALID.' })
  readonly valid: boolean;

  @Field(() => verificationOutcomes, { description: 'What it is worth, and if nothing, why.' })
  readonly outcome: VerificationOutcome;

  @Field(() => ApiKeyType, {
    nullable: true,
    description: 'Its key: there whenever the secret was right, valid or not.',
  })
  readonly apiKey: () => Promise<ApiKey | null>;

  @Field(() => [String], {
    description: 'What its key may do, full access expanded; empty unless the key is alive.',
  })
  readonly scopes: readonly string[];

  @Field(() => [[String]], {
    description: 'What each of the required lists lacks; empty when nothing does.',
  })
  readonly missingScopes: RequiredScopes;

  @Field({ description: 'Whether another key took its place: tell the client to move.' })
  readonly superseded: boolean;
}
