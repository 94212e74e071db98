// Writes which types an interface or union stands for: without it Apollo's cache loses what is
// asked for by `... on Error`.
import { readFile, writeFile } from 'node:fs/promises';
import { buildSchema, isAbstractType } from 'graphql';

const schema = buildSchema(await readFile('../../schema.graphql', 'utf8'));
const possibleTypes = Object.values(schema.getTypeMap())
  .filter(isAbstractType)
  .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]);
const path = 'src/possible-types.json';
const json = `${JSON.stringify(Object.fromEntries(possibleTypes), null, 2)}\n`;
// Written only when it has changed: a page that is open is loaded anew each time.
if (json !== (await readFile(path, 'utf8').catch(() => null))) await writeFile(path, json);
