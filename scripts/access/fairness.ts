/**
 * Clients that ask for one volume at once, each a real process of the built cfs, each holding it for a while; prints the order:
 *
 *     node --import tsx scripts/access/fairness.ts [--clients 50] [--hold 100] [--wait 120s] [--dir DIR]
 *
 * Exit status: 0 everyone got it, in the order of asking, never two at once; 1 otherwise.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createCluster, parseDocument } from '../../src/index.js';
import { askAtOnce, disorder, manyClients } from '../../test/kit/fairness.js';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '50' },
    hold: { type: 'string', default: '100' },
    wait: { type: 'string', default: '120s' },
    dir: { type: 'string' },
  },
});

const base = values.dir ?? mkdtempSync(join(tmpdir(), 'cfs-fairness-'));
const dir = join(base, 'cfs');
try {
  await createCluster({
    dir,
    document: await parseDocument(Buffer.from('{"cluster":{"name":"fairness"},"volumes":[{"name":"v1"}]}'), 'fairness'),
  });
  const clients = await manyClients(dir, 'v1', Number(values.clients));
  const { rights, violations, failures, tookMs } = await askAtOnce(dir, 'v1', clients, {
    holdMs: Number(values.hold),
    waitFor: values.wait,
  });
  console.log('place  client  asked  granted  ended');
  rights.forEach(({ client, asked, since, until }, i) => {
    const cell = (value: unknown, width: number) => String(value ?? '-').padStart(width);
    console.log(`${cell(i + 1, 5)}  ${client.padEnd(6)}  ${cell(asked, 5)}  ${cell(since, 7)}  ${cell(until, 5)}`);
  });
  const missing = clients.filter((client) => !rights.some((right) => right.client === client));
  const wrong = [...violations, ...failures, ...disorder(rights), ...missing.map((client) => `${client} never got it`)];
  for (const says of wrong) console.log(`WRONG: ${says}`);
  console.log(
    `${rights.length} rights of ${clients.length} clients in ${(tookMs / 1000).toFixed(1)} s; ${wrong.length} wrong`,
  );
  process.exitCode = wrong.length === 0 && rights.length === clients.length ? 0 : 1;
} finally {
  if (values.dir === undefined) rmSync(base, { recursive: true, force: true });
}
