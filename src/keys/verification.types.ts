import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { VerificationOutcome } from '../kernel/key-request';
import type { Environment } from '../kernel/principal';
import type { RequiredScopes } from '../kernel/scopes';
import type { ApiKey } from './api-key';
import { ApiKeyType, environments } from './api-key.types';

/** What a presented secret turned out to be worth, as GraphQL has it. */
export const verificationOutcomes: { readonly [Name in VerificationOutcome]: Name } = {
  VALID: 'VALID',
  MALFORMED: 'MALFORMED',
  UNKNOWN: 'UNKNOWN',
  EXPIRED: 'EXPIRED',
  REVOKED: 'REVOKED',
  INSUFFICIENT_SCOPE: 'INSUFFICIENT_SCOPE',
  WRONG_ENVIRONMENT: 'WRONG_ENVIRONMENT',
  ORGANIZATION_SUSPENDED: 'ORGANIZATION_SUSPENDED',
};
registerEnumType(verificationOutcomes, {
  name: 'VerificationOutcome',
  description: 'What a presented secret turned out to be worth for what it was presented for.',
  valuesConfig: {
    VALID: { description: 'The key was let in.' },
    MALFORMED: { description: 'No key looks like that: it was cut or mistyped.' },
    UNKNOWN: { description: 'It is no key that whoever asked may know of.' },
    EXPIRED: { description: 'The key’s end had come.' },
    REVOKED: { description: 'The key had been revoked.' },
    INSUFFICIENT_SCOPE: { description: 'The key lacked a scope that was needed.' },
    WRONG_ENVIRONMENT: { description: 'The key is of the other environment.' },
    ORGANIZATION_SUSPENDED: { description: 'The key’s organization is suspended; reserved.' },
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
      'What it must be able to do, as federation’s requiresScopes has it: any of the lists, all of its members; 500 scopes at most. Left out or empty: nothing.',
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
