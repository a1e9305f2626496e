/** What `cfs` alone says: how to begin, or where this cluster is and how to look at it. */
import { escapeText } from '../render/format.js';
import { writeOut } from '../render/output.js';
import { findDir } from './where.js';

const BEGIN = `cfs manages a cluster from a directory on its shared storage. None was found here or above.

  cfs init                         start one here, in .cfs (asks a few questions)
  cfs init --from FILE             start one from a description in YAML or JSON
  cfs init --dir /shared/cluster   start one on shared storage
  CFS_DIR=/shared/cluster cfs ...  use one that exists

"cfs help" lists all commands, "cfs COMMAND --help" shows one with examples.
`;

const LOOK = `
  cfs status          how the cluster is
  cfs node list       its nodes
  cfs volume list     its volumes, and where they are
  cfs history         who changed what, and when

"cfs help" lists all commands, "cfs COMMAND --help" shows one with examples.
`;

export function overview(): void {
  const where = findDir();
  if (where === undefined) {
    writeOut(BEGIN);
    return;
  }
  const source = where.source === 'upward' ? 'the nearest .cfs' : `from ${where.source}`;
  writeOut(`cfs: the cluster in ${escapeText(where.dir)} (${source}).\n${LOOK}`);
}
