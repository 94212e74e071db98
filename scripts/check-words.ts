/**
 * Finds phrases that docs/glossary.md has a plainer word for, in everything that users read: the
 * schema, errors, logs, settings, docs and examples, and in the comments of `src/`.
 */
import { globSync, readFileSync } from 'node:fs';

const EVERYWHERE = [
  'schema.graphql',
  'schema.subgraph.graphql',
  '*.md',
  '*.yaml',
  '.env.example',
  'Dockerfile',
  '.ci/run',
  'deploy/**/*.{yaml,env,conf,service}',
  'deploy/caddy/*',
  'docs/**/*.md',
  'examples/**/*.{ts,tsx,js,html,css,md,yaml,graphql}',
  'prisma/schema.prisma',
  'scripts/**/*.{ts,js}',
  'bench/**/*.ts',
  'src/**/*.{ts,tsx,html,css}',
];
const FOR_READERS = ['schema.graphql', 'schema.subgraph.graphql', '*.md', 'docs/**/*.md'];

/** Regular expressions; a space also matches a line break, within a comment too. */
interface Phrase {
  pattern: string;
  say: string;
  /** @default EVERYWHERE */
  files?: readonly string[];
  /** Pages on which it is another field's own word. */
  except?: readonly string[];
}

const PHRASES: readonly Phrase[] = [
  { pattern: 'pictures?', say: 'image' },
  { pattern: '\\blabels?\\b', say: 'metadata', files: FOR_READERS, except: ['docs/metrics.md'] },
  { pattern: '\\bon the way\\b', say: 'partial image, or running' },
  { pattern: '\\b(the|those) (living|dead)\\b', say: 'running processes, or ended ones' },
  { pattern: '\\bsince ever\\b', say: 'no lower bound' },
  { pattern: '\\b(is|are|was|were|be|been) told\\b|\\btold (of|about)\\b', say: 'notified' },
  { pattern: '(?<!\\bthere )\\b(is|are) no (?!longer\\b)[a-z]+', say: 'is not a valid …' },
  { pattern: '\\b(if|when) (nobody|no one) (is|says|asks)\\b', say: 'the condition itself' },
  { pattern: '\\bnobody can tell\\b', say: 'unknown' },
  {
    pattern: '\\bwhat (the|this|an) edit (may cost|costs)\\b',
    say: 'the (maximum) cost of an edit',
  },
  { pattern: '\\bnot left of\\b', say: 'exceeds the remaining …' },
  { pattern: '\\bcannot be told\\b|\\bbeforehand\\b', say: 'cannot be estimated' },
  {
    pattern: '\\btaken in\\b(?! one order)|\\b(can|cannot) be taken\\b',
    say: 'accept, submit, or claim',
  },
  { pattern: '\\btook its place\\b', say: 'replaced' },
  { pattern: '\\b(answered|answers) with\\b', say: 'returns' },
  { pattern: '\\b(is|are|was|were) refused with\\b', say: 'rejects, must be' },
  { pattern: '\\bconcluded\\b', say: 'final, ended' },
  { pattern: '\\breads no more of\\b', say: 'stalled' },
  { pattern: '\\bfindable\\b', say: 'indexed' },
  { pattern: '\\bhow they are(?=[.,:;)])', say: 'their health' },
  { pattern: '\\bwho is alone\\b', say: 'a single process' },
  { pattern: '\\bthose that were kept\\b', say: 'stored …' },
];

/** Between two words: white space, or the line break of a comment. */
const GAP = '(?:\\s+(?:(?:\\*|//|#|>|--)\\s+)?)';
const SKIPPED = /(^|\/)(node_modules|generated|__generated__)$/;

let count = 0;
const self = import.meta.filename.slice(process.cwd().length + 1);
for (const { pattern, say, files = EVERYWHERE, except = [] } of PHRASES) {
  const expression = new RegExp(pattern.replaceAll(' ', GAP), 'gi');
  for (const file of globSync(files, { exclude: (path) => SKIPPED.test(path) })) {
    if (file === self || except.includes(file)) continue;
    const text = readFileSync(file, 'utf8');
    for (const { 0: found, index } of text.matchAll(expression)) {
      const lineNumber = text.slice(0, index).split('\n').length;
      process.stdout.write(
        `${file}:${lineNumber}: ${JSON.stringify(found.replace(/\s+/g, ' '))} (say: ${say})\n`,
      );
      count += 1;
    }
  }
}
if (count > 0) {
  process.stdout.write(`${count} phrases that docs/glossary.md has a plainer word for\n`);
  process.exitCode = 1;
}
