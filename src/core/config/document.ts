/**
 * The declarative document: a whole cluster, or a part of it, as one wishes it. Read from a file (file.ts), written by export,
 * taken by init and apply. A section that is absent says nothing; a field that is absent leaves an existing record's as it is.
 */
import type { ClientInput } from '../access/clients.js';
import type { AccessInput } from './access.js';
import type { DeclaredInput } from './declared.js';
import type { NodeInput } from './nodes.js';
import type { VolumeInput } from './volumes.js';

export interface ClusterDocument {
  /** Settings by name (`name`, `lease.interval` …), as stored: durations in ms. */
  settings?: Record<string, string | number>;
  groups?: readonly DeclaredInput[];
  domains?: readonly DeclaredInput[];
  nodes?: readonly NodeInput[];
  volumes?: readonly VolumeInput[];
  clients?: readonly ClientInput[];
  access?: readonly AccessInput[];
}

export const SECTIONS = ['groups', 'domains', 'nodes', 'volumes', 'clients', 'access'] as const;
export type Section = (typeof SECTIONS)[number];

/** How much the document holds, for history. */
export function documentCounts(document: ClusterDocument): Partial<Record<Section | 'settings', number>> {
  const counts: Partial<Record<Section | 'settings', number>> = {};
  if (document.settings !== undefined) counts.settings = Object.keys(document.settings).length;
  for (const section of SECTIONS) {
    const records = document[section];
    if (records !== undefined) counts[section] = records.length;
  }
  return counts;
}
