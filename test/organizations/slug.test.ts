import fc from 'fast-check';
import { slugOf } from '../../src/organizations/organization';

const named: readonly (readonly [name: string, slug: string])[] = [
  ['Acme Inc.', 'acme-inc'],
  ['  --Acme--  ', 'acme'],
  ['Société Générale', 'societe-generale'],
  ['株式会社 サンプル', '株式会社-サンフル'], // the mark that makes フ a プ is a mark
  ['🔑', ''],
];
test.each(named)('the slug of %j is %j', (name, slug) => {
  expect(slugOf(name)).toBe(slug);
});

test('any slug holds letters, digits and single hyphens between them, at most 63, and is its own slug', () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('-', ' ', '𐌰', 'a'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 200,
  });
  fc.assert(
    fc.property(text, (name) => {
      const slug = slugOf(name);
      expect(slug).toMatch(/^([\p{L}\p{N}]+(-[\p{L}\p{N}]+)*)?$/u);
      expect(slug.isWellFormed()).toBe(true);
      expect(Array.from(slug).length).toBeLessThanOrEqual(63);
      expect(slugOf(slug)).toBe(slug);
    }),
    { examples: [['𐌰'.repeat(80)], [`${'a'.repeat(62)} b`]] },
  );
});
