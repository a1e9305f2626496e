/** What new generations say to this client, as log lines and hooks: what it was granted, and (refreshNotify) what others may do now. */
import type { HookEvent, Log } from '../../agent/ports.js';
import type { WriterRecord } from '../../model/tables.js';
import type { Change } from '../../store/store.js';
import { pairOf } from '../pair.js';
import type { ClientView } from './client-view.js';

export interface NewsOptions {
  client: string;
  /** With the changes taken in. */
  view: ClientView;
  log: Log;
  hook: (event: HookEvent, variables: Record<string, string>) => void;
}

/** Tells what a generation changed. */
export function tellAccess({ client, view, log, hook }: NewsOptions, changes: readonly Change[]): void {
  for (const { table, name, before, after } of changes) {
    if (table === 'writers') {
      const was = (before as WriterRecord | null)?.writer ?? null;
      const record = after as WriterRecord | null;
      const writer = record?.writer ?? null;
      if (was === writer) continue;
      if (writer === client) {
        log.info({ volume: name, epoch: record?.since }, `the right to write volume ${name} is granted`);
        hook('write-granted', { CFS_VOLUME: name, CFS_EPOCH: String(record?.since) });
      } else {
        notify(name, writer ?? was!, writer === null ? 'nobody writes it now' : `${writer} writes it now`, writer);
      }
    } else if (table === 'access') {
      const { volume, client: whose } = pairOf(name);
      if (whose !== client) notify(volume, whose, `what client ${whose} may do has changed`, undefined);
    } else if (table === 'volumeAccess') {
      notify(name, '', 'what may be done with it has changed', undefined);
    }
  }

  /** @param writer undefined: as it was */
  function notify(volume: string, whose: string, says: string, writer: string | null | undefined): void {
    const item = view.volumes.get(volume);
    if (!view.refreshNotify || item === undefined || item.desired === 'none') return;
    log.info({ volume, whose }, `volume ${volume}: ${says}`);
    const now = writer === undefined ? item.writer : writer;
    hook('privileges-changed', { CFS_VOLUME: volume, CFS_CLIENT: whose, CFS_WRITER: now ?? '' });
  }
}
