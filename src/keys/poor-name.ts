// Words that stand in the names of any keys, alone or run together as in "newApiKey2".
const emptyWords =
  /^(?:api|keys?|tokens?|secrets?|credentials?|new|old|my|our|test(?:s|ing|er)?|temp|temporary|tmp|default|untitled|unnamed|noname|name|some|another|sample|example|demo|dummy|foo|bar|baz|asdf|qwerty|abc|xyz|copy|first|second|third|one|two|three|final)+$/;
const fillWords = new Set(['a', 'an', 'the', 'of', 'for', 'no', 'nr', 'number', 'key', 'v', 'x']);

/**
 * Whether a name fits any key, so that nobody can tell by it what to revoke: "Key 1", "Test",
 * "New Key", "API Key" and their like, in any case and spelling; also names without any letter.
 */
export function isPoorName(name: string): boolean {
  const words = name
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{M}]+/u)
    .filter((word) => word !== '');
  return words.every((word) => fillWords.has(word) || emptyWords.test(word));
}
