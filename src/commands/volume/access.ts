import { type ClientProblem, clientAgents, clientProblems } from '../../cli/client-agents.js';
import { CfsCommand, type Column, Flags, listFlag, nameOf, paint, usage, wholeFlag } from '../../cli/command.js';
import { optionalNamesArg } from '../../cli/flags.js';
import { writePaged } from '../../cli/pager.js';
import { type AccessMatrix, accessMatrix, type MatrixPair } from '../../core/access/matrix.js';
import { pairName } from '../../core/access/pair.js';
import { requireClient, requireVolume } from '../../core/model/find.js';
import { pairState } from '../../render/access.js';
import { accessPages, MOST_CELLS } from '../../render/access-pages.js';
import { escapeBlock } from '../../render/format.js';
import { isTerminal, outputHeight, outputWidth, STDOUT } from '../../render/output.js';
import { prepareWidths } from '../../render/table.js';

const COLUMNS: Column<MatrixPair>[] = [
  { key: 'pair', value: (r) => pairName(r.volume, r.client), wide: true },
  { key: 'volume', value: (r) => r.volume },
  { key: 'client', value: (r) => r.client },
  { key: 'state', value: pairState },
  { key: 'mode', value: (r) => r.mode },
  { key: 'mount', title: 'MAY MOUNT', value: (r) => r.mount },
  { key: 'mounted', value: (r) => r.mounted },
  { key: 'writer', value: (r) => r.isWriter },
  { key: 'givesUp', title: 'GIVES UP', value: (r) => r.givesUp, wide: true },
  { key: 'place', value: (r) => r.place, align: 'right' },
  { key: 'lockout', value: (r) => r.lockout },
  { key: 'autoUpdate', title: 'AUTO UPDATE', value: (r) => r.autoUpdate, wide: true },
  { key: 'autoUpdateIntervalMs', title: 'INTERVAL', value: (r) => r.autoUpdateIntervalMs, align: 'right', wide: true },
  { key: 'lastRefresh', title: 'LAST REFRESH', value: (r) => r.lastRefresh, wide: true },
  { key: 'stale', value: (r) => r.stale, wide: true },
];

export default class VolumeAccess extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'Show which client reads, writes or waits for which volume.';
  static override description =
    'A matrix of volumes and clients: rw writes, rw> gives its right to write up, ro reads, 1st 2nd … waits to write, in which place, ' +
    '- may mount but has not, ! is locked out from asking for changes, x is locked out and may not mount, · has no right. Marks tell ' +
    'disabled volumes (off), read-only media (r/o), software locks (lock) and clients that are not logged on (out). Below stand the ' +
    'requests that wait and what agents could not do. Volumes and clients of which there is nothing to say are left out unless they ' +
    'are named or --all is given. Where the matrix is wider than the terminal it comes in several blocks of columns; where it is ' +
    'longer, through the pager (CFS_PAGER, PAGER, else less), or page by page with --page. JSON, YAML and CSV, --filter and ' +
    '--sort give a row for each client and volume that a record joins. With --at the agents are left out.';
  static override examples = [
    { description: 'The whole matrix', command: 'cfs volume access' },
    { description: 'Who waits to write, as rows', command: 'cfs volume access --filter state=waits' },
    { description: 'Two clients and one volume, for a script', command: 'cfs volume access v1 --client c1,c2 --json' },
  ];
  static override strict = false;
  static override args = { name: optionalNamesArg('volume') };
  static override flags = {
    client: listFlag({ summary: 'Only these clients.', ...nameOf('client'), helpValue: 'A,B,…' }),
    all: Flags.boolean({ summary: 'Volumes and clients too that have nothing to do with each other.' }),
    rows: wholeFlag({ summary: 'Rows on a page; default: what the terminal shows.' }),
    page: wholeFlag({ summary: 'Only page N, from 1.' }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeAccess);
    if (flags.rows === 0) usage('--rows 0 shows nothing', 'Give at least 1.');
    if (flags.client?.length === 0) usage('--client names nobody', 'Leave it out for all clients.');
    const snapshot = await this.snapshot();
    const matrix = accessMatrix(snapshot, {
      volumes: [...new Set((args.name ?? []).map((name) => requireVolume(snapshot, name)))],
      clients: [...new Set((flags.client ?? []).map((name) => requireClient(snapshot, name)))],
      all: flags.all,
    });
    const agents = flags.at === undefined ? await clientAgents(await this.cluster()) : new Map();
    const problems = clientProblems(matrix.clients, agents);
    const { generation } = snapshot;
    const isRows = flags.filter !== undefined || flags.sort !== undefined || !/^(table|wide)$/.test(flags.output);
    if (isRows || this.jsonEnabled()) {
      const { volumes, clients, waiting, givingUp, leftOut } = matrix;
      const extra = { generation, volumes, clients, waiting, givingUp, problems, leftOut };
      return this.list('access', COLUMNS, matrix.pairs, extra);
    }
    const { page, rows, output } = flags;
    await this.matrix(matrix, problems, generation, { page, rows, output: output as string });
    return { generation };
  }

  private async matrix(
    matrix: AccessMatrix,
    problems: readonly ClientProblem[],
    generation: number,
    { page, rows, output }: { page?: number | undefined; rows?: number | undefined; output: string },
  ): Promise<void> {
    const { volumes, clients } = matrix;
    if (volumes.length === 0 || clients.length === 0) {
      this.note('No client has anything to do with a volume. Allow one to mount it: cfs volume allow VOLUME CLIENT');
      return;
    }
    if (volumes.length * clients.length > MOST_CELLS) {
      usage(
        `A matrix of ${volumes.length} volumes and ${clients.length} clients cannot be read`,
        'Name volumes, or clients with --client; or take rows: -o csv',
      );
    }
    await prepareWidths([...volumes, ...clients].map(({ name }) => name));
    const height = outputHeight() - 1;
    const pages = accessPages(matrix, {
      generation,
      problems: problems.map(({ client, problem }) => `${client}: ${problem}`),
      width: output === 'wide' ? Number.POSITIVE_INFINITY : outputWidth(),
      height: page !== undefined && !Number.isFinite(height) ? 23 : height,
      rows,
      isTitled: isTerminal(STDOUT),
      paint,
    });
    if (page === undefined) {
      writePaged([...pages.pages.flat(), ...pages.tail].map(escapeBlock));
      return;
    }
    const chosen = pages.pages[page - 1];
    if (chosen === undefined) usage(`There is no page ${page}`, `The pages go from 1 to ${pages.pages.length}.`);
    this.print([...chosen, ...pages.tail].join('\n'));
  }
}
