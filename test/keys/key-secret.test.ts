import fc from 'fast-check';
import { isWellFormedKey, mintKey, type KeyFormat } from '../../src/keys/key-secret';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const character = fc.constantFrom(...Array.from(alphabet));
const letter = fc.constantFrom(...Array.from(alphabet.slice(10)));

const format: fc.Arbitrary<KeyFormat> = fc.record({
  prefix: fc
    .tuple(letter, fc.array(character, { maxLength: 15 }))
    .map(([first, rest]) => first + rest.join('')),
  showEnvironment: fc.boolean(),
});
const environment = fc.constantFrom('LIVE' as const, 'TEST' as const);
const minted = fc.tuple(format, environment).map(([keys, where]) => mintKey(keys, where));

// CRC-32 as ISO 3309 and RFC 1952 define it, bit by bit.
function crc32(text: string): bigint {
  let crc = 0xffffffffn;
  for (const byte of Buffer.from(text)) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ 0xedb88320n : crc >> 1n;
  }
  return crc ^ 0xffffffffn;
}

function base62(value: bigint): string {
  return value === 0n ? '' : base62(value / 62n) + alphabet.charAt(Number(value % 62n));
}

test('the checksum of the test itself is the CRC-32 of the standard', () => {
  expect(crc32('123456789')).toBe(0xcbf43926n); // the check value that every description gives
});

test('every product’s keys are well formed: prefix, environment if shown, 33 random characters, checksum', () => {
  fc.assert(
    fc.property(format, environment, (keys, where) => {
      const { secret, prefix, redacted } = mintKey(keys, where);
      const start = keys.showEnvironment
        ? `${keys.prefix}_${where.toLowerCase()}_`
        : `${keys.prefix}_`;
      const random = secret.slice(start.length);
      expect(secret.startsWith(start)).toBe(true);
      expect(random).toMatch(/^[0-9A-Za-z]{39}$/);
      expect(secret.slice(-6)).toBe(base62(crc32(secret.slice(0, -6))).padStart(6, '0'));
      expect(prefix).toBe(start + random.slice(0, 6));
      expect(redacted).toBe(`${prefix}...${random.slice(-4)}`);
      expect(isWellFormedKey(secret)).toBe(true);
    }),
  );
});

test('a key with one character changed is refused', () => {
  fc.assert(
    fc.property(
      minted,
      fc.nat(),
      fc.oneof(character, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
      ({ secret }, place, other) => {
        const index = place % secret.length;
        fc.pre(secret.charAt(index) !== other);
        expect(isWellFormedKey(secret.slice(0, index) + other + secret.slice(index + 1))).toBe(
          false,
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test('a key with two characters swapped is refused', () => {
  fc.assert(
    fc.property(minted, fc.nat(), fc.nat(), ({ secret }, first, second) => {
      const characters = Array.from(secret);
      const [a, b] = [first % secret.length, second % secret.length];
      const [left = '', right = ''] = [characters[a], characters[b]];
      fc.pre(left !== right);
      characters[a] = right;
      characters[b] = left;
      expect(isWellFormedKey(characters.join(''))).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test('a key with something missing or added, anywhere, is refused', () => {
  fc.assert(
    fc.property(
      minted,
      fc.nat(),
      fc.integer({ min: 1, max: 70 }),
      character,
      ({ secret }, place, count, extra) => {
        const index = place % secret.length;
        expect(isWellFormedKey(secret.slice(0, index) + secret.slice(index + count))).toBe(false);
        expect(isWellFormedKey(secret.slice(0, index) + extra + secret.slice(index))).toBe(false);
        for (const padded of [
          `${secret} `,
          ` ${secret}`,
          `${secret}\n`,
          `${secret}\0`,
          secret + extra,
        ]) {
          expect(isWellFormedKey(padded)).toBe(false);
        }
      },
    ),
  );
});

test('any other text is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => !isWellFormedKey(text)),
  );
});

test('every character of the body is as likely as any other, in every place', () => {
  const bodies = Array.from({ length: 4000 }, () =>
    mintKey({ prefix: 'sk', showEnvironment: false }, 'LIVE').secret.slice(3, 36),
  );
  // Chi-square with 61 degrees of freedom is above 150 once in a billion. Random bytes modulo 62
  // would come to about 930 over all places.
  expect(chiSquare(bodies.join(''))).toBeLessThan(150);
  for (let place = 0; place < 33; place += 1) {
    expect(chiSquare(bodies.map((body) => body.charAt(place)).join(''))).toBeLessThan(150);
  }
});

function chiSquare(characters: string): number {
  const expected = characters.length / alphabet.length;
  const deviations = Array.from(alphabet).map(
    (each) => (characters.split(each).length - 1 - expected) ** 2 / expected,
  );
  return deviations.reduce((sum, each) => sum + each, 0);
}

test('no two keys are alike, nor what is shown of them', () => {
  const keys = Array.from({ length: 5000 }, () =>
    mintKey({ prefix: 'sk', showEnvironment: true }, 'LIVE'),
  );
  expect(new Set(keys.map(({ secret }) => secret)).size).toBe(keys.length);
  expect(new Set(keys.map(({ redacted }) => redacted)).size).toBe(keys.length);
});
