import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { adviceDays, type KeyAdviceCode } from './advice';

const adviceCodes: { readonly [Code in KeyAdviceCode]: Code } = {
  POOR_NAME: 'POOR_NAME',
  NO_EXPIRATION: 'NO_EXPIRATION',
  LONG_LIFETIME: 'LONG_LIFETIME',
  FULL_ACCESS: 'FULL_ACCESS',
  UNUSED: 'UNUSED',
  ROTATION_DUE: 'ROTATION_DUE',
  EXPIRES_SOON: 'EXPIRES_SOON',
  EXPIRED_NOT_REVOKED: 'EXPIRED_NOT_REVOKED',
  PREDECESSOR_STILL_USED: 'PREDECESSOR_STILL_USED',
};
registerEnumType(adviceCodes, {
  name: 'KeyAdviceCode',
  description: 'Each practice that a key can fall short of.',
  valuesConfig: {
    POOR_NAME: { description: 'Its name does not say what it is for.' },
    NO_EXPIRATION: { description: 'It never expires.' },
    LONG_LIFETIME: { description: `It lasts longer than ${adviceDays.longLifetime} days.` },
    FULL_ACCESS: { description: 'It can do everything, where keys can be made to do less.' },
    UNUSED: { description: `It has not been used for ${adviceDays.unused} days.` },
    ROTATION_DUE: {
      description: `It is older than ${adviceDays.rotation} days and was not rotated.`,
    },
    EXPIRES_SOON: { description: `It expires within ${adviceDays.expiry} days.` },
    EXPIRED_NOT_REVOKED: { description: 'It has expired, and nobody has revoked it.' },
    PREDECESSOR_STILL_USED: {
      description: 'The key whose place it took works and was used since.',
    },
  },
});

/** What a best practice says about a key, as GraphQL shows it. */
@ObjectType('KeyAdvice', {
  description: 'What a best practice says about a key.',
  simpleResolvers: true,
})
export class KeyAdviceType {
  @Field(() => adviceCodes, { description: 'Which practice.' })
  readonly code: KeyAdviceCode;

  @Field({ description: 'What is the matter and what to do about it.' })
  readonly message: string;
}
