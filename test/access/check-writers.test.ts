/** The checker of writers: silent about a history that operations made, and loud about each kind of violation put into one. */
import assert from 'node:assert/strict';
import type { JournalEvent, JournalEventName } from '../../src/agentd/journal.js';
import { givenUp, releaseWrite, respond } from '../../src/core/access/answers.js';
import { clientAdd } from '../../src/core/access/clients.js';
import { clientLogon, clientsLapsed } from '../../src/core/access/logon.js';
import { writerOf } from '../../src/core/access/look.js';
import { volumeUnmount } from '../../src/core/access/mounts.js';
import { endRequests, requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow, volumeControl, volumeDeny } from '../../src/core/access/rights.js';
import { volumeCreate, volumeRename } from '../../src/core/config/volumes.js';
import type { RequestRecord, WriterRecord } from '../../src/core/model/tables.js';
import type { Change } from '../../src/core/store/store.js';
import { MemoryCluster } from '../kit/memory.js';
import { checkWriters, type HistoryStep, type Right, type ViolationKind } from '../kit/writers-check.js';
import { checkMounts, type MountViolationKind } from '../kit/writers-mounts.js';

const V = 'v1';

/** A, B, C and D hand v1 around: asked for, agreed, released, disabled, lapsed, denied, withdrawn. */
function story(): MemoryCluster {
  const cluster = new MemoryCluster();
  const clients = ['A', 'B', 'C', 'D'];
  cluster.change(volumeCreate, { volumes: [{ name: V }] });
  cluster.change(clientAdd, { clients: clients.map((name) => ({ name })) });
  cluster.change(volumeAllow, { volume: V, client: clients });
  for (const client of clients) cluster.change(clientLogon, { client });
  const ask = (client: string) => cluster.change(requestWrite, { volume: V, client });
  const since = () => writerOf(cluster.snapshot(), V).since;
  for (const client of ['A', 'B', 'C', 'D']) ask(client);
  cluster.change(respond, { volume: V, client: null, grant: true, by: 'A', readOnly: false });
  cluster.change(givenUp, { client: 'A', volumes: [{ volume: V, since: since(), problem: null, modified: true }] });
  cluster.change(respond, { volume: V, client: null, grant: true, by: 'B', readOnly: true });
  ask('A');
  const { asked } = cluster.snapshot().table('requests').get(`${V}/D`)!;
  cluster.change(endRequests, { requests: [{ volume: V, client: 'D', asked, why: null }], response: 'withdrawn' });
  ask('D');
  cluster.change(clientsLapsed, { clients: [{ client: 'C', lease: 7, why: 'quiet' }] });
  cluster.change(releaseWrite, { volume: V, client: 'A', readOnly: true });
  ask('B');
  cluster.change(volumeControl, { volume: V, enabled: false, readOnly: ['D'] });
  cluster.change(volumeControl, { volume: V, enabled: true, readOnly: [] });
  ask('B');
  cluster.change(volumeDeny, { volume: V, client: 'B', readOnly: ['B'] });
  for (const client of ['A', 'D']) cluster.change(volumeUnmount, { volume: V, client, readOnly: true });
  cluster.change(volumeRename, { name: V, newName: 'v9' });
  cluster.change(volumeRename, { name: 'v9', newName: V });
  return cluster;
}

function stepsOf(cluster: MemoryCluster): HistoryStep[] {
  return cluster.generations.slice(1).map(({ info, changes }) => ({ ...structuredClone({ ...info, changes }) }));
}

/** The story with something wrong in it; what the checker says of it. */
function kindsOf(spoil: (steps: HistoryStep[]) => void): ViolationKind[] {
  const steps = stepsOf(story());
  spoil(steps);
  return [...new Set(checkWriters(null, steps).violations.map(({ kind }) => kind))].sort();
}

const writerChanges = (steps: HistoryStep[]) =>
  steps.flatMap((step) =>
    step.changes
      .filter(({ table, before, after }) => table === 'writers' && before !== null && after !== null)
      .map((change) => ({ step, before: change.before as WriterRecord, after: change.after as WriterRecord, change })),
  );

/** The step in which the right passed from one client to another. */
function passing(steps: HistoryStep[], from: string | null, to: string | null) {
  const found = writerChanges(steps).find(({ before, after }) => before.writer === from && after.writer === to);
  assert.ok(found, `from ${from} to ${to}`);
  return found;
}

function drop(step: HistoryStep, unwanted: (change: Change) => boolean): void {
  step.changes = step.changes.filter((change) => !unwanted(change));
}

describe('the checker of writers', () => {
  it('finds nothing wrong with what the operations do, and lists every right', () => {
    const report = checkWriters(null, stepsOf(story()));
    assert.deepEqual(report.violations, []);
    assert.deepEqual(report.problems, []);
    const told = report.rights.map(({ client, endedBy }) => `${client} ${endedBy}`);
    assert.deepEqual(told, [
      'A volume.given-up',
      'B volume.respond',
      'C client.lapsed',
      'A volume.release-write',
      'D volume.control',
      'B volume.deny',
    ]);
  });

  it('begins in the middle of history as well', () => {
    const cluster = story();
    const steps = stepsOf(cluster);
    const at = passing(steps, 'B', 'C').step.generation;
    const report = checkWriters(cluster.snapshot(at), steps.slice(at));
    assert.deepEqual(report.violations, []);
    assert.deepEqual(
      report.rights.map(({ client }) => client),
      ['C', 'A', 'D', 'B'],
    );
  });

  it('catches a right that passes on though its holder was never made read-only', () => {
    const kinds = kindsOf((steps) => {
      const { step } = passing(steps, 'B', 'C');
      (step.request as { readOnly: boolean }).readOnly = false;
    });
    assert.deepEqual(kinds, ['end']);
  });

  it('catches a right that is given up for another epoch, with a problem, or though nobody asked for it', () => {
    const item = (steps: HistoryStep[]) =>
      (passing(steps, 'A', 'B').step.request as { volumes: Record<string, unknown>[] }).volumes[0]!;
    assert.deepEqual(
      kindsOf((steps) => {
        item(steps).since = 1;
      }),
      ['end'],
    );
    assert.deepEqual(
      kindsOf((steps) => {
        item(steps).problem = 'busy';
      }),
      ['end'],
    );
    // Without the answer that agreed: nothing had been asked of A.
    const notAsked = kindsOf((steps) => {
      const agreed = steps.find(
        ({ operation, request }) => operation === 'volume.respond' && !(request as { readOnly: boolean }).readOnly,
      )!;
      agreed.changes = [];
    });
    assert.deepEqual(notAsked, ['end']);
  });

  it('catches a holder that is called gone without a lease that lapsed, or by an operation that ends nothing', () => {
    const kinds = kindsOf((steps) => {
      const { step } = passing(steps, 'C', 'A');
      for (const { table, after } of step.changes) if (table === 'logons') delete (after as { lease?: number }).lease;
    });
    assert.deepEqual(kinds, ['end']);
    const stillOn = kindsOf((steps) => drop(passing(steps, 'C', 'A').step, ({ table }) => table === 'logons'));
    assert.deepEqual(stillOn, ['end']);
    const other = kindsOf((steps) => {
      passing(steps, 'C', 'A').step.operation = 'volume.touch';
    });
    assert.deepEqual(other, ['end']);
  });

  it('catches a token that is not the generation, and one that does not rise', () => {
    const notNew = kindsOf((steps) => {
      passing(steps, 'B', 'C').after.since += 1;
    });
    assert.ok(notNew.includes('token'));
    const fallen = kindsOf((steps) => {
      const { after, before } = passing(steps, 'B', 'C');
      after.since = before.since;
    });
    assert.ok(fallen.includes('token'));
  });

  it('catches a token that is given anew without an end', () => {
    const kinds = kindsOf((steps) => {
      const { step, after } = writerChanges(steps).find(({ before, after: now }) => before.writer === now.writer)!;
      after.since = step.generation;
    });
    assert.deepEqual(kinds, ['end']);
  });

  it('lets a writer that hands over ask anew, which has what it asked for when it keeps its right after all', () => {
    const cluster = story();
    cluster.change(volumeAllow, { volume: V, client: ['B'] });
    const ask = (client: string) => cluster.change(requestWrite, { volume: V, client });
    for (const client of ['A', 'D']) ask(client);
    cluster.change(respond, { volume: V, client: null, grant: true, by: 'A', readOnly: false });
    ask('A');
    assert.deepEqual(writerOf(cluster.snapshot(), V).queue, ['D', 'A']);
    cluster.change(respond, { volume: V, client: 'D', grant: false, by: 'A', readOnly: false });
    assert.deepEqual(writerOf(cluster.snapshot(), V).queue, []);
    assert.deepEqual(checkWriters(null, stepsOf(cluster)).violations, []);
  });

  it('catches a grant to somebody else than who has waited longest', () => {
    const kinds = kindsOf((steps) => {
      // D becomes the writer instead of C, who goes on waiting.
      const { step, after } = passing(steps, 'B', 'C');
      drop(step, ({ table }) => table === 'requests' || table === 'mounts');
      after.writer = 'D';
      after.queue = ['C'];
    });
    assert.ok(kinds.includes('order'), String(kinds));
  });

  it('catches a writer that may not be one', () => {
    const kinds = kindsOf((steps) => {
      const { step } = passing(steps, null, 'B');
      step.changes = [
        ...step.changes,
        {
          table: 'volumeAccess',
          name: V,
          before: null,
          after: { enabled: false, softwareLock: false, readOnlyMedia: false },
        },
      ];
    });
    assert.deepEqual(kinds, ['unfit']);
  });

  it('catches a queue that has lost somebody, has somebody without a request, or is in another order', () => {
    const asks = (steps: HistoryStep[]) =>
      writerChanges(steps).filter(
        ({ step, after }) => step.operation === 'volume.request-write' && after.queue.length === 3,
      )[0]!;
    assert.ok(
      kindsOf((steps) => {
        asks(steps).after.queue.shift();
      }).includes('queue'),
    );
    assert.ok(
      kindsOf((steps) => {
        asks(steps).after.queue.reverse();
      }).includes('queue'),
    );
    assert.ok(
      kindsOf((steps) => {
        asks(steps).after.queue.push('E');
      }).includes('queue'),
    );
  });

  it('catches an answer that grants nothing, and one that is changed afterwards', () => {
    const kinds = kindsOf((steps) => {
      const { step } = passing(steps, 'B', 'C');
      for (const { table, name, after } of step.changes) {
        if (table === 'requests' && name === `${V}/C`) (after as RequestRecord).response = 'denied';
      }
      step.changes = [
        ...step.changes,
        { table: 'requests', name: `${V}/D`, before: null, after: { ...requestOf(steps, 'D'), response: 'granted' } },
      ];
    });
    assert.ok(kinds.includes('answer'));
    const changed = kindsOf((steps) => {
      const last = steps.filter(({ operation }) => operation === 'volume.deny').at(-1)!;
      const before = { ...requestOf(steps, 'C'), response: 'denied' as const };
      last.changes = [
        ...last.changes,
        { table: 'requests', name: `${V}/C`, before, after: { ...before, response: 'granted' } },
      ];
    });
    assert.ok(changed.includes('answer'));
  });

  it('does not call a history with holes or repairs a proof', () => {
    const steps = stepsOf(story());
    const [hole] = checkWriters(null, [...steps.slice(0, 3), ...steps.slice(4)]).problems;
    assert.match(hole!, /generations 4 to 4 are missing/);
    const [repair] = checkWriters(
      null,
      steps.map((step) => ({ ...step, isRepair: step.generation === 5 })),
    ).problems;
    assert.match(repair!, /generation 5 was published by a repair/);
  });
});

function requestOf(steps: HistoryStep[], client: string): RequestRecord {
  for (const { changes } of steps) {
    for (const { table, name, after } of changes) {
      if (table === 'requests' && name === `${V}/${client}` && after !== null) return after as RequestRecord;
    }
  }
  throw new Error(`${client} never asked`);
}

const WALL = Date.UTC(2030, 0, 1);
const at = (ms: number) => new Date(WALL + ms).toISOString();

function event(node: string, name: JournalEventName, ms: number, epoch: number): JournalEvent {
  return { t: 1000 + ms, wall: at(ms), boot: 'b', node, volume: V, epoch, event: name };
}

/** A has the right from 10 ms to 100 ms, B from then on. */
const RIGHTS: Right[] = [
  {
    volume: V,
    client: 'A',
    since: 5,
    givenAt: at(10),
    until: 8,
    endedAt: at(100),
    endedBy: 'volume.respond',
    asked: null,
  },
  { volume: V, client: 'B', since: 8, givenAt: at(100), until: null, endedAt: null, endedBy: null, asked: 6 },
];

function mountKinds(a: JournalEvent[], b: JournalEvent[]): MountViolationKind[] {
  const report = checkMounts(RIGHTS, [
    { source: 'a', events: a },
    { source: 'b', events: b },
  ]);
  return report.violations.map(({ kind }) => kind).sort();
}

describe('the checker of mounts for writing', () => {
  it('finds nothing wrong when a mount is within its right', () => {
    const kinds = mountKinds(
      [event('client~A', 'start', 11, 5), event('client~A', 'stop', 99, 5)],
      [event('client~B', 'start', 101, 8)],
    );
    assert.deepEqual(kinds, []);
  });

  it('catches two mounts at one time, and one that outlasts its right', () => {
    const kinds = mountKinds(
      [event('A', 'start', 11, 5), event('A', 'fenced', 120, 5)],
      [event('B', 'start', 101, 8), event('B', 'stop', 130, 8)],
    );
    assert.deepEqual(kinds, ['late', 'overlap']);
  });

  it('catches a mount that comes before its right', () => {
    assert.deepEqual(mountKinds([event('A', 'start', 5, 5), event('A', 'stop', 20, 5)], []), ['early']);
  });

  it('catches a mount with a token that nobody got, or somebody else', () => {
    assert.deepEqual(mountKinds([event('A', 'start', 11, 6), event('A', 'stop', 20, 6)], []), ['no-right']);
    assert.deepEqual(mountKinds([], [event('B', 'start', 11, 5), event('B', 'stop', 20, 5)]), ['no-right']);
  });

  it('catches a mount that has no end though its right has', () => {
    assert.deepEqual(mountKinds([event('A', 'start', 11, 5)], []), ['late']);
  });
});
