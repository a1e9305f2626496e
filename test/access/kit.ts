/** Clusters with clients, and short ways to ask who may write. */
import assert from 'node:assert/strict';
import { clientAdd } from '../../src/core/access/clients.js';
import { clientLogon } from '../../src/core/access/logon.js';
import { writerOf } from '../../src/core/access/look.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow } from '../../src/core/access/rights.js';
import { volumeCreate } from '../../src/core/config/volumes.js';
import type { ErrorCode } from '../../src/core/errors.js';
import type { RequestRecord } from '../../src/core/model/tables.js';
import type { Operation } from '../../src/core/operation.js';
import { MemoryCluster } from '../kit/memory.js';

/** Clients that may mount every volume, and are logged on. */
export function clusterOf(clients: readonly string[], volumes: readonly string[] = ['v1']): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.change(volumeCreate, { volumes: volumes.map((name) => ({ name })) });
  cluster.change(clientAdd, { clients: clients.map((name) => ({ name })) });
  cluster.change(volumeAllow, { volume: volumes, client: clients });
  for (const client of clients) cluster.change(clientLogon, { client });
  return cluster;
}

/** The clients ask for v1 one after the other: the first is the writer, the others wait. */
export function asking(...clients: string[]): MemoryCluster {
  const cluster = clusterOf(clients);
  for (const client of clients) cluster.change(requestWrite, { volume: 'v1', client });
  return cluster;
}

export function writer(cluster: MemoryCluster, volume = 'v1'): string | null {
  return writerOf(cluster.snapshot(), volume).writer;
}

export function requestOf(cluster: MemoryCluster, client: string, volume = 'v1'): RequestRecord | undefined {
  return cluster.snapshot().table('requests').get(`${volume}/${client}`);
}

/** Asserts that the operation is refused with this code and exit status, and changes nothing. */
export function refused<Request>(
  cluster: MemoryCluster,
  operation: Operation<Request, unknown>,
  request: Request,
  [code, status]: [ErrorCode, number],
  says = /./,
): void {
  const error = cluster.refuses(operation, request, code, says);
  assert.equal(error.exitStatus, status, `${code} ends a command with status ${status}`);
  assert.ok((error.hint ?? '').length > 0 || code.endsWith('_NOT_FOUND'), `${code} says what to do next`);
}

/** Asserts that the operation makes no generation. */
export function changesNothing<Request>(
  cluster: MemoryCluster,
  operation: Operation<Request, unknown>,
  request: Request,
): void {
  const before = cluster.generation;
  cluster.change(operation, request);
  assert.equal(cluster.generation, before, `${operation.name} again changes nothing`);
}
