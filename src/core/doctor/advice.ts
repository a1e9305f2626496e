/** What to know about a file system by its name and mount options, whatever the tests find. */
import { familyOf, type Mount } from './mount.js';

export interface Advice {
  /** `refuse`: not for a cluster directory, by name alone. `advise`: better with other options. `info`: good to know. */
  level: 'refuse' | 'advise' | 'info';
  text: string;
  /** lease.timeout should not be shorter than this, ms: the file system itself can stall so long without being broken. */
  leaseTimeoutMs?: number;
}

const refuse = (text: string): Advice => ({ level: 'refuse', text });
const advise = (text: string): Advice => ({ level: 'advise', text });
const info = (text: string): Advice => ({ level: 'info', text });
const stall = (text: string, leaseTimeoutMs: number): Advice => ({ level: 'info', text, leaseTimeoutMs });

/** Advice for one mount, the gravest first. */
export function adviceFor(mount: Mount | null): Advice[] {
  if (mount === null) return [advise('the mount of the directory was not found in /proc/self/mountinfo')];
  const found = byFamily(mount);
  if (mount.options.includes('ro')) found.unshift(refuse('it is mounted read-only'));
  if (mount.options.includes('sync'))
    found.push(info('mounted with "sync": every write is flushed; commits take longer'));
  return found;
}

function byFamily(mount: Mount): Advice[] {
  switch (familyOf(mount)) {
    case 'sshfs':
      return [
        refuse(
          'sshfs answers EPERM where a name exists (SFTP has no EEXIST), keeps locks to each client and attributes in a cache of ' +
            'its own; cfs cannot tell a lost race from a failure',
        ),
      ];
    case 'object-store':
      return [
        refuse(
          `${mount.type} (${mount.source}) keeps files in an object store: no exclusive hard links, no atomic rename`,
        ),
      ];
    case 'foreign':
      return [refuse(`${mount.type} has no hard links, owners or permission bits as cfs needs them`)];
    case 'memory':
      return [
        info(
          `${mount.type} is memory of this machine: not shared with others, and gone when it is switched off; good for trials`,
        ),
      ];
    case 'overlay':
      return [info('an overlay belongs to this machine (often to one container): not shared, and often gone with it')];
    case 'local':
      return [
        info(
          `${mount.type} belongs to this machine: never mount its device on a second one; nodes on this machine can share it`,
        ),
      ];
    case 'nfs':
      return nfs(mount.options);
    case 'cifs':
      return [
        advise(
          'mount CIFS with cache=none,actimeo=0,serverino,mfsymlinks and without nobrl; hard links need a server with Unix extensions',
        ),
      ];
    case 'glusterfs':
      return [
        info(
          'the volume should have performance.stat-prefetch off, performance.quick-read off, network.ping-timeout 3 (it has 42 by default)',
        ),
        info('mount with attribute-timeout=0,entry-timeout=0; replica 3 with quorum, never replica 2'),
        stall('a dying server stalls every call for about twice the ping timeout', 20_000),
      ];
    case 'moosefs':
      return [
        info('while its master is away calls hang and cannot be killed: agents fence themselves by their supervisor'),
        stall('a chunk server that goes away stalls writes for about 10 s', 30_000),
      ];
    case 'ceph':
      return [
        info(
          'a client that is cut off keeps its rights to files for 60 s (session_timeout): others who want the same file wait that long',
        ),
      ];
    case 'cluster-disk':
      return [
        info(
          `${mount.type} needs its own cluster stack and fencing; lease.timeout must be longer than its fencing takes`,
        ),
      ];
    case 'parallel':
      return [info(`${mount.type}: mount with locks across nodes where it has such an option (Lustre: flock)`)];
    case 'unknown':
      return [info(`${mount.type} is not known to cfs: only the tests count`)];
  }
}

function nfs(options: readonly string[]): Advice[] {
  const has = (...wanted: string[]) => wanted.some((option) => options.includes(option));
  const found: Advice[] = [];
  if (has('soft'))
    found.push(
      advise('mount NFS "hard", not "soft": a soft mount turns a slow server into I/O errors and lost writes'),
    );
  if (!has('noac', 'actimeo=0'))
    found.push(advise('mount NFS with noac or actimeo=0: attributes are otherwise up to 60 s old'));
  if (!has('noac') && !has('lookupcache=none', 'lookupcache=pos', 'lookupcache=positive'))
    found.push(
      advise('mount NFS with lookupcache=none (or pos): a name that was missing stays missing in the cache otherwise'),
    );
  if (has('nolock', 'local_lock=all', 'local_lock=flock', 'local_lock=posix'))
    found.push(
      advise('locks stay on this client (nolock or local_lock): other programs on two nodes get the same lock'),
    );
  if (has('vers=2', 'nfsvers=2') || options.some((option) => /^(nfs)?vers=3/.test(option)))
    found.push(
      advise('NFS 4.1 or newer repeats a call that got lost exactly once; version 3 may answer EEXIST to one who won'),
    );
  return found;
}
