/** What every command says of itself, read from its class: for the manual and for tests that walk all commands. */
import { sharedFlags } from '../src/cli/flags.js';
import type { CommandClass } from '../src/cli/registry.js';
import { commandFiles } from './build.js';

export interface FlagDoc {
  name: string;
  char?: string;
  /** What its value is called; absent for a switch. */
  value?: string;
  summary: string;
  group?: string;
  required: boolean;
  isMultiple: boolean;
  isShared: boolean;
}

export interface ArgDoc {
  name: string;
  description: string;
  required: boolean;
  isMultiple: boolean;
}

export interface CommandDoc {
  /** As typed behind `cfs`: `node list`. */
  name: string;
  path: string;
  command: CommandClass;
  summary: string;
  description: string;
  examples: { description: string; command: string }[];
  args: ArgDoc[];
  flags: FlagDoc[];
}

/** The parts of oclif's flags and arguments that are read here. */
interface Spec {
  type?: string;
  char?: string;
  summary?: string;
  description?: string;
  helpGroup?: string;
  helpValue?: string | string[];
  options?: readonly string[];
  required?: boolean;
  multiple?: boolean;
  hidden?: boolean;
}

function flagDoc(name: string, spec: Spec, isShared: boolean): FlagDoc {
  const value = spec.helpValue ?? (spec.options ? spec.options.join('|') : 'VALUE');
  return {
    name,
    ...(spec.char === undefined ? {} : { char: spec.char }),
    ...(spec.type === 'boolean' ? {} : { value: String(value) }),
    summary: spec.summary ?? spec.description ?? '',
    ...(spec.helpGroup === undefined ? {} : { group: spec.helpGroup }),
    required: spec.required ?? false,
    isMultiple: spec.multiple ?? false,
    isShared,
  };
}

/** Every command, by name. Hidden ones are left out. */
export async function commandDocs(): Promise<CommandDoc[]> {
  const docs: CommandDoc[] = [];
  for (const { name, path } of commandFiles()) {
    const { default: command } = (await import(path)) as { default: CommandClass };
    if (command.hidden) continue;
    const own = (command.flags ?? {}) as Record<string, Spec>;
    const shared = sharedFlags(command.kind) as Record<string, Spec>;
    const flags = [
      ...Object.entries(own).map(([flag, spec]) => [flag, spec, false] as const),
      ...Object.entries(shared)
        .filter(([flag]) => !Object.hasOwn(own, flag))
        .map(([flag, spec]) => [flag, spec, true] as const),
    ].filter(([, spec]) => !spec.hidden);
    docs.push({
      name,
      path,
      command,
      summary: command.summary ?? '',
      description: command.description ?? '',
      examples: (command.examples ?? []) as CommandDoc['examples'],
      args: Object.entries((command.args ?? {}) as Record<string, Spec>).map(([arg, spec]) => ({
        name: arg,
        description: spec.description ?? '',
        required: spec.required ?? false,
        isMultiple: spec.multiple ?? false,
      })),
      flags: flags.map(([flag, spec, isShared]) => flagDoc(flag, spec, isShared)),
    });
  }
  return docs.sort((a, b) => (a.name < b.name ? -1 : 1));
}
