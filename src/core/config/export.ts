/**
 * A snapshot as a document, in the form of the file. Every field is written, so that the file is complete by itself; in a
 * stable order, so that two exports can be compared. Applying it to the same cluster changes nothing.
 */
import { volumeAccessOf } from '../access/look.js';
import { pairOf } from '../access/pair.js';
import { isActive, stateOf } from '../membership/states.js';
import { ACCESS_FORMAT } from '../model/format.js';
import { naturalCompare } from '../model/names.js';
import { formatSetting, SETTINGS } from '../model/settings.js';
import type { ClientRecord, TableName, Tables, VolumeAccessRecord } from '../model/tables.js';
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

/** Who may write it at all is told where some client or some volume's write settings are there. */
export interface ExportedVolume extends Partial<VolumeAccessRecord> {
  name: string;
  weight: number;
  group: string | null;
  domains: string[];
  preferredNode: string | null;
  /** Only a volume that is created is placed by it. */
  currentNode: string | null;
  canGroupMigrate: boolean;
}

export interface ExportedClient extends ClientRecord {
  name: string;
}

export interface ExportedAccess {
  volume: string;
  client: string;
  mount: boolean;
  lockout: boolean;
  autoUpdate: boolean;
  autoUpdateInterval: string;
}

export interface ExportedDocument {
  /** Settings that were set, by name; durations as text. */
  cluster: Record<string, string | number>;
  groups: (string | { name: string; description: string })[];
  domains: (string | { name: string; description: string })[];
  nodes: ExportedNode[];
  volumes: ExportedVolume[];
  /** Absent, like `access`, in a cluster of a format that has no clients: an older cfs can read the file. */
  clients?: ExportedClient[];
  access?: ExportedAccess[];
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
  const writes = snapshot.table('clients').count > 0 || snapshot.table('volumeAccess').count > 0;
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
      ...(writes ? volumeAccessOf(snapshot, name) : {}),
    })),
    ...(snapshot.format >= ACCESS_FORMAT ? { clients: clients(snapshot), access: access(snapshot) } : {}),
  };
}

function clients(snapshot: Snapshot): ExportedClient[] {
  return sorted(snapshot, 'clients').map(([name, { refreshNotify, autoRespond, lockedOut }]) => ({
    name,
    refreshNotify,
    autoRespond,
    lockedOut,
  }));
}

function access(snapshot: Snapshot): ExportedAccess[] {
  return sorted(snapshot, 'access').map(([name, { mount, lockout, autoUpdate, autoUpdateIntervalMs }]) => ({
    ...pairOf(name),
    mount,
    lockout,
    autoUpdate,
    autoUpdateInterval: formatDuration(autoUpdateIntervalMs),
  }));
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
