/** `Processes` on Node and Linux's /proc. Modules that only writers need are fetched when they ask. */
import fs from 'node:fs';
import { CfsError } from '../core/errors.js';
import type { Processes } from '../core/platform/processes.js';
import type { Actor } from '../core/store/store.js';

function readSmall(path: string): string {
  try {
    return fs.readFileSync(path).toString('utf8');
  } catch {
    return '';
  }
}

export class NodeProcesses implements Processes {
  readonly pid = process.pid;
  readonly uid = process.geteuid?.() ?? null;
  private hostName: string | undefined;
  private boot: string | undefined;
  private self: Actor | undefined;

  host(): string {
    this.hostName ??= readSmall('/proc/sys/kernel/hostname').trim() || process.getBuiltinModule('node:os').hostname();
    return this.hostName;
  }

  bootId(): string {
    this.boot ??= readSmall('/proc/sys/kernel/random/boot_id').trim();
    return this.boot;
  }

  startTime(pid: number): string {
    const stat = readSmall(`/proc/${pid}/stat`);
    // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return afterName[19] ?? '';
  }

  exists(pid: number): boolean {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'ESRCH';
    }
  }

  actor(): Actor {
    this.self ??= {
      user: userName(),
      sudoUser: process.env.SUDO_USER ?? null,
      host: this.host(),
      pid: this.pid,
      command: commandLine(),
    };
    return this.self;
  }

  groupId(name: string): number {
    if (/^\d{1,9}$/.test(name)) return Number(name);
    for (const line of readSmall('/etc/group').split('\n')) {
      const [group, , gid] = line.split(':');
      if (group === name && gid !== undefined) return Number(gid);
    }
    throw new CfsError('BAD_VALUE', `there is no group ${JSON.stringify(name)} on this host`, {
      hint: 'Name a group of /etc/group, or give its number.',
    });
  }

  env(name: string): string | undefined {
    return process.env[name];
  }
}

function userName(): string {
  try {
    return process.getBuiltinModule('node:os').userInfo().username;
  } catch {
    // No entry in the password file (a container's bare user number).
    return String(process.geteuid?.() ?? 'unknown');
  }
}

/** As typed, so far as the shell tells: program name without its directory, arguments with blanks quoted. */
function commandLine(): string {
  const [, script = '', ...rest] = process.argv;
  const program = script.slice(script.lastIndexOf('/') + 1).replace(/\.[cm]?[jt]s$/, '');
  const words = rest.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return [program === 'run' || program === 'dev' ? 'cfs' : program || 'node', ...words].join(' ');
}
