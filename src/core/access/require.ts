/** What must hold before an operation of access control goes on, each with its words. */
import { CfsError } from '../errors.js';
import { quoteName } from '../model/names.js';
import type { Draft } from '../store/store.js';
import { accessOf, isLoggedOn, logonOf, volumeAccessOf, writerOf } from './look.js';

/** @throws CfsError NOT_LOGGED_ON */
export function requireLoggedOn(draft: Draft, client: string): void {
  if (isLoggedOn(draft, client)) return;
  const reason = logonOf(draft, client)?.reason ?? null;
  throw new CfsError(
    'NOT_LOGGED_ON',
    `Client ${quoteName(client)} is not logged on${reason === null ? '' : ` (${reason})`}`,
    {
      hint: `Log it on: cfs client logon ${client}`,
      details: { client },
    },
  );
}

/** @throws CfsError MOUNT_DENIED */
export function requireMountRight(draft: Draft, volume: string, client: string): void {
  if (accessOf(draft, volume, client).mount) return;
  throw new CfsError('MOUNT_DENIED', `Client ${quoteName(client)} may not mount volume ${quoteName(volume)}`, {
    hint: `An administrator can allow it: cfs volume allow ${volume} ${client}`,
    details: { volume, client },
  });
}

/** @throws CfsError NOT_THE_WRITER */
export function requireWriter(draft: Draft, volume: string, client: string): void {
  const { writer } = writerOf(draft, volume);
  if (writer === client) return;
  const who = writer === null ? 'nobody is' : `${quoteName(writer)} is`;
  throw new CfsError(
    'NOT_THE_WRITER',
    `Client ${quoteName(client)} is not the writer of volume ${quoteName(volume)}: ${who}`,
    {
      hint: `See cfs volume access ${volume}`,
      details: { volume, client, writer },
    },
  );
}

/** What a client needs to write, beside the right to mount. @throws CfsError LOCKED_OUT, VOLUME_DISABLED, READ_ONLY_MEDIA */
export function requireWritable(draft: Draft, volume: string, client: string): void {
  const details = { volume, client };
  const name = quoteName(volume);
  if (accessOf(draft, volume, client).lockout) {
    throw new CfsError(
      'LOCKED_OUT',
      `Client ${quoteName(client)} is locked out from asking for changes of volume ${name}`,
      {
        hint: `An administrator can let it in: cfs volume unlock ${volume} ${client}`,
        details,
      },
    );
  }
  const { enabled, readOnlyMedia } = volumeAccessOf(draft, volume);
  if (!enabled) {
    throw new CfsError('VOLUME_DISABLED', `Volume ${name} is disabled: nobody can write to it`, {
      hint: `An administrator can enable it: cfs volume enable ${volume}`,
      details,
    });
  }
  if (!readOnlyMedia) return;
  throw new CfsError('READ_ONLY_MEDIA', `Volume ${name} is on read-only media: it cannot have a writer`, {
    hint: `If that is wrong: cfs volume control ${volume} --no-read-only-media`,
    details,
  });
}

/** @param client whose; null: anybody's */
export function noRequest(volume: string, client: string | null): CfsError {
  const whose = client === null ? '' : ` of client ${quoteName(client)}`;
  return new CfsError('REQUEST_NOT_FOUND', `No request${whose} for volume ${quoteName(volume)} waits for an answer`, {
    hint: 'See what waits: cfs volume requests',
    details: { volume, client },
  });
}
