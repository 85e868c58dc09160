import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { JsonObjectScalar } from '../graphql/scalars';
import { PageInfoType } from '../graphql/page.types';
import { ActorType } from '../audit/actor.types';
import type { Environment } from '../kernel/principal';
import type { ApiKey, ApiKeyStatus, Revocation, RevocationReason } from './api-key';

/** LIVE or TEST, as GraphQL has it. */
export const environments = { LIVE: 'LIVE', TEST: 'TEST' } as const;
registerEnumType(environments, {
  name: 'Environment',
  description: 'Where a key is meant to be used.',
  valuesConfig: {
    LIVE: { description: 'Production.' },
    TEST: { description: 'Sandbox; a TEST key can create only TEST keys.' },
  },
});

/** What a key is worth, as GraphQL has it. */
export const statuses = { ACTIVE: 'ACTIVE', EXPIRED: 'EXPIRED', REVOKED: 'REVOKED' } as const;
registerEnumType(statuses, {
  name: 'ApiKeyStatus',
  description: 'What a key is worth at this moment.',
  valuesConfig: {
    ACTIVE: { description: 'It works.' },
    EXPIRED: { description: 'Its end has come; it no longer works.' },
    REVOKED: { description: 'Somebody ended it; it will never work again.' },
  },
});

/** Why a key was revoked, as GraphQL has it. */
export const revocationReasons = {
  COMPROMISED: 'COMPROMISED',
  REPLACED: 'REPLACED',
  UNUSED: 'UNUSED',
  EMPLOYEE_DEPARTURE: 'EMPLOYEE_DEPARTURE',
  PROJECT_ENDED: 'PROJECT_ENDED',
  OTHER: 'OTHER',
} as const;
registerEnumType(revocationReasons, {
  name: 'RevocationReason',
  description: 'Why a key was revoked.',
  valuesConfig: {
    COMPROMISED: { description: 'Somebody else may know the secret.' },
    REPLACED: { description: 'Another key took its place.' },
    UNUSED: { description: 'Nobody uses it.' },
    EMPLOYEE_DEPARTURE: { description: 'Someone who knew it has left.' },
    PROJECT_ENDED: { description: 'What it was for has ended.' },
    OTHER: { description: 'None of these; the note may say more.' },
  },
});

/** That a key was revoked, as GraphQL shows it. */
@ObjectType('Revocation', { description: 'That a key was revoked.', simpleResolvers: true })
export class RevocationType {
  @Field(() => Date, { description: 'When.' })
  readonly at: Date;

  @Field(() => ActorType, { description: 'By whom.' })
  readonly by: ActorType;

  @Field(() => revocationReasons, { description: 'Why.' })
  readonly reason: RevocationReason;

  @Field(() => String, { nullable: true, description: 'What was noted about it.' })
  readonly note: Revocation['note'];
}

/** A key, as GraphQL shows it: its fields come from the model, `ApiKey`. */
@Directive('@key(fields: "id")')
@ObjectType('ApiKey', {
  description: 'An API key. Its secret was shown once, when it was created, and is kept nowhere.',
  simpleResolvers: true,
})
export class ApiKeyType {
  @Field(() => ID, { description: 'Identifies the key in every subgraph; never its secret.' })
  readonly id: string;

  @Field({ description: 'What people call it.' })
  readonly name: string;

  @Field(() => String, { nullable: true, description: 'What it is used for.' })
  readonly description: string | null;

  @Field(() => environments, { description: 'Where it is meant to be used.' })
  readonly environment: Environment;

  @Field({ description: 'How it begins, such as sk_live_abc123.' })
  readonly prefix: string;

  @Field({ description: 'How it begins and ends, such as sk_live_abc123...GHIJ.' })
  readonly redacted: string;

  @Field(() => [String], { description: 'What was granted to it; full access is not expanded.' })
  readonly scopes: readonly string[];

  @Field(() => statuses, { description: 'What it is worth at this moment.' })
  readonly status: ApiKeyStatus;

  @Field(() => Date, { description: 'When it was created.' })
  readonly createdAt: Date;

  @Field(() => Date, {
    nullable: true,
    description: 'From this instant on it does not work; null: it does not expire.',
  })
  readonly expiresAt: Date | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When a request was last let in with it; null when never.',
  })
  readonly lastUsedAt: Date | null;

  @Field(() => String, { nullable: true, description: 'The owner or system it is assigned to.' })
  readonly owner: string | null;

  @Field(() => String, { nullable: true, description: 'The application that uses it.' })
  readonly application: string | null;

  @Field(() => String, { nullable: true, description: 'Where it is deployed.' })
  readonly usageLocation: string | null;

  @Field(() => [String], { description: 'Labels to find it by.' })
  readonly tags: readonly string[];

  @Field(() => JsonObjectScalar, { description: 'Anything else that was noted on it.' })
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An edge of a list of keys. */
@ObjectType('ApiKeyEdge', { description: 'A key and its place in a list.', simpleResolvers: true })
export class ApiKeyEdgeType {
  @Field({ description: 'The place, for after and before.' })
  readonly cursor: string;

  @Field(() => ApiKeyType, { description: 'The key.' })
  readonly node: ApiKey;
}

/** A page of keys. */
@ObjectType('ApiKeyConnection', {
  description: 'A page of keys (GraphQL Cursor Connections Specification).',
  simpleResolvers: true,
})
export class ApiKeyConnectionType {
  @Field(() => [ApiKeyEdgeType], { description: 'The keys with their places.' })
  readonly edges: readonly ApiKeyEdgeType[];

  @Field(() => [ApiKeyType], { description: 'The keys.' })
  readonly nodes: readonly ApiKey[];

  @Field(() => PageInfoType, { description: 'Where the page lies.' })
  readonly pageInfo: PageInfoType;

  @Field(() => Int, {
    description: 'How many keys the whole list has; counted only when asked, and up to 100,000.',
  })
  readonly totalCount: () => Promise<number>;
}
