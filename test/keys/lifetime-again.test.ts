import fc from 'fast-check';
import { fixExpiry, lifetimeAgain } from '../../src/keys/lifetime';

const instants = fc.date({
  min: new Date('2024-01-01T00:00:00Z'),
  max: new Date('2060-01-01T00:00:00Z'),
  noInvalidDate: true,
});

test('a key that lasts as long as is allowed can always be rotated, whatever the month', () => {
  const longest = fc.constantFrom('P1M', 'P3M', 'P1Y', 'P90D', 'PT12H');
  fc.assert(
    fc.property(instants, instants, longest, (createdAt, now, maxLifetime) => {
      const policy = { maxLifetime, defaultExpiresIn: maxLifetime, expirationRequired: true };
      const expiresAt = fixExpiry(undefined, createdAt, policy);
      const again = fixExpiry(lifetimeAgain({ createdAt, expiresAt }, now, policy), now, policy);
      expect(again).toEqual(fixExpiry(undefined, now, policy));
    }),
  );
});

test('without such a limit the lifetime is the same to the millisecond', () => {
  fc.assert(
    fc.property(instants, instants, fc.integer({ min: 1, max: 1e12 }), (createdAt, now, lasts) => {
      const expiresAt = new Date(createdAt.getTime() + lasts);
      const policy = { expirationRequired: false };
      const again = fixExpiry(lifetimeAgain({ createdAt, expiresAt }, now, policy), now, policy);
      expect(again?.getTime()).toBe(now.getTime() + lasts);
    }),
  );
});

test('what never ended never ends, and what would end after the year 9999 ends with it', () => {
  const policy = { expirationRequired: false };
  const now = new Date('2026-01-01T00:00:00Z');
  const forever = lifetimeAgain({ createdAt: now, expiresAt: null }, now, policy);
  expect(fixExpiry(forever, now, { ...policy, defaultExpiresIn: 'P1D' })).toBeNull();
  const expiresAt = new Date('9999-12-31T00:00:00Z');
  const late = new Date('3000-01-01T00:00:00Z');
  const again = fixExpiry(lifetimeAgain({ createdAt: now, expiresAt }, late, policy), late, policy);
  expect(again?.toISOString()).toBe('9999-12-31T23:59:59.999Z');
});
