/** Records of access control from what a document says: fields given replace, fields absent stay. */
import { requireAccessFormat } from '../access/clients.js';
import { VOLUME_ACCESS_DEFAULTS } from '../access/look.js';
import { CfsError } from '../errors.js';
import { quoteName } from '../model/names.js';
import type { AccessRecord, VolumeAccessRecord } from '../model/tables.js';
import { booleanRule, checkValue, given, intervalRule } from '../model/values.js';
import { sameValue } from '../store/draft.js';
import type { Draft } from '../store/store.js';

/** What a client may do with a volume (cfs volume allow, lockout). */
export interface AccessInput extends Partial<AccessRecord> {
  volume: string;
  client: string;
}

/** Who may write a volume at all (cfs volume enable, disable, control). */
export type VolumeAccessInput = Partial<VolumeAccessRecord>;

/** @param base undefined for a new record, which must say whether the client may mount. @throws CfsError BAD_VALUE */
export function accessRecord(input: AccessInput, base: AccessRecord | undefined, defaults: AccessRecord): AccessRecord {
  const of = `access of client ${quoteName(input.client)} to volume ${quoteName(input.volume)}`;
  const { mount, lockout, autoUpdate, autoUpdateIntervalMs } = base ?? defaults;
  if (base === undefined && input.mount === undefined) {
    throw new CfsError('BAD_VALUE', `The ${of} does not say whether it may mount the volume`, {
      hint: 'Write mount: true, or mount: false.',
      details: { volume: input.volume, client: input.client, field: 'mount' },
    });
  }
  return {
    mount: checkValue(of, 'mount', given(input.mount, mount), booleanRule),
    lockout: checkValue(of, 'lockout', given(input.lockout, lockout), booleanRule),
    autoUpdate: checkValue(of, 'autoUpdate', given(input.autoUpdate, autoUpdate), booleanRule),
    autoUpdateIntervalMs: checkValue(
      of,
      'autoUpdateIntervalMs',
      given(input.autoUpdateIntervalMs, autoUpdateIntervalMs),
      intervalRule,
    ),
  };
}

/** Puts a volume's write settings if they differ from what holds now; nothing is stored for the defaults alone. */
export function putVolumeAccess(
  draft: Draft,
  volume: string,
  input: VolumeAccessInput,
): { before: VolumeAccessRecord | undefined; after: VolumeAccessRecord } | null {
  if (input.enabled === undefined && input.softwareLock === undefined && input.readOnlyMedia === undefined) return null;
  const before = draft.table('volumeAccess').get(volume);
  const base = before ?? VOLUME_ACCESS_DEFAULTS;
  const of = `volume ${quoteName(volume)}`;
  const field = (name: keyof VolumeAccessRecord) => checkValue(of, name, given(input[name], base[name]), booleanRule);
  const after = {
    enabled: field('enabled'),
    softwareLock: field('softwareLock'),
    readOnlyMedia: field('readOnlyMedia'),
  };
  if (sameValue(base, after)) return null;
  requireAccessFormat(draft);
  draft.put('volumeAccess', volume, after);
  return { before, after };
}
