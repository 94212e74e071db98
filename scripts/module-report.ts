import { posix } from 'node:path';
import { parseSync } from 'vite';

export interface ModuleLimits {
  readonly modules: number;
  /** Modules on the longest chain of imports. */
  readonly chain: number;
  /** Of a function, with its first and last line. */
  readonly functionLines: number;
  /** Files that may lie beside the folders. */
  readonly looseFiles: readonly string[];
}

export interface ModuleReport {
  readonly figures: {
    readonly modules: number;
    readonly imports: number;
    readonly longestChain: readonly string[];
    readonly longestFunction: string;
  };
  /** One sentence for each violation; empty: all rules hold. */
  readonly problems: readonly string[];
}

/**
 * Checks how the modules of src/ depend on each other, and how long their functions are. A module is
 * a folder of src/ or a loose file. Imports of types count. Pure.
 * @param options.sources Source text by path in src/, such as `edits/input/size.ts`.
 * @param options.order All modules, from the lowest to the highest, except `page`.
 */
export function reportModules(options: {
  sources: ReadonlyMap<string, string>;
  order: readonly string[];
  page: string;
  limits: ModuleLimits;
}): ModuleReport {
  const { sources, order, page, limits } = options;
  const problems: string[] = [];
  const imports = new Map<string, Set<string>>();
  const functions: { name: string; lines: number }[] = [];

  for (const [path, source] of sources) {
    const own = moduleOf(path);
    const imported = imports.get(own) ?? new Set();
    imports.set(own, imported);
    const file = parseFile(path, source);
    for (const target of file.imports) {
      const other = moduleOf(target);
      if (other === own) continue;
      imported.add(other);
      if (order.includes(own) && order.indexOf(other) > order.indexOf(own)) {
        problems.push(`${path} imports upward: ${own} is below ${other}.`);
      }
    }
    functions.push(...file.functions);
  }

  const modules = [...imports.keys()].toSorted();
  if (modules.length > limits.modules) {
    problems.push(`${modules.length} modules; at most ${limits.modules} are allowed.`);
  }
  for (const module of modules) {
    if (module.includes('.') && !limits.looseFiles.includes(module)) {
      problems.push(`${module} is a loose file: move it to the module that it belongs to.`);
    }
    if (!order.includes(module) && module !== page) {
      problems.push(`${module} has no place in scripts/modules.ts.`);
    }
  }
  const cycle = findCycle(imports);
  if (cycle !== null) problems.push(`Cycle: ${cycle.join(' -> ')}.`);
  const longestChain = cycle === null ? findLongestChain(imports) : [];
  if (longestChain.length > limits.chain) {
    problems.push(
      `${longestChain.length} modules in a chain of imports; at most ${limits.chain} are allowed: ${longestChain.join(' -> ')}.`,
    );
  }
  const byLength = functions.toSorted((a, b) => b.lines - a.lines);
  for (const { name, lines } of byLength) {
    if (lines > limits.functionLines) {
      problems.push(
        `${name} has a function of ${lines} lines; at most ${limits.functionLines} are allowed.`,
      );
    }
  }
  const [longest] = byLength;
  return {
    figures: {
      modules: modules.length,
      imports: modules.reduce((sum, module) => sum + (imports.get(module)?.size ?? 0), 0),
      longestChain,
      longestFunction: longest === undefined ? 'none' : `${longest.lines} lines, ${longest.name}`,
    },
    problems,
  };
}

function moduleOf(path: string): string {
  return path.split('/', 1)[0] ?? path;
}

/** Imports of other files of src/, and all functions with their first line. */
function parseFile(path: string, source: string) {
  const { program, module, errors } = parseSync(path, source);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const specifiers = [
    ...module.staticImports.map((one) => one.moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.map(({ moduleRequest }) =>
      source.slice(moduleRequest.start + 1, moduleRequest.end - 1),
    ),
  ];
  const lineOf = (offset: number) => source.slice(0, offset).split('\n').length;
  return {
    imports: specifiers
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => posix.join(posix.dirname(path), specifier))
      .filter((target) => !target.startsWith('..')),
    functions: functionsIn(program).map(({ start, end }) => ({
      name: `${path}:${lineOf(start)}`,
      lines: lineOf(end) - lineOf(start) + 1,
    })),
  };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;

function functionsIn(node: unknown): Span[] {
  if (typeof node !== 'object' || node === null) return [];
  const inside = Object.values(node).flatMap(functionsIn);
  const isFunction = 'type' in node && FUNCTION.test(String(node.type));
  return isFunction ? [node as unknown as Span, ...inside] : inside;
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

function findCycle(graph: Graph): readonly string[] | null {
  const done = new Set<string>();
  function visit(module: string, path: readonly string[]): readonly string[] | null {
    if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
    if (done.has(module)) return null;
    for (const next of graph.get(module) ?? []) {
      const cycle = visit(next, [...path, module]);
      if (cycle !== null) return cycle;
    }
    done.add(module);
    return null;
  }
  for (const module of graph.keys()) {
    const cycle = visit(module, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** @param graph must have no cycle. */
function findLongestChain(graph: Graph): readonly string[] {
  const known = new Map<string, readonly string[]>();
  function from(module: string): readonly string[] {
    const found = known.get(module);
    if (found !== undefined) return found;
    const tails = [...(graph.get(module) ?? [])].map(from);
    const chain = [module, ...longestOf(tails)];
    known.set(module, chain);
    return chain;
  }
  return longestOf([...graph.keys()].map(from));
}

function longestOf(chains: readonly (readonly string[])[]): readonly string[] {
  return chains.reduce((longest, chain) => (chain.length > longest.length ? chain : longest), []);
}
