/**
 * What concerns one client, by the newest generation read: the volumes that it has mounted, writes or waits for, and the requests that
 * are addressed to it or its own. Kept from generation to generation by what each changed: that costs what changed, however large the
 * cluster is. A resync reads the tables `mounts` and `writers` once.
 */
import type { RequestRecord, WriterRecord, Yield } from '../../model/tables.js';
import type { Change, Snapshot } from '../../store/store.js';
import { desiredMode, type MountMode, modeUnlessYielding } from '../desired.js';
import {
  accessOf,
  isLoggedOn,
  isMounted,
  logonOf,
  mountingHost,
  pendingRequest,
  volumeAccessOf,
  writerOf,
} from '../look.js';
import { pairName, pairOf } from '../pair.js';

export interface VolumeView {
  volume: string;
  /** What must be mounted here. */
  desired: MountMode;
  writer: string | null;
  /** This client is recorded as the writer; then `since` is the epoch of its right. */
  isWriter: boolean;
  since: number;
  yields: Yield | null;
  /** It is about to give its right up, and would keep it if it could not. */
  mayKeep: boolean;
  /** Whoever waits, in the order of asking. */
  queue: readonly string[];
  softwareLock: boolean;
  autoUpdate: boolean;
  autoUpdateIntervalMs: number;
  /** WriterRecord.modified, and MountRecord.refreshed of this client (0: not mounted). */
  modified: number;
  refreshed: number;
}

/** A request that waits for an answer. */
export interface PendingRequest {
  volume: string;
  client: string;
  asked: number;
  limitMs: number;
  message: string | null;
}

export class ClientView {
  generation = 0;
  /** The cluster has a client of this name. */
  isKnown = false;
  isLoggedOn = false;
  /** It has logged on at least once since it was added. */
  hasLogon = false;
  /** It was found gone since it logged on last. */
  wasFoundGone = false;
  /** As its record said when it was logged on last: leases up to this one say nothing of it. -1: none is named. */
  former = -1;
  /** Commands mount for this client there (LogonRecord.host); null: nowhere, or what they had mounted is over. */
  mountingHost: string | null = null;
  autoRespond = false;
  refreshNotify = false;
  readonly volumes = new Map<string, VolumeView>();
  /** By volume and client: requests for what this client writes, and its own. */
  readonly requests = new Map<string, PendingRequest>();

  constructor(private readonly client: string) {}

  /** Reads everything anew. */
  reset(snapshot: Snapshot): void {
    const concerned = new Set<string>();
    for (const name of snapshot.table('mounts').names()) {
      const { volume, client } = pairOf(name);
      if (client === this.client) concerned.add(volume);
    }
    for (const [volume, writer] of snapshot.table('writers').entries()) {
      if (this.isNamedIn(writer)) concerned.add(volume);
    }
    this.volumes.clear();
    this.requests.clear();
    this.readClient(snapshot);
    for (const volume of concerned) this.read(snapshot, volume);
    this.generation = snapshot.generation;
  }

  /** Takes in the generations up to `snapshot`, which changed this. */
  apply(snapshot: Snapshot, changes: Iterable<Change>): void {
    const touched = new Set<string>();
    const asked = new Set<string>();
    let isClientTouched = false;
    for (const change of changes) {
      switch (change.table) {
        case 'clients':
        case 'logons':
          if (change.name === this.client) isClientTouched = true;
          break;
        case 'mounts':
        case 'access': {
          const { volume, client } = pairOf(change.name);
          if (client === this.client) touched.add(volume);
          break;
        }
        case 'requests':
          asked.add(change.name);
          break;
        case 'writers': {
          const concerns = [change.before, change.after].some((record) =>
            this.isNamedIn(record as WriterRecord | null),
          );
          if (concerns || this.volumes.has(change.name)) touched.add(change.name);
          break;
        }
        case 'volumes':
        case 'volumeAccess':
          if (this.volumes.has(change.name)) touched.add(change.name);
          break;
      }
    }
    for (const name of asked) {
      this.requests.delete(name);
      if (this.volumes.has(pairOf(name).volume)) touched.add(pairOf(name).volume);
    }
    if (isClientTouched) {
      this.readClient(snapshot);
      for (const volume of this.volumes.keys()) touched.add(volume);
    }
    for (const volume of touched) this.read(snapshot, volume);
    this.generation = snapshot.generation;
  }

  /** The request that waits longest for a volume that this client writes; its own does not count. */
  firstRequest({ volume, queue }: VolumeView): PendingRequest | undefined {
    const first = queue[0];
    return first === undefined || first === this.client ? undefined : this.requests.get(pairName(volume, first));
  }

  private isNamedIn(writer: WriterRecord | null): boolean {
    return writer !== null && (writer.writer === this.client || writer.queue.includes(this.client));
  }

  private readClient(snapshot: Snapshot): void {
    const record = snapshot.table('clients').get(this.client);
    const logon = logonOf(snapshot, this.client);
    this.isKnown = record !== undefined;
    this.isLoggedOn = isLoggedOn(snapshot, this.client);
    this.hasLogon = logon !== undefined;
    this.mountingHost = mountingHost(snapshot, this.client);
    if (logon?.loggedOn !== false) this.former = logon?.lease ?? -1;
    this.wasFoundGone = logon?.loggedOn === false && (logon.lease ?? -1) > this.former;
    this.autoRespond = record?.autoRespond ?? false;
    this.refreshNotify = record?.refreshNotify ?? false;
  }

  private read(snapshot: Snapshot, volume: string): void {
    const writer = writerOf(snapshot, volume);
    if (!this.isNamedIn(writer) && !isMounted(snapshot, volume, this.client)) {
      this.volumes.delete(volume);
      this.readRequests(snapshot, volume, []);
      return;
    }
    const { autoUpdate, autoUpdateIntervalMs } = accessOf(snapshot, volume, this.client);
    const isWriter = writer.writer === this.client;
    this.volumes.set(volume, {
      volume,
      desired: desiredMode(snapshot, volume, this.client),
      writer: writer.writer,
      isWriter,
      since: writer.since,
      yields: isWriter ? (writer.yields ?? null) : null,
      mayKeep: isWriter && writer.yields !== undefined && mayKeep(snapshot, volume, this.client, writer.yields),
      queue: writer.queue,
      softwareLock: volumeAccessOf(snapshot, volume).softwareLock,
      autoUpdate,
      autoUpdateIntervalMs,
      modified: writer.modified,
      refreshed: snapshot.table('mounts').get(pairName(volume, this.client))?.refreshed ?? 0,
    });
    const own = writer.queue.includes(this.client) ? [this.client] : [];
    this.readRequests(snapshot, volume, isWriter ? writer.queue : own);
  }

  /** One record for each client whose request is not known yet. */
  private readRequests(snapshot: Snapshot, volume: string, clients: readonly string[]): void {
    const names = new Set(clients.map((client) => pairName(volume, client)));
    for (const [name, request] of this.requests) {
      if (request.volume === volume && !names.has(name)) this.requests.delete(name);
    }
    for (const client of clients) {
      const name = pairName(volume, client);
      if (this.requests.has(name)) continue;
      const request = pendingRequest(snapshot, volume, client);
      if (request !== undefined) this.requests.set(name, pendingOf(volume, client, request));
    }
  }
}

/** As in the operation `givenUp`: a problem ends such a yield. */
function mayKeep(snapshot: Snapshot, volume: string, client: string, { to, force }: Yield): boolean {
  return !force && (to !== null || modeUnlessYielding(snapshot, volume, client) === 'rw');
}

function pendingOf(volume: string, client: string, { asked, limitMs, message }: RequestRecord): PendingRequest {
  return { volume, client, asked, limitMs, message };
}
