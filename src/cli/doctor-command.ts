import { type ArgsDef, defineCommand } from 'citty';
import { readArguments } from './arguments.ts';
import type { Cli } from './cli.ts';

const DOCTOR = {
  json: { type: 'boolean', description: 'Print one JSON document' },
} as const satisfies ArgsDef;

export function createDoctorCommand(cli: Cli) {
  return defineCommand({
    meta: {
      name: 'retouch doctor',
      description: 'Check the settings and what they point to, without a paid call',
    },
    args: DOCTOR,
    async run({ rawArgs }) {
      const isJson = readArguments(rawArgs, DOCTOR).flag('json');
      const { runDoctor } = await import('../app/doctor/run-doctor.ts');
      const { formatFinding } = await import('../app/doctor/finding.ts');
      const findings = await runDoctor({
        env: cli.env,
        signal: cli.signal,
        onFinding: (finding) => {
          if (!isJson) cli.print(formatFinding(finding));
        },
      });
      if (isJson) cli.print(`${JSON.stringify(findings, null, 2)}\n`);
      if (findings.some(({ status }) => status === 'fault')) cli.fail();
    },
  });
}
