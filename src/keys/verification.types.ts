import { registerEnumType } from 'type-graphql';
import type { VerificationOutcome } from '../kernel/key-request';

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
