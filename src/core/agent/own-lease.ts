/**
 * This node's own lease: finding what an earlier agent left, renewing, removing the older names (core/membership/leases.ts).
 * A renewal is one exclusive creation and one removal; no flush, since a lease need not survive a power cut.
 *
 * The name before the newest stays until the next renewal. A listing is no atomic look: it may miss a name that is made while
 * it goes on, and were the older one gone by then, the node would seem to have no agent at all.
 */
import { freeBallast } from '../ballast/ballast.js';
import {
  type Lease,
  type LeaseInfo,
  leaseInfo,
  leaseName,
  newestLeases,
  parseHolderLease,
} from '../membership/leases.js';
import { isSystemCallError } from '../platform/files.js';
import type { Place } from '../store/place.js';

const TEXT_LIMIT = 300;
const PROBLEMS_LIMIT = 5;
const BEHIND_LIMIT = 50;

/** What the last agent of this node left. */
export interface Former {
  lease: Lease;
  /** It ended in order, or its process on this host is gone: nothing needs to be watched. */
  isGone: boolean;
  /** Its process is there, on this host since its last boot: what the driver finds running may be its. */
  isHere: boolean;
  /** It may be another machine: what it runs is known to be stopped only when its lease was quiet for its whole time. */
  isElsewhere: boolean;
  /** `on host h1 (process 7)`, for people. */
  who: string;
}

export interface Renewal {
  /** When it began, by the monotonic clock. */
  beganMs: number;
  /** The file system is full: the lease has no content, or only the ballast made room for it. */
  isDiskFull: boolean;
}

export class OwnLease {
  /** Sequence number of the newest name; rises over restarts. */
  seq = 0;
  readonly incarnation: string;
  /** Own names that are still to be removed. */
  private stale: string[] = [];
  private current: string | null = null;

  constructor(
    private readonly place: Place,
    private readonly node: string,
    private readonly version: string,
  ) {
    this.incarnation = place.platform.random.hex(8);
  }

  /** Makes leases/ and joins/ where nobody has yet. @throws SystemCallError */
  prepare(): void {
    const { platform, paths, modes } = this.place;
    for (const path of [paths.leases, paths.joins]) {
      try {
        if (!platform.files.isAbsent('lease.look-dir', path)) continue;
        platform.files.mkdir('lease.mkdir', path, modes.directory);
        // Whatever the umask is: the group of the cluster directory reads here, too.
        platform.files.chmod('lease.chmod', path, modes.directory);
      } catch (error) {
        if (!isSystemCallError(error, 'EEXIST')) throw error;
      }
    }
  }

  /** The newest lease of an earlier agent of this node, or of another one that lives. @throws SystemCallError */
  former(): Former | null {
    const { platform, paths } = this.place;
    const names = platform.files.list('lease.list', paths.leases);
    const lease = newestLeases(names).get(this.node);
    this.current = lease === undefined ? null : leaseName(lease);
    this.stale = names.filter((name) => parseHolderLease(name)?.node === this.node && name !== this.current);
    if (lease === undefined) return null;
    this.seq = Math.max(this.seq, lease.seq);
    const info = leaseInfo(platform, paths.leases, lease);
    const isGone = lease.applied === null || this.hasEnded(info);
    const isElsewhere = !isGone && info?.host !== platform.processes.host();
    const isHere = !isGone && info !== null && this.isOfThisBoot(info);
    return { lease, isGone, isHere, isElsewhere, who: whoOf(info) };
  }

  /**
   * Creates the next name, then removes all but the one before. What cannot be removed is tried again the next time.
   * @throws SystemCallError when there is no new name
   */
  renew(
    acknowledged: { released: number; applied: number | null },
    timeoutMs: number,
    problems: string[],
    behind: readonly string[] | null = null,
  ): Renewal {
    const { clock } = this.place.platform;
    const beganMs = clock.monotonicMs();
    const info = Buffer.from(`${JSON.stringify(this.info(problems, behind))}\n`);
    const { name, isDiskFull } = this.create({ ...acknowledged, timeoutMs }, info);
    this.checkDirectory(name);
    this.removeStale();
    if (this.current !== null) this.stale.push(this.current);
    this.current = name;
    return { beganMs, isDiskFull };
  }

  /**
   * Where a file system was unmounted, or another one mounted, there may be a `leases/` all the same: a name made in it renews
   * nothing that others see. The name before must stand beside the new one, or at least be missing from a cluster.
   * @throws Error the new name does not count
   */
  private checkDirectory(name: string): void {
    const { platform, paths } = this.place;
    const isThere = (path: string): boolean => !platform.files.isAbsent('lease.look-back', path);
    if (this.current === null) return;
    if (isThere(`${paths.leases}/${this.current}`) && isThere(`${paths.leases}/${name}`)) return;
    if (isThere(paths.cluster) && isThere(`${paths.leases}/${name}`)) return;
    throw new Error(`${paths.leases} is not the directory of this cluster: is the shared file system mounted?`);
  }

  /** Another agent of this name renews: the number it has reached; null: nobody does. */
  rivalIn(leases: ReadonlyMap<string, Lease>): number | null {
    const seq = leases.get(this.node)?.seq ?? 0;
    return seq > this.seq ? seq : null;
  }

  private create(says: Omit<Lease, 'node' | 'seq'>, info: Buffer): { name: string; isDiskFull: boolean } {
    const { files } = this.place.platform;
    let freed = false;
    for (let tries = 1; ; tries++) {
      this.seq += 1;
      const name = leaseName({ node: this.node, seq: this.seq, ...says });
      let fd: number;
      try {
        fd = files.openNew('lease.create', `${this.place.paths.leases}/${name}`, this.place.modes.file);
      } catch (error) {
        // A lost reply of our own, or a rival's: the next look tells.
        if (isSystemCallError(error, 'EEXIST') && tries < 3) continue;
        if (!isSystemCallError(error, 'EEXIST')) this.seq -= 1;
        if (!isSystemCallError(error, 'ENOSPC', 'EDQUOT') || !this.makeRoom()) throw error;
        freed = true;
        continue;
      }
      return { name, isDiskFull: !this.fill(fd, info) || freed };
    }
  }

  /**
   * Of our own first: the name before the last one is of no more use, and gives its inode. Then the ballast.
   * @returns false: there is nothing left to give up @throws CfsError of the system
   */
  private makeRoom(): boolean {
    const before = this.stale.length;
    this.removeStale();
    return this.stale.length < before || freeBallast(this.place);
  }

  /** The name is the lease; a failure to write what stands in it only leaves people with less to read. */
  private fill(fd: number, info: Buffer): boolean {
    const { files } = this.place.platform;
    let written = true;
    try {
      files.write('lease.write', fd, info, 0, info.length);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      written = error.code !== 'ENOSPC' && error.code !== 'EDQUOT';
    }
    try {
      files.close('lease.close', fd);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      written &&= error.code !== 'ENOSPC' && error.code !== 'EDQUOT';
    }
    return written;
  }

  private removeStale(): void {
    const { platform, paths } = this.place;
    this.stale = this.stale.filter((name) => {
      try {
        platform.files.unlink('lease.unlink', `${paths.leases}/${name}`);
        return false;
      } catch (error) {
        if (!isSystemCallError(error)) throw error;
        return error.code !== 'ENOENT';
      }
    });
  }

  private info(problems: string[], behind: readonly string[] | null): LeaseInfo {
    const { processes } = this.place.platform;
    return {
      version: this.version,
      format: this.place.format,
      host: processes.host(),
      bootId: processes.bootId(),
      pid: processes.pid,
      incarnation: this.incarnation,
      problems: problems.slice(0, PROBLEMS_LIMIT).map((says) => says.slice(0, TEXT_LIMIT)),
      ...(behind === null || behind.length > BEHIND_LIMIT ? {} : { behind: [...behind] }),
    };
  }

  private hasEnded(info: LeaseInfo | null): boolean {
    return info !== null && this.isOfThisBoot(info) && !this.place.platform.processes.exists(info.pid);
  }

  private isOfThisBoot({ host, bootId }: LeaseInfo): boolean {
    const { processes } = this.place.platform;
    return host === processes.host() && bootId !== '' && bootId === processes.bootId();
  }
}

function whoOf(info: LeaseInfo | null): string {
  return info === null ? 'somewhere' : `on host ${info.host} (process ${info.pid})`;
}
