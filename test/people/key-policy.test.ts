import { readProduct } from '../../src/config-product';
import {
  checkTightening,
  effectivePolicy,
  productPolicy,
  type OwnPolicy,
} from '../../src/organizations/key-policy';
import { fixExpiry } from '../../src/keys/lifetime';
import { addDuration, parseDuration } from '../../src/kernel/duration';

const nothing: OwnPolicy = {
  managedBy: null,
  requiredPlan: null,
  maxLifetime: null,
  expirationRequired: null,
  defaultRotationGrace: null,
  maxActiveKeys: null,
};
const builtIn = readProduct(undefined);
const now = new Date('2026-02-01T00:00:00Z');

function product(keys: Partial<typeof builtIn.keys>, policy: Partial<typeof builtIn.policy> = {}) {
  return {
    ...builtIn,
    keys: { ...builtIn.keys, ...keys },
    policy: { ...builtIn.policy, ...policy },
  };
}

test('an organization that says nothing has the product’s policy', () => {
  const { defaultExpiresIn, ...policy } = effectivePolicy(builtIn, nothing, now);
  expect(policy).toEqual(productPolicy(builtIn));
  expect(defaultExpiresIn).toBeUndefined();
});

test('a product that is tightened later counts at once, whatever organizations said before', () => {
  const own = {
    ...nothing,
    managedBy: 'MEMBER',
    requiredPlan: 'gold',
    maxLifetime: 'P90D',
    expirationRequired: false,
    defaultRotationGrace: 'P7D',
    maxActiveKeys: 50,
  } as const;
  const tightened = product(
    { maxLifetime: 'P30D', expirationRequired: true, rotationGrace: 'PT12H', maxActiveKeys: 5 },
    { managedBy: 'ADMIN', requiredPlan: 'paid' },
  );
  expect(effectivePolicy(tightened, own, now)).toMatchObject(productPolicy(tightened));
});

test('calendar months count as they lie: no new key outlives the product’s limit or the organization’s', () => {
  const lifetimes = [
    'P1M',
    'P28D',
    'P29D',
    'P30D',
    'P31D',
    'P4W',
    'P1Y',
    'P365D',
    'P366D',
    'PT720H',
  ];
  for (let day = 0; day < 730; day += 29) {
    const at = new Date(Date.UTC(2027, 0, 1 + day));
    const end = (text: string): Date => addDuration(at, parseDuration(text, 'test'));
    for (const limit of lifetimes) {
      for (const maxLifetime of lifetimes) {
        const policy = effectivePolicy(
          product({ maxLifetime: limit }),
          { ...nothing, maxLifetime },
          at,
        );
        const latest = new Date(Math.min(end(limit).getTime(), end(maxLifetime).getTime()));
        expect(fixExpiry({ at: latest }, at, policy)).toEqual(latest);
        expect(() => fixExpiry({ at: new Date(latest.getTime() + 1) }, at, policy)).toThrow();
      }
    }
  }
});

test('a default lifetime is cut to the longest that is allowed', () => {
  const own = { ...nothing, maxLifetime: 'P30D' };
  const cut = effectivePolicy(product({ defaultExpiresIn: 'P90D' }), own, now);
  expect(cut.defaultExpiresIn).toBe('P30D');
  const kept = effectivePolicy(product({ defaultExpiresIn: 'P7D' }), own, now);
  expect(kept.defaultExpiresIn).toBe('P7D');
});

test('where the product sets no limit, an organization may set any', () => {
  const patch = {
    managedBy: 'ADMIN',
    requiredPlan: 'gold',
    maxLifetime: 'P1000Y',
    expirationRequired: true,
    defaultRotationGrace: 'P7D',
    maxActiveKeys: 1_000_000,
  } as const;
  expect(() => checkTightening(productPolicy(builtIn), patch, now)).not.toThrow();
});
