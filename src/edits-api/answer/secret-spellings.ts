/** A shorter secret is only hidden as a separate word, because it may be part of other words. */
const MIN_LENGTH_INSIDE_WORDS = 8;

/** This much of a secret's base64 or hex identifies it; the rest may be cut off. */
const ENCODED_LENGTH = 16;

const STAR = '(?:[*•#]|%2[Aa]|\\\\u2022)';
const DOTS = '(?:\\.{2,}|…|\\\\u2026|%[Ee]2%80%[Aa]6)';
const START = '(?<![\\p{L}\\p{N}])';
const END = '(?![\\p{L}\\p{N}])';

/**
 * Patterns for the spellings of a secret of printable ASCII: raw, URL-encoded, escaped for JSON or
 * HTML, in hex or base64 of either alphabet (also after `Bearer ` or a user name), and shortened
 * with or without a mask, such as `my-se***ey`.
 */
export function spellingsOf(secret: string): readonly RegExp[] {
  const characters = Array.from(secret, spellingsOfCharacter);
  if (secret.length < MIN_LENGTH_INSIDE_WORDS) return [alone(secret, characters.join(''))];
  const rest = '(?:[\\w+/=-]|%[23][\\dA-Fa-f])*';
  const encoded = [...base64sIn(secret), hexOf(secret)].map((text) => text + rest);
  // Text before the secret in base64, such as `Bearer `.
  return [
    new RegExp(`[\\w+/-]{0,12}(?:${encoded.join('|')})`, 'gu'),
    new RegExp(characters.join(''), 'giu'),
    new RegExp(shortened(secret, characters).join('|'), 'giu'),
  ];
}

function alone(secret: string, spelled: string): RegExp {
  const encoded = [secret, `Bearer ${secret}`].map((text) =>
    literal(Buffer.from(text).toString('base64').replace(/=+$/, '')),
  );
  return new RegExp(
    `(?<![\\p{L}\\p{N}_-])(?:${[spelled, ...encoded].join('|')})(?![\\p{L}\\p{N}_-])`,
    'gu',
  );
}

function spellingsOfCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const hex = anyCase(code.toString(16).padStart(2, '0'));
  const entity = ENTITIES[character];
  const isPlain = /[A-Za-z0-9]/.test(character);
  return `(?:${[
    isPlain ? character : `\\\\{0,4}${literal(character)}`,
    `%(?:25){0,3}${hex}`,
    `\\\\{1,4}(?:u00|x)${hex}`,
    `&#(?:0{0,5}${code}|[xX]0{0,4}${hex});`,
    ...(entity === undefined ? [] : [entity]),
  ].join('|')})`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '+': '&plus;',
  '/': '&sol;',
  '=': '&equals;',
};

/** The beginning of the secret in base64, at each of its three possible offsets in a group. */
function base64sIn(secret: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    // Omits characters that also contain bits of other bytes.
    const base64 = bytes
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, Math.floor((bytes.length * 8) / 6));
    const spelled = Array.from(base64.slice(0, ENCODED_LENGTH), (character) => {
      if (character === '+') return '(?:[+-]|%2[Bb])';
      return character === '/' ? '(?:\\\\?[/_]|%2[Ff])' : character;
    });
    return spelled.join('');
  });
}

function hexOf(secret: string): string {
  return anyCase(Buffer.from(secret).toString('hex').slice(0, ENCODED_LENGTH));
}

/** Without a mask, or with dots that may end a sentence, the rest must not be a word. */
function shortened(secret: string, characters: readonly string[]): string[] {
  const head = (least: number) => START + headOf(characters, least);
  const tail = (least: number) => tailOf(characters, least) + END;
  const reversed = Array.from(secret).toReversed().join('');
  return [
    `${head(2)}(?:${STAR}{2,}|x{4,})(?:${tail(1)})?`,
    `${head(2)}${DOTS}${tail(2)}`,
    `(?:(?<!${STAR})${STAR}{3,}|(?<!x)x{4,})${tail(2)}`,
    `${head(lengthOfNoWord(secret, 4))}${DOTS}`,
    `(?<!\\.)${DOTS}${tail(lengthOfNoWord(reversed, 4))}`,
    head(lengthOfNoWord(secret, 8)),
    tail(lengthOfNoWord(reversed, 8)),
  ];
}

/** From `least` characters on if one is a digit; otherwise from half of the secret on. */
function lengthOfNoWord(secret: string, least: number): number {
  const digitAt = secret.search(/\d/);
  const half = Math.max(least, Math.ceil(secret.length / 2));
  return digitAt === -1 ? half : Math.min(half, Math.max(least, digitAt + 1));
}

/** The first characters, at least this many. */
function headOf(characters: readonly string[], least: number): string {
  const more = characters.slice(least);
  const optional = more.reduceRight((rest, character) => `(?:${character}${rest})?`, '');
  return characters.slice(0, least).join('') + optional;
}

/** The last characters, at least this many. */
function tailOf(characters: readonly string[], least: number): string {
  const more = characters.slice(0, -least);
  const optional = more.reduce((rest, character) => `(?:${rest}${character})?`, '');
  return optional + characters.slice(-least).join('');
}

function anyCase(hex: string): string {
  return hex.replaceAll(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

/** Escaped for a pattern. */
function literal(text: string): string {
  return text.replaceAll(
    /[^A-Za-z0-9]/g,
    (character) => `\\u{${character.charCodeAt(0).toString(16)}}`,
  );
}
