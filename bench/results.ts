import { arch, cpus, loadavg, platform } from 'node:os';
import { median, ratio, type Measured } from './rounds';

/** What was measured for one number of concurrent callers. */
export interface Section {
  readonly title: string;
  readonly measured: ReadonlyMap<string, Measured>;
}

/** A ratio that was promised, and between what. */
export interface Goal {
  readonly promise: string;
  readonly section: Section;
  readonly one: string;
  readonly other: string;
  /** Left out: only told, not promised. */
  readonly atLeast?: number;
}

/** How long starts of one kind took, and what was promised. */
export interface StartTimes {
  readonly promise: string;
  readonly milliseconds: readonly number[];
  readonly belowMs: number;
}

/** Everything that was measured. */
export interface Results {
  readonly sections: readonly Section[];
  readonly goals: readonly Goal[];
  readonly starts: readonly StartTimes[];
  readonly facts: readonly string[];
}

/** The whole report, in Markdown; `notes` say what the goals' numbers mean. */
export function report({ sections, goals, starts, facts }: Results, notes: string): string {
  const machine = [
    `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${platform()} ${arch()}`,
    `Node ${process.version}`,
    `load average of the last 15 minutes ${loadavg()[2]?.toFixed(1) ?? ''}; a run on a quiet machine ends near 2`,
    ...facts,
  ];
  return [
    '# Measured',
    'Written by `npm run bench`. Server, database and load share the cores, so compare within one run only.',
    machine.map((fact) => `- ${fact}`).join('\n'),
    '## Goals',
    table(
      ['goal', 'measured', 'met', 'where'],
      goals.map((goal) => goalRow(goal)),
    ),
    notes.trim(),
    '## Milliseconds until Keyward is ready, on an embedded database',
    table(
      ['goal', 'median', 'met', 'fastest', 'slowest'],
      starts.map((start) => startRow(start)),
    ),
    '## Operations a second',
    ...sections.flatMap(sectionText),
  ].join('\n\n');
}

function goalRow({ promise, section, one, other, atLeast }: Goal): string[] {
  const value = ratio(section.measured.get(one), section.measured.get(other));
  const met = atLeast === undefined ? '' : value >= atLeast ? 'yes' : 'no';
  return [promise, value.toFixed(2), met, section.title];
}

function startRow({ promise, milliseconds, belowMs }: StartTimes): string[] {
  const middle = median(milliseconds);
  const ends = [Math.min(...milliseconds), Math.max(...milliseconds)];
  const met = middle < belowMs ? 'yes' : 'no';
  return [promise, middle.toFixed(0), met, ...ends.map((end) => end.toFixed(0))];
}

function sectionText({ title, measured }: Section): string[] {
  const rows = [...measured.values()].map(({ name, median, rates }) => [
    name,
    median.toFixed(0),
    Math.min(...rates).toFixed(0),
    Math.max(...rates).toFixed(0),
  ]);
  return [`### ${title}`, table(['', 'median', 'slowest round', 'fastest round'], rows)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
