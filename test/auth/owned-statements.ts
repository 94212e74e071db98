import { dirname, join } from 'node:path';
import { parseSync } from '@swc/core';

/** A node of the syntax tree, of any type. */
interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface SourceFile {
  readonly nodes: readonly Node[];
  /** What each name of the file is declared as; several declarations of one name are all listed. */
  readonly declared: ReadonlyMap<string, readonly Node[]>;
  readonly imported: ReadonlyMap<string, { readonly path: string; readonly name: string }>;
}

export interface OwnedTables {
  /** Tables, and SQL functions that read them. */
  readonly names: ReadonlySet<string>;
  /** As Prisma's client names the tables. */
  readonly delegates: ReadonlySet<string>;
}

const RULE_PATH = 'src/auth/visible.ts';
const RULE = new Set(['visibleTo', 'visibleRows', 'visibleOwner', 'ownedBy', 'ownedRows']);
const ALL_OWNERS = 'ofAllOwners';

/** Without `create` and `createMany`, whose data must have the owner by their types. */
const METHODS =
  /^(find(Unique|First)(OrThrow)?|findMany|count|aggregate|groupBy|update|updateMany|updateManyAndReturn|upsert|delete|deleteMany)$/;

/** The models with an owner, and the SQL functions of the migrations. */
export function ownedTables(schema: string, migrations: string): OwnedTables {
  const models = modelsOf(schema).filter(({ hasOwner }) => hasOwner);
  const functions = [...migrations.matchAll(/CREATE FUNCTION "(\w+)"/g)].map(
    ([, name = '']) => name,
  );
  return {
    names: new Set([...models.map(({ name }) => name), ...functions]),
    delegates: new Set(models.map(({ name }) => name.charAt(0).toLowerCase() + name.slice(1))),
  };
}

/** The models of a Prisma schema and those that each has a foreign key to. */
export function modelsOf(schema: string) {
  return [...schema.matchAll(/^model (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => ({
    name,
    hasOwner: /^ +ownerId +String/m.test(body),
    links: [...body.matchAll(/^ +\w+ +(\w+)\?? +@relation\([^)]*fields:/gm)].map(
      ([, model = '']) => model,
    ),
  }));
}

/**
 * The statements on owned tables in these sources (path to text) that use neither the rule for
 * visible rows nor `ofAllOwners`. A name counts as the rule if its declarations use the rule and are
 * no statements themselves.
 */
export function findUnruled(
  sources: ReadonlyMap<string, string>,
  { names, delegates }: OwnedTables,
): string[] {
  const files = new Map([...sources].map(([path, text]) => [path, parse(text, path)]));
  const table = new RegExp(`(?<!INTO\\s+)"(${[...names].join('|')})"(?!\\.)`);

  const statementAt = (node: Node): string | null => {
    if (node.type === 'TemplateLiteral') {
      const texts = [node, ...descendants(node).filter(isNameOnly)].map(textOf);
      return table.exec(texts.join(' '))?.[0] ?? null;
    }
    if (node.type === 'StringLiteral') return table.exec(String(node['value']))?.[0] ?? null;
    if (node.type === 'KeyValueProperty') {
      const key = node['key'] as Node;
      const value = node['value'] as Node;
      const isLookup = key['value'] === 'findUnique' && value.type === 'ArrowFunctionExpression';
      return isLookup ? 'findUnique of a node' : null;
    }
    if (node.type !== 'CallExpression') return null;
    const [method, receiver] = member(node['callee']);
    const [delegate] = member(receiver);
    if (method === null || delegate === null) return null;
    return METHODS.test(method) && delegates.has(delegate) ? `${delegate}.${method}` : null;
  };

  function usesRule(node: Node, path: string, visited: ReadonlySet<string>): boolean {
    return descendants(node).some((inner) => {
      if (inner.type !== 'Identifier') return false;
      return isRule(String(inner['value']), path, visited);
    });
  }

  function isRule(name: string, path: string, visited: ReadonlySet<string>): boolean {
    const id = `${path} ${name}`;
    const file = files.get(path);
    if (file === undefined || visited.has(id)) return false;
    const from = file.imported.get(name);
    if (from?.path.endsWith(RULE_PATH)) return RULE.has(from.name) || from.name === ALL_OWNERS;
    if (from !== undefined) return isRule(from.name, from.path, new Set([...visited, id]));
    const declarations = file.declared.get(name) ?? [];
    return (
      declarations.length > 0 &&
      declarations.every(
        (node) =>
          usesRule(node, path, new Set([...visited, id])) &&
          !descendants(node).some((inner) => statementAt(inner) !== null),
      )
    );
  }

  const unruled: string[] = [];
  for (const [path, { nodes }] of files) {
    if (path.endsWith(RULE_PATH)) continue;
    const isAllowed = new Set<Node>();
    for (const node of nodes) {
      // A template whose tag says it, and a table's name within a statement that has the rule.
      if (node.type === 'TaggedTemplateExpression' && saysAllOwners(node['tag'])) {
        isAllowed.add(node['template'] as Node);
      }
      const statement = statementAt(node);
      if (statement === null || isAllowed.has(node) || saysAllOwners(node['callee'])) continue;
      if (!usesRule(node, path, new Set())) {
        unruled.push(`${path}: ${statement}`);
        continue;
      }
      for (const inner of descendants(node)) if (isNameOnly(inner)) isAllowed.add(inner);
    }
  }
  return unruled;
}

/** `ofAllOwners(client).…` */
function saysAllOwners(node: unknown): boolean {
  for (let [, object] = member(node); object !== null; [, object] = member(object)) {
    const callee = object.type === 'CallExpression' ? (object['callee'] as Node) : null;
    if (callee?.['value'] === ALL_OWNERS) return true;
  }
  return false;
}

const isNameOnly = (node: Node) => node.type === 'TemplateLiteral' && /^"\w+"$/.test(textOf(node));

/** Name and object of `object.name`; nulls for anything else. Type arguments are looked through. */
function member(node: unknown): [string | null, Node | null] {
  const { type, property, object, expression } = Object(node);
  if (type === 'TsInstantiation') return member(expression);
  return type === 'MemberExpression' ? [property.value ?? null, object] : [null, null];
}

/** A template's own text, with `?` for its expressions. */
function textOf(template: Node): string {
  return (template['quasis'] as { cooked: string }[]).map(({ cooked }) => cooked).join('?');
}

function parse(text: string, path: string): SourceFile {
  const nodes = descendants(parseSync(text, { syntax: 'typescript', target: 'es2024' }) as never);
  const declared = new Map<string, Node[]>();
  const imported = new Map<string, { path: string; name: string }>();
  const declare = (name: string, node: Node) =>
    declared.set(name, [...(declared.get(name) ?? []), node]);
  for (const node of nodes) {
    if (node.type === 'FunctionDeclaration') {
      declare(String((node['identifier'] as Node)['value']), node);
    } else if (node.type === 'VariableDeclarator' && node['init']) {
      for (const bound of descendants(node['id'] as Node)) {
        if (bound.type === 'Identifier') declare(String(bound['value']), node['init'] as Node);
      }
    } else if (node.type === 'ImportDeclaration') {
      for (const specifier of node['specifiers'] as Node[]) {
        const local = String((specifier['local'] as Node)['value']);
        const name = (specifier['imported'] as Node | null)?.['value'] ?? local;
        const source = String((node['source'] as Node)['value']);
        imported.set(local, { path: join(dirname(path), source), name: String(name) });
      }
    }
  }
  return { nodes, declared, imported };
}

/** A node and all nodes in it, outer ones first. */
function descendants(root: Node): Node[] {
  const found: Node[] = [];
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    if ('type' in value && typeof value.type === 'string') found.push(value as Node);
    for (const child of Object.values(value)) visit(child);
  };
  visit(root);
  return found;
}
