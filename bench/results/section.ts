import type { Row } from '../../test/support/report.ts';

/** A table that has other columns than floor and service. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

/** What a bench has measured. */
export interface Results {
  readonly rows: readonly Row[];
  readonly tables?: readonly Table[];
  /** Markdown, one paragraph each. */
  readonly notes?: readonly string[];
}

/** Where something was measured. */
export interface Place {
  /** Processor, cores, memory and operating system. */
  readonly machine: string;
  /** Of the service, Node, Postgres and nginx. */
  readonly versions: string;
  /** Of the last minute before the first bench of the run. */
  readonly load: number;
  readonly cores: number;
}

/** One bench in RESULTS.md. */
export interface Section extends Results {
  readonly name: string;
  readonly title: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  /** The bench made fewer runs than by default. */
  readonly isQuick: boolean;
  readonly place: Place;
  /** Why the bench has not measured everything. */
  readonly failure?: string;
}
