/** The shared directory goes away, for one host or for all, or is full. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LabHost } from '../hosts.js';
import { monotonicMs } from '../proc.js';
import { holdingsOf, takeoverOf } from '../takeover.js';
import { waitFor } from '../wait.js';
import type { Lab, Scenario } from './scenario.js';

function labHost({ cluster }: Lab, node: string): LabHost {
  const { host } = cluster.agent(node);
  if (!(host instanceof LabHost)) throw new Error(`${node} is no host of its own`);
  return host;
}

/** Something else is mounted where the directory was: every name in it is gone, at once. */
export const hideDirectory: Scenario = {
  name: 'lose-directory',
  title: 'one host loses the directory (unmounted)',
  needs: 'namespaces',
  async round(lab, victim) {
    const { cluster } = lab;
    const empty = join(cluster.options.base, 'empty');
    mkdirSync(empty, { recursive: true });
    const before = holdingsOf(cluster, victim);
    const faultMs = monotonicMs();
    await labHost(lab, victim).must('mount', '--bind', empty, cluster.dir);
    return { takeover: await takeoverOf(cluster, before, faultMs), notes: [] };
  },
  async heal(lab, victim) {
    await labHost(lab, victim).run(['umount', '-l', lab.cluster.dir]);
  },
};

/** Every call on the directory hangs, in one host. */
export const hangOne: Scenario = {
  name: 'hang-directory',
  title: "one host's directory hangs",
  needs: 'hang',
  async round({ cluster, hang }, victim) {
    const before = holdingsOf(cluster, victim);
    const faultMs = monotonicMs();
    await hang!.one(victim);
    return { takeover: await takeoverOf(cluster, before, faultMs, 30_000), notes: [] };
  },
  heal: async ({ hang }, victim) => hang!.end(victim),
};

/** Every write hangs, for all of them; nobody may be declared failed, and everything comes back by itself. */
export const hangAll: Scenario = {
  name: 'hang-for-all',
  title: 'the directory hangs for all hosts for 8 s',
  needs: 'disk',
  async round({ cluster, disk }) {
    const before = new Map(cluster.options.hosts.flatMap(({ name }) => [...holdingsOf(cluster, name)]));
    const faultMs = monotonicMs();
    await disk!.freeze();
    await waitFor('every node to stop what it runs', 3000, () =>
      [...cluster.owners().values()].every((nodes) => nodes.length === 0),
    );
    const stoppedMs = Math.round(monotonicMs() - faultMs);
    await waitFor('8 s to pass', 10_000, () => monotonicMs() - faultMs > 8000);
    await disk!.thaw();
    const thawedMs = monotonicMs();
    const takeover = await takeoverOf(cluster, before, thawedMs);
    const notes = [`all stopped after ${stoppedMs} ms`];
    return {
      takeover,
      notes,
      wrong: takeover.stayed === before.size ? [] : [`${before.size - takeover.stayed} volumes moved`],
    };
  },
  heal: async ({ disk }) => disk!.thaw().catch(() => {}),
};

/** Not a byte is left; leases go on, and so does one failover. */
export const fullDisk: Scenario = {
  name: 'full-disk',
  title: 'the file system is full, then kill -9 of both',
  needs: 'disk',
  async round({ cluster, disk }, victim) {
    const filler = join(disk!.mountPoint, 'filler');
    await waitFor('the ballast', 30_000, () => existsSync(join(cluster.dir, 'ballast')));
    fillUp(filler);
    const fullMs = monotonicMs();
    const generation = await generationOf(cluster);
    await waitFor('two lease timeouts to pass', 10_000, () => monotonicMs() - fullMs > 6000);
    const moved = (await generationOf(cluster)) - generation;
    const before = holdingsOf(cluster, victim);
    const faultMs = monotonicMs();
    await cluster.agent(victim).signal('both', 'SIGKILL');
    const takeover = await takeoverOf(cluster, before, faultMs);
    return {
      takeover,
      notes: ['6 s full before'],
      wrong: moved === 0 ? [] : [`${moved} generations while it was full`],
    };
  },
  heal: async ({ disk }) => rmSync(join(disk!.mountPoint, 'filler'), { force: true }),
};

/** Writes until nothing more fits, down to single blocks. */
export function fillUp(file: string): void {
  for (const block of ['1M', '4k', '1k']) {
    spawnSync('dd', ['if=/dev/zero', `of=${file}`, `bs=${block}`, 'oflag=append', 'conv=notrunc', 'status=none'], {
      stdio: 'ignore',
    });
  }
  spawnSync('sync', ['-f', file]);
}

async function generationOf(cluster: Lab['cluster']): Promise<number> {
  return Number((await cluster.cfsJson(['status'])).generation);
}
