/**
 * A snapshot as a document, in the form of the file. Every field is written, so that the file is complete by itself; in a
 * stable order, so that two exports can be compared. Applying it to the same cluster changes nothing.
 */
import { isActive, stateOf } from '../membership/states.js';
import { naturalCompare } from '../model/names.js';
import { formatSetting, SETTINGS } from '../model/settings.js';
import type { TableName, Tables } from '../model/tables.js';
import { formatDuration } from '../model/units.js';
import type { Snapshot, TableView } from '../store/store.js';

export interface ExportedNode {
  name: string;
  weight: number;
  groups: string[];
  domains: string[];
  threshold: number;
  updateInterval: string;
  /** `online` for an active node, else `offline`; only a node that is created begins in it. */
  state: 'online' | 'offline';
}

export interface ExportedVolume {
  name: string;
  weight: number;
  group: string | null;
  domains: string[];
  preferredNode: string | null;
  /** Only a volume that is created is placed by it. */
  currentNode: string | null;
  canGroupMigrate: boolean;
}

export interface ExportedDocument {
  /** Settings that were set, by name; durations as text. */
  cluster: Record<string, string | number>;
  groups: (string | { name: string; description: string })[];
  domains: (string | { name: string; description: string })[];
  nodes: ExportedNode[];
  volumes: ExportedVolume[];
}

function sorted<N extends TableName>(snapshot: Snapshot, table: N): [string, Tables[N]][] {
  const entries = [...(snapshot.table(table) as TableView<Tables[N]>).entries()];
  return entries.sort((a, b) => naturalCompare(a[0], b[0]));
}

function declared(snapshot: Snapshot, table: 'groups' | 'domains'): (string | { name: string; description: string })[] {
  return sorted(snapshot, table).map(([name, { description }]) =>
    description === null ? name : { name, description },
  );
}

/** The configuration of a snapshot. A freeze is not part of it: it is an act, not a wish. */
export function exportDocument(snapshot: Snapshot): ExportedDocument {
  const cluster: ExportedDocument['cluster'] = {};
  for (const { name } of SETTINGS) {
    const value = snapshot.table('cluster').get(name)?.value;
    if (typeof value === 'string' || typeof value === 'number') cluster[name] = exportedSetting(name, value);
  }
  const placements = snapshot.table('placements');
  return {
    cluster,
    groups: declared(snapshot, 'groups'),
    domains: declared(snapshot, 'domains'),
    nodes: sorted(snapshot, 'nodes').map(([name, node]) => ({
      name,
      weight: node.weight,
      groups: node.groups,
      domains: node.domains,
      threshold: node.threshold,
      updateInterval: formatDuration(node.updateIntervalMs),
      state: isActive(stateOf(snapshot, name)) ? 'online' : 'offline',
    })),
    volumes: sorted(snapshot, 'volumes').map(([name, volume]) => ({
      name,
      weight: volume.weight,
      group: volume.group,
      domains: volume.domains,
      preferredNode: volume.preferredNode,
      currentNode: placements.get(name)?.node ?? null,
      canGroupMigrate: volume.canGroupMigrate,
    })),
  };
}

function exportedSetting(name: string, value: string | number): string | number {
  return SETTINGS.some((setting) => setting.name === name && setting.type === 'duration')
    ? formatSetting(name, value)
    : value;
}

/** The document as YAML. Loads the writer; costs about a second for 100,000 volumes. */
export async function exportYaml(snapshot: Snapshot): Promise<string> {
  const { dump, CORE_SCHEMA } = await import('js-yaml');
  // Lists of names stand on one line; references (&a, *a) would make a record unreadable by itself.
  return dump(exportDocument(snapshot), { schema: CORE_SCHEMA, flowLevel: 3, noRefs: true, lineWidth: -1 });
}
