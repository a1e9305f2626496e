/**
 * The tables of the configuration database. Whoever reads this file should be able to guess the functions.
 *
 * A table is a map from a name to a record. A record never carries what another record says already; a part adds its
 * own tables, keyed by the names of others, and no fields to another part's (DESIGN.md, "Tables").
 */

/** Table `cluster`: one record per setting, keyed by the setting's name (`name`, `history.keep`, `freeze` …). */
export interface SettingRecord {
  value: string | number | boolean | FreezeValue;
}

/** Value of the setting `freeze`: no automatic action until it ends. */
export interface FreezeValue {
  /** When it ends (RFC 3339, UTC); null: when somebody ends it. */
  until: string | null;
  reason: string | null;
}

/** Table `nodes`, keyed by node name (FIG. 5A). Utilization 420E comes from load/; 420H and 420I are derived. */
export interface NodeRecord {
  /** Relative capability, a decimal >= 0 (420B). */
  weight: number;
  /** How often the node reports its utilization, ms (420C). */
  updateIntervalMs: number;
  /** Utilization above which the node redirects clients, 0 to 1 (420D). */
  threshold: number;
  /** Groups by priority, first choice first (420F). Names as declared. */
  groups: string[];
  /** What the node is attached to (420G); `ALL` matches every domain. */
  domains: string[];
}

/** States of a node (DESIGN.md, "Membership and failover"). Online and suspect are active for placement. */
export const NODE_STATES = ['joining', 'online', 'suspect', 'standby', 'offline', 'failed'] as const;
export type NodeState = (typeof NODE_STATES)[number];

/** Table `membership`, keyed by node name: a node's state, apart from its configuration so that undo never touches it. */
export interface MembershipRecord {
  state: NodeState;
  /** Why it is in this state, one sentence; null when nothing is to be said. */
  reason: string | null;
  /**
   * Of a failed node (or a drained one whose agent ended before it had released): the sequence number of its lease when that was
   * confirmed. As long as its lease shows no higher one, it has stopped what it ran (or was fenced), and others may start it. Of a
   * suspect node: the number that was found quiet; a higher one means that it renewed. From format 2 on, like the fields below.
   */
  lease?: number;
  /** Its agent may bring it in by itself: it was added, or left on its own. An administrator's `offline` takes this away. */
  mayJoin?: true;
  /** Back after a failure: the volumes that prefer it return when it has stayed up for `failback.hold`. */
  held?: true;
}

/** Steps of fencing a node before others take over what it had. */
export const FENCING_STATES = ['running', 'failed', 'done', 'confirmed'] as const;
export type FencingState = (typeof FENCING_STATES)[number];

/** Table `fencing`, keyed by the node that is fenced; absent: nothing is to be fenced. Gone when the node joins again. */
export interface FencingRecord {
  state: FencingState;
  /** The node that runs (ran) the fencing command; null where a person confirmed. */
  by: string | null;
  /** Sequence number of the lease at which the node was found quiet; it says nothing of a later life. Null: it had no lease. */
  lease: number | null;
  /** How often the command was run since the node became suspect. */
  attempts: number;
  /** What the command said last, or the person; one line. */
  message: string | null;
}

/** Table `groups`, keyed by the declared name. Compared without regard to case. */
export interface GroupRecord {
  description: string | null;
}

/** Table `domains`, keyed by the declared name. Compared without regard to case. */
export interface DomainRecord {
  description: string | null;
}

/** Table `volumes`, keyed by volume name (FIG. 5B): what is wished. Where the volume is stands in `placements`. */
export interface VolumeRecord {
  /** Expected demand, a decimal >= 0 (440H). */
  weight: number;
  /** Kind of volume (440B–C): a declared group, `Any`, or null. */
  group: string | null;
  /** Domains (440J–K): declared ones, or `ALL`. */
  domains: string[];
  /** Where it wants to be (440D–E). */
  preferredNode: string | null;
  /** Whether a node without its group may have it (440I). */
  canGroupMigrate: boolean;
}

/** Why a volume has no node. */
export type UnplacedReason = 'no-common-domain' | 'group-locked';

/** Table `placements`, keyed by volume name: where each volume is (440F–G), and which decision put it there. */
export interface PlacementRecord {
  /** The administrative node; null: nowhere, with the reason. */
  node: string | null;
  /** Generation that made this node administer it: the volume's epoch, its fencing token. */
  since: number;
  /** What decided: a strategy (`staged`), `failover`, `failback`, `drain`, `join`, `undo`, or `given` (an operator's input). */
  by: string;
  /** The stage within it (`1152` … `1164`), or null. */
  stage: string | null;
  /** The rule in a few words, as `--explain` prints it (`ops, level 3, RC 2.88 -> -16.13`), or null. */
  rule: string | null;
  /** Set when `node` is null. */
  unplaced: UnplacedReason | null;
}

/**
 * Table `clients`, keyed by client name (FIG. 13A): a workstation or server that mounts volumes; what is wished of it. The command that
 * answers for it stands in the client's own configuration, since programs never come from the shared directory.
 */
export interface ClientRecord {
  /** Tell this client when others' privileges change (1358). */
  refreshNotify: boolean;
  /** Write requests are answered without asking anybody: by the client's own command, or yes. */
  autoRespond: boolean;
  /** May not change its own settings. */
  lockedOut: boolean;
}

/** Table `logons`, keyed by client name: absent, it never logged on. Apart from `clients`, so that undo never touches it. */
export interface LogonRecord {
  /** 1356. */
  loggedOn: boolean;
  /** When it last logged on or off, or was found gone; RFC 3339, UTC, for people: nothing is decided by it. */
  lastSeen: string;
  /** Why it is not logged on, one sentence; null when nothing is to be said. */
  reason: string | null;
  /**
   * Of a client that was found gone: the sequence number of its lease when that was confirmed. Of one that is logged on:
   * that of the last lease of a former life (its agent came up again, or is gone). It says nothing of this one; only a higher one can lapse.
   */
  lease?: number;
  /**
   * The host on which commands mount for it, without an agent: only there can its mounts be made less. Absent: its agent mounts, or
   * nothing is mounted by cfs (driver `record`).
   */
  host?: string;
}

/** Table `access`, keyed `VOLUME/CLIENT` (FIG. 13B): what a client may do with a volume. Absent: nothing. */
export interface AccessRecord {
  /** May mount the volume (1388). */
  mount: boolean;
  /** May not ask for changes (1396). */
  lockout: boolean;
  /** Its read-only mount is refreshed when the volume was modified (1384). */
  autoUpdate: boolean;
  /** At most so often, ms. */
  autoUpdateIntervalMs: number;
}

/** Table `mounts`, keyed `VOLUME/CLIENT`: the client has the volume mounted; for writing where it is the volume's writer. */
export interface MountRecord {
  /** The generation that the mount shows at least: it was made, or made anew, after that one was read. */
  refreshed: number;
  /** When that was (1386); RFC 3339, UTC, for people. */
  lastRefresh: string;
}

/** Table `volumeAccess`, keyed by volume name (FIG. 13B): what is wished of it. Absent: enabled, no lock, media that can be written. */
export interface VolumeAccessRecord {
  /** Write-enabled (1392). */
  enabled: boolean;
  /** Its root holds a software lock, which keeps hosts out that cfs does not control. */
  softwareLock: boolean;
  /** A CD-ROM cannot have a writer. */
  readOnlyMedia: boolean;
}

/** A writer that is about to give its right up: its mount is made read-only first. */
export interface Yield {
  /** The client whose request was granted; null: it gives it up of its own accord. */
  to: string | null;
  /** Programs with open files are ended; without it the answer becomes a denial that names them. */
  force: boolean;
  /** What the writer said to the requester. */
  message: string | null;
}

/** Table `writers`, keyed by volume name: who may write, and who waits for it. Absent: nobody ever. */
export interface WriterRecord {
  /** The only client that may write (1394); null: none. */
  writer: string | null;
  /** The generation that made it the writer (or left the volume without one): its fencing token. */
  since: number;
  /** The writer gives up; absent: it does not. */
  yields?: Yield;
  /**
   * Clients with a pending request, in the order of asking. Empty while there is no writer. The writer itself is there when it asked
   * anew while it yields.
   */
  queue: string[];
  /** The generation that recorded the last modification; 0: none is known. Compared with a mount's `refreshed`. */
  modified: number;
  /** When that was (1382); RFC 3339, UTC, for people. */
  lastModified: string | null;
}

export const RESPONSES = ['pending', 'granted', 'denied', 'expired', 'withdrawn'] as const;
export type RequestResponse = (typeof RESPONSES)[number];

/** Table `requests`, keyed `VOLUME/CLIENT`: the newest write request of a client for a volume, and its answer. */
export interface RequestRecord {
  /** The generation that asked: tells it from earlier and later ones, and is the order of asking. */
  asked: number;
  askedAt: string;
  /** The writer when it was asked; whoever is the writer answers. */
  to: string;
  /** 1360. */
  message: string | null;
  /** It expires when somebody has seen it pending for so long by his own clock, ms. */
  limitMs: number;
  /** 1354. */
  response: RequestResponse;
  /** 1362; why it was denied, expired or withdrawn. */
  responseMessage: string | null;
  answeredAt: string | null;
}

/** Every table and the type of its records. */
export interface Tables {
  cluster: SettingRecord;
  nodes: NodeRecord;
  membership: MembershipRecord;
  fencing: FencingRecord;
  groups: GroupRecord;
  domains: DomainRecord;
  volumes: VolumeRecord;
  placements: PlacementRecord;
  clients: ClientRecord;
  logons: LogonRecord;
  access: AccessRecord;
  mounts: MountRecord;
  volumeAccess: VolumeAccessRecord;
  writers: WriterRecord;
  requests: RequestRecord;
}

export type TableName = keyof Tables;
export type AnyRecord = Tables[TableName];

/** In the order they are shown. */
export const TABLE_NAMES = [
  'cluster',
  'groups',
  'domains',
  'nodes',
  'membership',
  'fencing',
  'volumes',
  'placements',
  'clients',
  'logons',
  'access',
  'mounts',
  'volumeAccess',
  'writers',
  'requests',
] as const satisfies readonly TableName[];

/** Tables that say what is wished. Undo, restore and `apply --prune` change these only (DESIGN.md, "Tables"). */
export const CONFIGURATION_TABLES = [
  'cluster',
  'groups',
  'domains',
  'nodes',
  'volumes',
  'clients',
  'access',
  'volumeAccess',
] as const satisfies readonly TableName[];
