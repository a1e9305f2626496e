/** Who we are and who else runs here. */
import type { Actor } from '../store/store.js';

export interface Processes {
  readonly pid: number;
  /** Effective user; null where there is no such thing. */
  readonly uid: number | null;
  /** Name of this host, and an identifier that changes with each boot ('' if unknown). */
  host(): string;
  bootId(): string;
  /** When the process started, in the kernel's own unit since boot ('' if there is no such process or no way to know). */
  startTime(pid: number): string;
  /** False only if there surely is no process of that number on this host. */
  exists(pid: number): boolean;
  /** This process as history names it. */
  actor(): Actor;
  /** Group identifier by name or number. @throws CfsError BAD_VALUE when there is no such group */
  groupId(name: string): number;
  /** Value of an environment variable. */
  env(name: string): string | undefined;
}
