import { mintKey } from '../../src/keys/key-secret';
import { echoable, redactKeys } from '../../src/kernel/redaction';

const formats = [
  { prefix: 'sk', showEnvironment: true },
  { prefix: 'sk', showEnvironment: false },
  { prefix: 'Company1234567890'.slice(0, 16), showEnvironment: true },
];
const keys = formats.flatMap((format) =>
  (['LIVE', 'TEST'] as const).map((environment) => mintKey(format, environment).secret),
);
/** Whether any eight characters in a row of the key's random part are left. */
const leaks = (text: string, key: string) => {
  const body = key.slice(key.lastIndexOf('_') + 1);
  return Array.from({ length: body.length - 7 }, (_, at) => body.slice(at, at + 8)).some((part) =>
    text.includes(part),
  );
};

test.each(['', ' ', '"', '=', '_', 'x', '-', '.'])(
  'a key is taken out of a text, with %j before and behind it',
  (beside) => {
    for (const key of keys) {
      expect(leaks(redactKeys(`before ${beside}${key}${beside} behind`), key)).toBe(false);
    }
  },
);

test('a text without keys is left as it is', () => {
  const text = 'Variable "$input" got invalid value { api_keys: 1 } at sk_live_abc123...GHIJ';
  expect(redactKeys(text)).toBe(text);
  expect(echoable(text)).toBe(text);
});

test('a text that repeats a client is short, and has no part of a key wherever it was cut', () => {
  const [key = ''] = keys;
  for (let at = 0; at < 1500; at += 1) {
    const text = `${'x '.repeat(at / 2)}${key}${' x'.repeat((1500 - at) / 2)}`;
    const echoed = echoable(text);
    expect(echoed.length).toBeLessThanOrEqual(520);
    expect(leaks(echoed, key)).toBe(false);
  }
});
