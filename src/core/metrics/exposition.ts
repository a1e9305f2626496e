/** The text format 0.0.4 of Prometheus. */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  labels: Labels;
  value: number;
}

/** All samples of one name. */
export interface Family {
  name: string;
  type: 'gauge' | 'counter';
  /** What it counts, in a sentence; with its unit. */
  help: string;
  samples: Sample[];
}

/** Gathers families in the order they are shown. */
export class Families {
  readonly all: Family[] = [];

  gauge(name: string, help: string, ...samples: Sample[]): void {
    this.all.push({ name, type: 'gauge', help, samples });
  }

  counter(name: string, help: string, ...samples: Sample[]): void {
    this.all.push({ name, type: 'counter', help, samples });
  }
}

/** A sample; yes and no are 1 and 0. */
export function sample(value: number | boolean, labels: Labels = {}): Sample {
  return { labels, value: Number(value) };
}

/** One sample per value of a label, 1 where it is the present one: absent states stay visible with 0. */
export function stateSet(states: readonly string[], present: string, labels: Labels = {}): Sample[] {
  return states.map((state) => sample(state === present, { ...labels, state }));
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

function line(name: string, { labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeValue(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}\n`;
}

/** The text of families; one without samples is left out. */
export function exposition(families: readonly Family[]): string {
  let text = '';
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue;
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const each of samples) text += line(name, each);
  }
  return text;
}
