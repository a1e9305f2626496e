/** Filling an empty database: from a document, or from a few words of a template. */
import { CfsError } from '../errors.js';
import { quoteName } from '../model/names.js';
import { checkValue } from '../model/values.js';
import type { Operation } from '../operation.js';
import { type ApplyResult, applyDocument } from './apply.js';
import { type ClusterDocument, documentCounts } from './document.js';

export interface InitRequest {
  document: ClusterDocument;
  /** Where the document came from, for history. */
  source?: string;
}

/** Makes generation 1. @throws CfsError CLUSTER_EXISTS when the draft holds a cluster, BAD_FILE without a name */
export const init: Operation<InitRequest, ApplyResult> = {
  name: 'init',
  run(draft, request, { nowMs }) {
    const existing = draft.table('cluster').get('name')?.value;
    if (draft.generation > 0 || existing !== undefined) {
      throw new CfsError('CLUSTER_EXISTS', `There is a cluster already: ${quoteName(String(existing))}`, {
        hint: 'Change it with cfs apply -f FILE.',
        details: { generation: draft.generation },
      });
    }
    if (request.document.settings?.name === undefined) {
      throw new CfsError('BAD_FILE', 'The document does not name the cluster', {
        hint: 'Add to it: cluster: {name: NAME}',
      });
    }
    return applyDocument(draft, request.document, { prune: false, nowMs });
  },
  recorded: ({ document, ...rest }) => ({ ...rest, document: documentCounts(document) }),
};

export interface TemplateParameters {
  /** Name of the cluster. */
  name: string;
  /** Names of the nodes, or how many (`n1`, `n2` …). */
  nodes?: readonly string[] | number;
  /** Groups that every node takes, in this order. */
  groups?: readonly string[];
  /** Domains that every node is attached to. */
  domains?: readonly string[];
  /** How many volumes (`v1`, `v2` …), each of weight 1, reached from everywhere. */
  volumes?: number;
  /** Names of clients; each may mount all these volumes. */
  clients?: readonly string[];
  /** State of the nodes; default `online`: a template is for a cluster that begins to work at once. */
  state?: 'online' | 'offline';
}

/** Most nodes and volumes that a template makes; for more write a file. */
const MAX_TEMPLATE = 100_000;

function counted(what: string, prefix: string, count: number): string[] {
  checkValue('the template', what, count, (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_TEMPLATE
      ? null
      : `it is a whole number from 0 to ${MAX_TEMPLATE}`,
  );
  return Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
}

/** The document of a template. @throws CfsError BAD_VALUE for counts out of range; names are checked by `init` */
export function templateDocument(parameters: TemplateParameters): ClusterDocument {
  const { name, nodes = [], groups = [], domains = [], volumes = 0, clients = [], state = 'online' } = parameters;
  const nodeNames = typeof nodes === 'number' ? counted('number of nodes', 'n', nodes) : nodes;
  const volumeNames = counted('number of volumes', 'v', volumes);
  return {
    settings: { name },
    groups: groups.map((group) => ({ name: group })),
    domains: domains.map((domain) => ({ name: domain })),
    nodes: nodeNames.map((node) => ({ name: node, groups, domains, state })),
    volumes: volumeNames.map((volume) => ({ name: volume })),
    clients: clients.map((client) => ({ name: client })),
    access: volumeNames.flatMap((volume) => clients.map((client) => ({ volume, client, mount: true }))),
  };
}
