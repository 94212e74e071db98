import type { Config } from '../../config/config.ts';
import type { SettingName } from '../../config/settings.ts';
import type { DoctorContext } from './context.ts';
import type { Outcome } from './finding.ts';

/** A row of the table of checks. */
export interface Check {
  readonly name: string;
  /** It is about these: without one of them, it would check something else. */
  readonly settings: readonly SettingName[];
  /** A check that must have found no fault before, with these settings. */
  after?(config: Config): string | null;
  /** Where it may take longer than others. */
  timeoutMs?(config: Config): number | null;
  /**
   * Changes nothing that outlasts it. An error is a fault.
   * @returns Null if there is nothing to check with these settings.
   */
  run(context: DoctorContext, signal: AbortSignal): Promise<Outcome | readonly Outcome[] | null>;
}
