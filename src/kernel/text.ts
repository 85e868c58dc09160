import { InputError } from './errors';

// C0 and C1 control characters and DEL: unprintable, and NUL cannot be stored in PostgreSQL at all.
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/g;

/** How long a text may be, in Unicode characters (code points). */
export interface TextBounds {
  readonly min?: number;
  readonly max: number;
}

/**
 * Passes a text on unchanged, byte for byte: emoji, right-to-left text and markup are welcome.
 * @throws InputError naming `field` when it holds control characters or lone surrogates, or is
 * shorter or longer than its bounds
 */
export function checkText(text: string, field: string, { min = 0, max }: TextBounds): string {
  checkCharacters(text, field);
  // Every code point is one or two UTF-16 units, so a far too long text need not be counted.
  const length = text.length > 2 * max ? Infinity : Array.from(text).length;
  if (length < min) throw new InputError(field, `${field} must not be empty.`);
  if (length > max) throw new InputError(field, `${field} must be at most ${max} characters long.`);
  return text;
}

/**
 * Refuses what no text in Keyward may hold.
 * @throws InputError naming `field` on control characters (NUL among them) or lone surrogates
 */
export function checkCharacters(text: string, field: string): void {
  if (text.search(controlCharacter) !== -1) {
    throw new InputError(
      field,
      `${field} must not hold control characters, such as NUL or line breaks.`,
    );
  }
  if (!text.isWellFormed()) {
    throw new InputError(
      field,
      `${field} must be well-formed Unicode: it holds half a surrogate pair.`,
    );
  }
}

/** The text with a replacement character in the place of everything that `checkCharacters` refuses. */
export function withoutControls(text: string): string {
  return text.replaceAll(controlCharacter, '\ufffd').toWellFormed();
}
