/**
 * The cluster that the examples of `--help` are run against, and what some of them need beside it. An example not named
 * here must work on the plain cluster.
 */
import { cpSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, tempDir } from './cli.js';

export interface ExampleState {
  /** Commands of cfs run before, words separated by blanks. */
  before?: string[];
  /** Clients c1 to c3: c1 writes v1, c2 waits for it, both read v2 and v3; c3 may do nothing. Generations 4 to 9, before `before`. */
  hasClients?: true;
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

const CLIENTS = [
  'client add c1 c2 c3',
  'volume allow v1,v2,v3 c1,c2',
  'client logon c1',
  'client logon c2',
  'volume request-write v1 --client c1',
  'volume request-write v1 --client c2',
];

/** Of examples that need the clients, and no more. */
const WITH_CLIENTS = [
  'cfs client list --filter loggedOn=yes',
  'cfs client list --filter writes=v1 -o name',
  'cfs client logoff c1',
  'cfs client logoff c1 --fenced --yes --message "unplugged by hand, room 12"',
  'cfs client logon c1',
  'cfs client logon c1 --dry-run',
  'cfs client remove c3 --yes',
  'cfs client remove c3 --dry-run',
  'cfs client set c1 --auto-respond',
  'cfs client set c1 c2 --no-auto-respond --refresh-notify',
  'cfs client show c1',
  'cfs client show c1 --at 5 --json',
  'cfs history --access',
  'cfs volume access',
  'cfs volume access --filter state=waits',
  'cfs volume access v1 --client c1,c2 --json',
  'cfs volume allow v1 c1',
  'cfs volume allow v1,v2 c1,c2 --auto-update --interval 1m',
  'cfs volume deny v1 c1',
  'cfs volume deny v1,v2 c1,c2 --dry-run',
  'cfs volume disable v1 --message "copy to the new array"',
  'cfs volume disable v1 v2 --force',
  'cfs volume lockout v1 c1',
  'cfs volume lockout v1,v2 c1,c2 --dry-run',
  'cfs volume mount --reconcile --client c1',
  'cfs volume mount v1 --client c1',
  'cfs volume mount v2 --rw --client c1',
  'cfs volume refresh --auto --client c1',
  'cfs volume refresh v2 --client c1',
  'cfs volume release-write v1 --client c1',
  'cfs volume release-write v1 --client c1 --force --message "the night run must begin"',
  'cfs volume request-write v1 --client c2 --limit 1h',
  'cfs volume respond v1 --grant --message "done for today"',
  'cfs volume respond v1/c2 --deny --message "still rendering, try at six"',
  'cfs volume touch v1 --client c1',
  'cfs volume touch v1 --client c1 --message "results of the night run"',
  'cfs volume unmount v1 --client c1 --force',
  'cfs volume unmount v2 --client c1',
  'cfs volume withdraw v1 --client c2',
  'cfs volume withdraw v1 --client c2 --message "c2 is taken home"',
  'cfs volume unlock v1 c1',
  'cfs volume unlock v1,v2 c1 --message "training is over"',
];

/** By the example's command line. */
export const SPECIAL: Record<string, ExampleState> = {
  ...Object.fromEntries(WITH_CLIENTS.map((line) => [line, { hasClients: true as const }])),
  // How long they wait.
  'cfs volume requests': { hasClients: true, varies: true },
  'cfs volume requests --to c1 --all': { hasClients: true, varies: true },
  // It asks; test/commands/respond.test.ts answers.
  'cfs volume respond v1': { hasClients: true, status: 2 },
  'cfs volume request-write v1 --client c2 --wait 60s --message "new titles for the trailer"': {
    hasClients: true,
    meanwhile: ['volume', 'respond', 'v1', '--grant', '--message'],
  },
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
  'cfs watch --text --access --from 1': { hasClients: true, until: /asked for by c2 of c1\n/ },
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

const templates = new Map<string, string>();

/** A working directory with the cluster in .cfs after these commands; made once, to be copied. */
function templateOf(lines: readonly string[]): string {
  const key = lines.join('\n');
  const known = templates.get(key);
  if (known !== undefined) return known;
  const cwd = tempDir('example-template');
  if (lines.length === 0) {
    cfs(['init', '--from', '-', '--yes'], { cwd, input: JSON.stringify(DOCUMENT) });
    cfs(['rebalance'], { cwd });
    cfs(['volume', 'set', 'v1', '--weight', '2'], { cwd });
  } else {
    cpSync(templateOf(lines.slice(0, -1)), cwd, { recursive: true });
    cfs(lines.at(-1)!.split(' '), { cwd });
  }
  templates.set(key, cwd);
  return cwd;
}

/** A working directory with everything that an example needs, and its cluster in .cfs. */
export function exampleDirectory(state: ExampleState = {}): string {
  const cwd = tempDir('example');
  const lines = [...(state.hasClients ? CLIENTS : []), ...(state.before ?? [])];
  if (!state.isEmpty) cpSync(templateOf(lines), cwd, { recursive: true });
  for (const [file, text] of Object.entries(state.files ?? {})) {
    mkdirSync(join(cwd, file, '..'), { recursive: true });
    writeFileSync(join(cwd, file), text);
  }
  state.prepare?.(cwd);
  return cwd;
}
