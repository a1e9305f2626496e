/** What must be there when undo puts a record back, each with its words. */
import { requireNoWriter } from '../access/follow.js';
import { pairOf } from '../access/pair.js';
import { CfsError } from '../errors.js';
import { ALL_DOMAINS, ANY_GROUP } from '../model/defaults.js';
import { foldCase, quoteName } from '../model/names.js';
import type { NodeRecord, VolumeAccessRecord, VolumeRecord } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';

export function checkDistinct(snapshot: Snapshot, table: 'groups' | 'domains', name: string): void {
  for (const other of snapshot.table(table).names()) {
    if (other === name || foldCase(other) !== foldCase(name)) continue;
    const [code, kind] =
      table === 'groups' ? (['GROUP_EXISTS', 'group'] as const) : (['DOMAIN_EXISTS', 'domain'] as const);
    throw new CfsError(code, `The ${kind} ${quoteName(name)} cannot come back beside ${quoteName(other)}`, {
      hint: `Names of ${table} are compared without regard to letter case.`,
      details: { [kind]: name, existing: other },
    });
  }
}

export function checkPair(snapshot: Snapshot, name: string): void {
  const { volume, client } = pairOf(name);
  for (const [kind, of] of [
    ['volume', volume],
    ['client', client],
  ] as const) {
    if (snapshot.table(`${kind}s`).has(of)) continue;
    const code = kind === 'volume' ? 'VOLUME_NOT_FOUND' : 'CLIENT_NOT_FOUND';
    throw new CfsError(
      code,
      `Access ${quoteName(name)} cannot go back: there is no ${kind} ${quoteName(of)} any more`,
      {
        details: { volume, client },
      },
    );
  }
}

export function checkControl(snapshot: Snapshot, volume: string, { readOnlyMedia }: VolumeAccessRecord): void {
  if (!snapshot.table('volumes').has(volume)) {
    throw new CfsError(
      'VOLUME_NOT_FOUND',
      `Write settings cannot go back: there is no volume ${quoteName(volume)} any more`,
      { details: { volume } },
    );
  }
  if (readOnlyMedia) requireNoWriter(snapshot, volume);
}

function checkDeclared(snapshot: Snapshot, table: 'groups' | 'domains', of: string, list: readonly string[]): void {
  for (const name of list) {
    if (snapshot.table(table).has(name)) continue;
    const [code, kind] =
      table === 'groups' ? (['GROUP_NOT_FOUND', 'group'] as const) : (['DOMAIN_NOT_FOUND', 'domain'] as const);
    throw new CfsError(code, `${of} cannot go back: there is no ${kind} ${quoteName(name)} any more`, {
      hint: `Declare it first: cfs ${kind} add`,
      details: { [kind]: name },
    });
  }
}

export function checkNode(snapshot: Snapshot, name: string, record: NodeRecord): void {
  const of = `Node ${quoteName(name)}`;
  checkDeclared(snapshot, 'groups', of, record.groups);
  checkDeclared(
    snapshot,
    'domains',
    of,
    record.domains.filter((domain) => domain !== ALL_DOMAINS),
  );
}

export function checkVolume(snapshot: Snapshot, name: string, record: VolumeRecord): void {
  const of = `Volume ${quoteName(name)}`;
  const { group, domains, preferredNode } = record;
  checkDeclared(snapshot, 'groups', of, group === null || group === ANY_GROUP ? [] : [group]);
  checkDeclared(
    snapshot,
    'domains',
    of,
    domains.filter((domain) => domain !== ALL_DOMAINS),
  );
  if (preferredNode !== null && !snapshot.table('nodes').has(preferredNode)) {
    throw new CfsError(
      'NODE_NOT_FOUND',
      `${of} cannot go back: the node ${quoteName(preferredNode)} that it preferred is gone`,
      {
        details: { volume: name, node: preferredNode },
      },
    );
  }
}
