/**
 * The cluster that the examples of `--help` are run against, and what some of them need beside it. An example not named
 * here must work on the plain cluster.
 */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, tempDir } from './cli.js';

export interface ExampleState {
  /** Commands of cfs run before, words separated by blanks. */
  before?: string[];
  /** Files in the working directory. */
  files?: Record<string, string>;
  /** Standard input. */
  input?: string;
  /** No cluster beforehand. */
  isEmpty?: boolean;
  /** Whatever else, in the working directory. */
  prepare?: (cwd: string) => void;
  /** The exit status, where it is not 0. */
  status?: number;
  /** An absolute path in the line that the test puts into the working directory. */
  path?: string;
  /** It runs until it is told to stop: it is, as soon as this was printed or said. */
  until?: RegExp;
  /** What it prints is measured, and never the same twice. */
  varies?: true;
  /** A command of cfs that somebody runs meanwhile, again and again until the example ends. */
  meanwhile?: string[];
}

const NODES = 'nodes:\n  - {name: n9, weight: 2, domains: [CA]}\n  - {name: n10, domains: [NY]}\n';
const VOLUMES = '{"name":"v9","weight":3,"domains":["CA"]}\n{"name":"v10","domains":["NY"],"group":"eng"}\n';

/** A lock that somebody left behind an hour ago. */
function leaveLock(cwd: string): void {
  const lock = join(cwd, '.cfs/lock');
  mkdirSync(lock);
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(lock, hourAgo, hourAgo);
}

const CLUSTER_FILE = { 'cluster.yaml': `cluster: {name: examples}\ngroups: [eng, ops]\ndomains: [CA, NY]\n${NODES}` };
const FENCING_FILE = { 'agent.json': '{"fencing": {"command": "/bin/true", "nodes": {"n2": {"plug": "2"}}}}' };
const SPARE = ['domain add LA', 'group add archive', 'node add n9 --domains CA', 'volume create v9 --domains CA'];

/** By the example's command line. */
export const SPECIAL: Record<string, ExampleState> = {
  'cfs agentd --node n1 --state-dir ./n1.state': { until: /the lease is renewed/, varies: true },
  'cfs agentd --node n2 --state-dir ./n2.state --drain --log json': { until: /the lease is renewed/, varies: true },
  'cfs agentd --client c1 --state-dir ./c1.state': {
    before: ['client add c1', 'volume allow v1 c1'],
    until: /the lease is renewed/,
    varies: true,
  },
  // No agent runs.
  'cfs agentd status': { status: 7 },
  'cfs agentd status --client c1': { status: 7 },
  'cfs agentd status --node n1 --json': { status: 7 },
  'cfs apply -f cluster.yaml --dry-run': { files: CLUSTER_FILE },
  'cfs apply -f cluster.yaml --prune --yes': {
    // Prune takes away what the file does not name; nodes that administer volumes are not taken away.
    files: { 'cluster.yaml': 'cluster: {name: a}\ngroups: [eng]\ndomains: [CA]\nnodes: [{name: n1, domains: [CA]}]\n' },
    isEmpty: true,
    prepare: (cwd) =>
      cfs(['init', '--from', '-', '--yes'], {
        cwd,
        input: '{"cluster":{"name":"a"},"groups":["eng","ops"],"domains":["CA"]}',
      }),
  },
  'cfs doctor /srv/shared --alone': { path: '/srv/shared', varies: true },
  'cfs doctor /srv/shared --local-peer --json': { path: '/srv/shared', varies: true },
  'cfs domain remove LA --yes': { before: SPARE },
  // The example shows that a domain in use is refused, and by whom it is used.
  'cfs domain remove CA --dry-run': { status: 4 },
  'cfs group remove archive --yes': { before: SPARE },
  'cfs group remove eng --dry-run': { status: 4 },
  'cfs fence test n2 --config agent.json': { files: FENCING_FILE },
  'cfs fence test n2 --action monitor --config agent.json --json': { files: FENCING_FILE },
  // It asks; test/cli/prompt.test.ts answers. Where nobody can be asked it says which flags to give.
  'cfs init': { isEmpty: true, status: 2 },
  'cfs db restore monday.cfs --dry-run': { before: ['db backup monday.cfs'] },
  'cfs db restore monday.cfs --new /srv/shared/cfs --yes': { before: ['db backup monday.cfs'], path: '/srv/shared' },
  'cfs watch --from 1': { until: /"generation":3.*\n/ },
  'cfs watch --text --membership --from 1': { until: /init: n1, .*\n/ },
  'cfs watch --count 1 --for 1h': { meanwhile: ['volume', 'set', 'v1', '--weight'] },
  'cfs init --from cluster.yaml --yes': { isEmpty: true, files: CLUSTER_FILE },
  'cfs init --sample 200x20000 --yes': { isEmpty: true },
  'cfs lock break --yes': { prepare: leaveLock },
  'cfs lock break --force --yes': { prepare: leaveLock },
  'cfs mail list': { before: ['mail send n1 hello', 'mail send n3 {} --kind flush'] },
  'cfs mail list n1 --filter kind=note -o name | wc -l': { before: ['mail send n1 hello'] },
  'cfs mail read --node n1': { before: ['mail send n1 hello'] },
  'cfs mail read --node n1 --peek': { before: ['mail send n1 hello'] },
  'cfs metrics --textfile /var/lib/node-exporter/cfs.prom': { path: '/var/lib/node-exporter' },
  'cfs node add -f nodes.yaml': { files: { 'nodes.yaml': NODES } },
  'cfs node online n9': { before: SPARE },
  'cfs node remove n3 --yes': { before: ['node standby n3', 'volume set v3 --preferred-node n2'] },
  'cfs node remove n3 --force --dry-run': { before: ['node standby n3'] },
  'cfs volume create -f - < volumes.jsonl': { files: { 'volumes.jsonl': VOLUMES } },
  'cfs volume remove v9 --yes': { before: SPARE },
  'cfs volume remove v8 v9 --dry-run': { before: SPARE },
};

/** What the examples take for granted: nodes n1 to n4, volumes v1 to v8, placed; three generations of history. */
const DOCUMENT = {
  cluster: { name: 'examples' },
  groups: ['eng', 'ops'],
  domains: ['CA', 'NY'],
  nodes: [
    { name: 'n1', weight: 1, domains: ['CA'], groups: ['eng'], state: 'online' },
    { name: 'n2', weight: 2, domains: ['CA', 'NY'], groups: ['ops', 'eng'], state: 'online' },
    { name: 'n3', weight: 1, domains: ['CA', 'NY'], groups: ['ops'], state: 'online' },
    { name: 'n4', weight: 1, domains: ['NY'], groups: ['eng'], state: 'offline' },
  ],
  volumes: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => ({
    name: `v${i}`,
    weight: i,
    domains: [i % 2 === 0 ? 'CA' : 'NY'],
    group: i % 3 === 0 ? 'ops' : 'eng',
    ...(i === 3 ? { preferredNode: 'n3' } : {}),
  })),
};

/** A working directory with everything that an example needs, and its cluster in .cfs. */
export function exampleDirectory(state: ExampleState = {}): string {
  const cwd = tempDir('example');
  for (const [file, text] of Object.entries(state.files ?? {})) {
    mkdirSync(join(cwd, file, '..'), { recursive: true });
    writeFileSync(join(cwd, file), text);
  }
  if (state.isEmpty) {
    state.prepare?.(cwd);
    return cwd;
  }
  cfs(['init', '--from', '-', '--yes'], { cwd, input: JSON.stringify(DOCUMENT) });
  cfs(['rebalance'], { cwd });
  cfs(['volume', 'set', 'v1', '--weight', '2'], { cwd });
  for (const line of state.before ?? []) cfs(line.split(' '), { cwd });
  state.prepare?.(cwd);
  return cwd;
}
