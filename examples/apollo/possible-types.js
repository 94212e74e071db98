// Writes which types an interface or union stands for: without it Apollo's cache loses what is
// asked for by `... on Error`.
import { readFile, writeFile } from 'node:fs/promises';
import { buildSchema, isAbstractType } from 'graphql';

const schema = buildSchema(await readFile('../../schema.graphql', 'utf8'));
const possibleTypes = Object.values(schema.getTypeMap())
  .filter(isAbstractType)
  .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]);
const json = JSON.stringify(Object.fromEntries(possibleTypes), null, 2);
await writeFile('src/possible-types.json', `${json}\n`);
