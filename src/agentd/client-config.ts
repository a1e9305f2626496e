/**
 * The key `client` of the agent's configuration: which client this host is, and how its volumes are mounted here.
 *
 *   "client": { "name": "c1", "autoRespond": "/etc/cfs/may-release", "autoRespondTimeout": "30s",
 *     "driver": {"type": "mount", "timeout": "60s"},
 *     "volumes": { "v1": {"device": "/dev/disk/by-label/v1", "at": "/srv/v1", "fsType": "ext4", "options": "noatime"},
 *                  "v2": {"directory": "/shared/v2", "at": "/srv/v2"} } }
 *
 *   driver    record (default: touches nothing), command (with "command" and "timeout"), mount (with "timeout"); see mounts/
 *   volumes   for driver mount: a device (or an image file, mounted by a loop device), or a directory that is bound
 *   options   of mount(8), in both modes; roOptions, rwOptions: more of them in one. ro, rw and the like are said by cfs.
 */
import { resolve } from 'node:path';
import * as v from 'valibot';
import type { CfsError } from '../core/errors.js';
import { parseName, quoteName } from '../core/model/names.js';
import { escapeText } from '../render/format.js';
import { absolutePath, duration } from './config-values.js';

export type MountDriverConfig =
  | { type: 'record' }
  | { type: 'command'; command: string; timeoutMs: number }
  | { type: 'mount'; timeoutMs: number };

/** Where one volume lies and where it is mounted. One of device and directory is null. */
export interface ClientVolumeConfig {
  /** Block device or image file, absolute. */
  device: string | null;
  /** Absolute; bound. */
  directory: string | null;
  /** The mount point, absolute. */
  at: string;
  /** Null: asked of the device. */
  fsType: string | null;
  /** For mount(8), each without `ro` and `rw`. */
  options: string[];
  roOptions: string[];
  rwOptions: string[];
}

/** What holds, with the defaults filled in. Plain JSON. */
export interface ClientConfig {
  name: string;
  /** Answers write requests where autoRespond is on; null: the answer is yes. */
  autoRespond: string | null;
  autoRespondTimeoutMs: number;
  driver: MountDriverConfig;
  volumes: Record<string, ClientVolumeConfig>;
}

/** What cfs says itself, or what would make a mount another one than it looks like. */
const OWN_OPTIONS = new Set(
  'ro rw remount bind rbind move loop shared private slave unbindable rshared rprivate rslave runbindable'.split(' '),
);

const options = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const all = dataset.value.split(',').filter((option) => option !== '');
    const own = all.find((option) => OWN_OPTIONS.has(option.split('=')[0]!));
    if (own !== undefined) addIssue({ message: `"${own}" is said by cfs itself` });
    else if (!/^[\x21-\x7e]*$/.test(dataset.value)) addIssue({ message: 'holds a blank or a control character' });
    else return all;
    return NEVER;
  }),
);

const nameOf = (kind: string) =>
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return parseName(kind, dataset.value);
      } catch (error) {
        addIssue({ message: (error as CfsError).message });
        return NEVER;
      }
    }),
  );

/** A line end in a path would be one in a message. */
const path = v.pipe(
  absolutePath,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  v.check((text) => !/[\x00-\x1f\x7f]/.test(text), 'holds a control character'),
  v.transform((text) => resolve(text)),
);

const volume = v.pipe(
  v.strictObject({
    device: v.optional(path),
    directory: v.optional(path),
    at: v.pipe(
      path,
      v.check((text) => text !== '/', 'is the root of this host'),
    ),
    fsType: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9][\w.-]*$/, 'is no type of a file system'))),
    options: v.optional(options, ''),
    roOptions: v.optional(options, ''),
    rwOptions: v.optional(options, ''),
  }),
  v.check((it) => (it.device === undefined) !== (it.directory === undefined), 'names no device or directory, or both'),
  v.check((it) => it.directory === undefined || it.fsType === undefined, 'names a directory, which has no fsType'),
);

type VolumeEntry = v.InferOutput<typeof volume>;

/** No two volumes may have the same text; the first two that have are named. */
function oneEach(textOf: (entry: VolumeEntry) => string, says: (both: string, text: string) => string) {
  return v.rawCheck<Record<string, VolumeEntry>>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const found = new Map<string, string>();
    for (const [name, entry] of Object.entries(dataset.value)) {
      const text = textOf(entry);
      const other = found.get(text);
      if (other !== undefined) {
        addIssue({ message: says(`${quoteName(other)} and ${quoteName(name)}`, escapeText(text)) });
        return;
      }
      found.set(text, name);
    }
  });
}

export const clientSchema = v.strictObject({
  name: nameOf('client'),
  autoRespond: v.optional(absolutePath),
  autoRespondTimeout: v.optional(duration, '30s'),
  driver: v.optional(
    v.variant('type', [
      v.strictObject({ type: v.literal('record') }),
      v.strictObject({ type: v.literal('command'), command: absolutePath, timeout: v.optional(duration, '60s') }),
      v.strictObject({ type: v.literal('mount'), timeout: v.optional(duration, '60s') }),
    ]),
  ),
  volumes: v.optional(
    v.pipe(
      v.record(nameOf('volume'), volume),
      oneEach(
        ({ at }) => at,
        (both, at) => `mounts two volumes at one place: ${both} at ${at}`,
      ),
      oneEach(
        ({ device, directory }) => device ?? directory!,
        (both, source) => `names one device or directory for two volumes: ${source} for ${both}`,
      ),
    ),
    {},
  ),
});

/** With the defaults filled in; null: this host is no client. */
export function clientConfigOf(file: v.InferOutput<typeof clientSchema> | undefined): ClientConfig | null {
  if (file === undefined) return null;
  const volumes = Object.entries(file.volumes).map(
    ([name, { device = null, directory = null, fsType = null, ...rest }]) => [
      name,
      { device, directory, fsType, ...rest },
    ],
  );
  return {
    name: file.name,
    autoRespond: file.autoRespond ?? null,
    autoRespondTimeoutMs: file.autoRespondTimeout,
    driver: driverConfigOf(file.driver),
    volumes: Object.fromEntries(volumes) as ClientConfig['volumes'],
  };
}

function driverConfigOf(driver: v.InferOutput<typeof clientSchema>['driver']): MountDriverConfig {
  if (driver?.type === 'command') return { type: 'command', command: driver.command, timeoutMs: driver.timeout };
  if (driver?.type === 'mount') return { type: 'mount', timeoutMs: driver.timeout };
  return { type: 'record' };
}
