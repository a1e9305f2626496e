/** Several processes at once: every change that reports success is in history, none is lost, none is doubled. */
import assert from 'node:assert/strict';
import { cfs, cfsJson, runCfs } from '../kit/cli.js';
import { generationOf, runBeside, smallCluster } from '../kit/commands.js';

type Row = Record<string, unknown>;

describe('processes at the same time', function () {
  this.timeout(120_000);

  it('six of them with ten changes each: all sixty are in history, once, and the result holds all', async () => {
    const dir = smallCluster();
    const worker = async (w: number): Promise<Row[]> => {
      const done: Row[] = [];
      for (let i = 0; i < 10; i++) {
        const args = ['volume', 'create', `w${w}-${i}`, '--domains', 'east', '--json', '--message', `${w}/${i}`];
        const { status, stdout, stderr } = await runBeside(args, dir);
        assert.equal(status, 0, stderr);
        done.push(JSON.parse(stdout) as Row);
      }
      return done;
    };
    const reports = (await Promise.all([0, 1, 2, 3, 4, 5].map(worker))).flat();
    assert.equal(generationOf(dir), 62);
    assert.equal(new Set(reports.map((report) => report.generation)).size, 60, 'each has its own generation');
    const { history } = cfsJson(['history', '--limit', '0'], { dir }) as { history: Row[] };
    const byTxid = new Map(history.map((row) => [row.txid, row]));
    for (const { txid, generation, created } of reports) {
      const row = byTxid.get(txid);
      assert.ok(row !== undefined, `${txid} is in history`);
      assert.equal(row.generation, generation);
      assert.deepEqual((row.request as Row & { volumes: Row[] }).volumes[0]?.name, (created as string[])[0]);
    }
    const { volumes } = cfsJson(['volume', 'list'], { dir }) as { volumes: Row[] };
    assert.equal(volumes.length, 63);
    assert.equal(runCfs(['db', 'check'], { dir }).status, 0);
  });

  it('two that expect the same generation: one gets it, the other is refused (4)', async () => {
    const dir = smallCluster();
    const line = (weight: string) => ['node', 'set', 'n1', '--weight', weight, '--expect-generation', '2'];
    const ended = await Promise.all([runBeside(line('5'), dir), runBeside(line('6'), dir)]);
    assert.deepEqual(ended.map(({ status }) => status).sort(), [0, 4]);
    assert.match(ended.find(({ status }) => status === 4)!.stderr, /generation/i);
    assert.equal(generationOf(dir), 3);
  });

  it('two that make the same thing: one makes it, the other is told that it is there (4)', async () => {
    const dir = smallCluster();
    const ended = await Promise.all([1, 2].map(() => runBeside(['node', 'add', 'n9'], dir)));
    assert.deepEqual(ended.map(({ status }) => status).sort(), [0, 4]);
    assert.match(ended.find(({ status }) => status === 4)!.stderr, /already a node "n9"/);
  });

  it('failover and rebalance beside each other leave no volume on the failed node', async () => {
    const dir = smallCluster();
    const ended = await Promise.all([
      runBeside(['failover', 'n1'], dir),
      runBeside(['rebalance'], dir),
      runBeside(['rebalance'], dir),
    ]);
    assert.ok(
      ended.every(({ status }) => status === 0),
      ended.map(({ stderr }) => stderr).join(''),
    );
    assert.equal(cfs(['volume', 'list', '--filter', 'currentNode=n1', '-o', 'name'], { dir }), '');
  });

  it('readers beside writers always see one whole generation', async () => {
    const dir = smallCluster();
    let isOver = false;
    const writing = (async () => {
      for (let i = 1; i <= 12; i++) {
        const { status, stderr } = await runBeside(['node', 'set', 'n1', 'n2', 'n3', '--weight', String(i + 10)], dir);
        assert.equal(status, 0, stderr);
      }
      isOver = true;
    })();
    const reading = (async () => {
      let last = 0;
      while (!isOver) {
        const [nodes, past] = await Promise.all([
          runBeside(['node', 'list', '--json'], dir),
          runBeside(['history', '--json'], dir),
        ]);
        const { nodes: rows, generation } = JSON.parse(nodes.stdout) as { nodes: Row[]; generation: number };
        const weights = new Set(rows.map((row) => row.weight));
        if (generation > 2) assert.deepEqual([...weights], [generation + 8], 'all three of one generation');
        assert.ok(generation >= last, 'time does not run backwards');
        last = generation;
        const { history } = JSON.parse(past.stdout) as { history: Row[] };
        assert.deepEqual(
          history.map((row) => row.generation),
          history.map((_, i) => history.length - i),
        );
      }
    })();
    await Promise.all([writing, reading]);
    assert.equal(generationOf(dir), 14);
  });
});
