import { useState } from 'react';
import { formatCount, formatDollars } from '../workbench/format.ts';
import type { UsageDay } from './days.ts';
import { useUsage } from './use-usage.ts';
import './usage.css';

const DAYS = 30;
/** A quantity to plot: its button, value, and format. */
interface Measure {
  readonly name: string;
  readonly of: (day: UsageDay) => number;
  readonly number: (value: number) => string;
  /** Unit of the value. */
  readonly unit: (value: number) => string;
}

const TOKENS: Measure = {
  name: 'Tokens',
  of: (day) => day.totalTokens,
  number: formatCount,
  unit: () => 'tokens',
};
const COST: Measure = {
  name: 'Cost',
  of: (day) => Number(day.cost),
  number: formatDollars,
  unit: () => 'at list prices',
};
const EDITS: Measure = {
  name: 'Edits',
  of: (day) => day.edits,
  number: formatCount,
  unit: (value) => (value === 1 ? 'edit' : 'edits'),
};

/** Usage of the last 30 days by day. @param props.endedEdits Reloads when it changes. */
export function UsagePlot({ endedEdits }: { endedEdits: number }) {
  const usage = useUsage(DAYS, endedEdits);
  const [measure, setMeasure] = useState(TOKENS);
  if (usage === null || usage.every(({ edits }) => edits === 0)) return null;

  const total = usage.reduce((sum, day) => sum + measure.of(day), 0);
  return (
    <figure className="retouch-usage">
      <figcaption>
        <span>
          <b>{measure.number(total)}</b> {measure.unit(total)}
          <span className="retouch-hidden"> in {DAYS} days</span>
        </span>
        <span className="retouch-toggle">
          {[TOKENS, COST, EDITS].map((one) => (
            <button
              aria-pressed={one === measure}
              key={one.name}
              onClick={() => setMeasure(one)}
              type="button"
            >
              {one.name}
            </button>
          ))}
        </span>
      </figcaption>
      <Bars days={usage} measure={measure} />
    </figure>
  );
}

/** A list for screen readers, shown as bars. */
function Bars({ days, measure }: { days: readonly UsageDay[]; measure: Measure }) {
  const { name, of, number, unit } = measure;
  const highest = Math.max(...days.map(of));
  return (
    <>
      <ol aria-label={`${name} by day`}>
        {days.map((day) => {
          const words = `${shortDate(day.day)}: ${number(of(day))} ${unit(of(day))}`;
          return (
            <li key={day.day} title={words}>
              <span style={{ height: `${highest > 0 ? (of(day) / highest) * 100 : 0}%` }} />
              <span className="retouch-hidden">{words}</span>
            </li>
          );
        })}
      </ol>
      <div aria-hidden="true" className="retouch-usage-axis">
        <span>{shortDate(days[0]?.day)}</span>
        <span>most: {number(highest)}</span>
        <span>today</span>
      </div>
    </>
  );
}

function shortDate(day: string | undefined): string {
  if (day === undefined) return '';
  const options = { day: 'numeric', month: 'short', timeZone: 'UTC' } as const;
  return new Date(day).toLocaleDateString('en', options);
}
