/** What people mistype on a command line. Each case: the code, the exit status, the message, what to do; nothing changes. */
import assert from 'node:assert/strict';
import type { ErrorCode } from '../../src/core/errors.js';
import { cfs, runCfs } from '../kit/cli.js';
import { refuses, smallCluster } from '../kit/commands.js';

type Case = [args: string[], status: number, code: ErrorCode, says: RegExp, hint?: RegExp];

const LONG = 'x'.repeat(81);
const NAME_RULES = /^A name has 1 to 80 bytes of UTF-8/;
const WEIGHT = /a weight is a decimal number from 0 to 9007199254740991/;

const CASES: Record<string, Case[]> = {
  'unknown words and flags': [
    [['nod', 'list'], 2, 'USAGE', /no command "nod/, /cfs node/],
    [['node', 'lst'], 2, 'USAGE', /no command "node lst"/, /Did you mean "cfs node list"\?/],
    [['frobnicate'], 2, 'USAGE', /no command "frobnicate"/, /"cfs help" lists the commands/],
    [['node', 'set', 'n1', '--wieght', '3'], 2, 'USAGE', /no flag --wieght/, /Did you mean --weight\?/],
    [['node', 'set', 'n1', '--zzz'], 2, 'USAGE', /no flag --zzz/, /--help" lists its flags/],
    [['node', 'set', 'n1', '-z'], 2, 'USAGE', /no flag -z/],
    [['status', 'now'], 2, 'USAGE', /does not take "now"/],
    [['node', 'show'], 2, 'USAGE', /needs NAME/],
    [['node', 'rename', 'n1'], 2, 'USAGE', /needs NEW-NAME/],
    [['node', 'add'], 2, 'USAGE', /either a name or --file/, /For example/],
    [['volume', 'create', 'a', '-f', 'b'], 2, 'USAGE', /either a name or --file/],
    [['volume', 'create', '-f', 'b', '--weight', '2'], 2, 'USAGE', /--weight cannot be given with --file/],
    [['node', 'add', '-f', 'b', '--online'], 2, 'USAGE', /--online cannot be given with --file/],
    [['node', 'set', 'n1'], 2, 'USAGE', /needs something to change/, /--weight/],
    [['volume', 'set', 'v1'], 2, 'USAGE', /needs something to change/, /--weight/],
    [['undo', '2', '--to', '1'], 2, 'USAGE', /a generation or --to, not both/],
    [['cluster', 'set', 'lock.timeout'], 2, 'USAGE', /no SETTING=VALUE/, /cfs cluster set lock\.timeout=1m/],
    [['cluster', 'set', 'lock.timeout=1m', 'lock.timeout=2m'], 2, 'USAGE', /set twice/],
    [['cluster', 'freeze', '--for', '1h', '--until', '2040-01-01T00:00:00Z'], 2, 'USAGE', /--for|--until/],
    [['node', 'list', '-o', 'xml'], 2, 'USAGE', /--output=xml .*table, wide, json, yaml, csv, name/],
    [['rebalance', '--strategy', 'magic'], 2, 'USAGE', /--strategy=magic .*staged/],
    [['completion', 'tcsh'], 2, 'USAGE', /tcsh.*bash, zsh, fish/],
  ],
  'names that do not exist': [
    [['node', 'show', 'n11'], 3, 'NODE_NOT_FOUND', /no node "n11" in generation 2/, /Did you mean "n1"\?/],
    [['node', 'show', 'zzzzzz'], 3, 'NODE_NOT_FOUND', /no node "zzzzzz"/, /cfs node list/],
    [['node', 'show', 'N1'], 3, 'NODE_NOT_FOUND', /no node "N1"/, /Did you mean "n1"\?/],
    [['node', 'set', 'n1', 'nine', '--weight', '2'], 3, 'NODE_NOT_FOUND', /no node "nine"/],
    [['node', 'online', 'nine'], 3, 'NODE_NOT_FOUND', /no node "nine"/],
    [['node', 'standby', 'nine'], 3, 'NODE_NOT_FOUND', /no node "nine"/],
    [['node', 'remove', 'nine', '--yes'], 3, 'NODE_NOT_FOUND', /no node "nine"/],
    [['failover', 'nine'], 3, 'NODE_NOT_FOUND', /no node "nine"/],
    [['failback', 'nine'], 3, 'NODE_NOT_FOUND', /no node "nine"/],
    [['volume', 'show', 'v11'], 3, 'VOLUME_NOT_FOUND', /no volume "v11"/, /Did you mean "v1"\?/],
    [['volume', 'remove', 'nine', '--yes'], 3, 'VOLUME_NOT_FOUND', /no volume "nine"/, /cfs volume list/],
    [['why', 'nine'], 3, 'VOLUME_NOT_FOUND', /no volume "nine"/, /cfs volume list/],
    [['group', 'remove', 'egn', '--yes'], 3, 'GROUP_NOT_FOUND', /no group "egn"/, /Did you mean "eng"/],
    [['domain', 'rename', 'nope', 'x'], 3, 'DOMAIN_NOT_FOUND', /no domain "nope"/, /cfs domain/],
    [['volume', 'create', 'v9', '--group', 'nope'], 3, 'GROUP_NOT_FOUND', /no group "nope"/, /cfs group add nope/],
    [['volume', 'create', 'v9', '--domains', 'east,nope'], 3, 'DOMAIN_NOT_FOUND', /no domain "nope"/],
    [['volume', 'create', 'v9', '--preferred-node', 'n9'], 3, 'NODE_NOT_FOUND', /no node "n9"/],
    [['volume', 'create', 'v9', '--current-node', 'n9'], 3, 'NODE_NOT_FOUND', /no node "n9"/],
    [['cluster', 'set', 'lock.timout=1s'], 3, 'SETTING_NOT_FOUND', /no setting "lock\.timout"/, /"lock\.timeout"/],
    [['cluster', 'unset', 'foo'], 3, 'SETTING_NOT_FOUND', /no setting "foo"/, /cfs cluster show/],
    [['show', 'node'], 3, 'TABLE_NOT_FOUND', /no table "node"/, /Did you mean "nodes"\?/],
    [['diff', '1', '--table', 'noodles'], 3, 'TABLE_NOT_FOUND', /no table "noodles"/],
    [['show', 'nodes', 'n11'], 3, 'RECORD_NOT_FOUND', /no record "n11"/, /Did you mean "n1"\?/],
    [['status', '--at', '99'], 3, 'GENERATION_NOT_FOUND', /99.*newest is 2/, /1 to 2/],
    [['diff', '1', '99'], 3, 'GENERATION_NOT_FOUND', /99/],
    [['undo', '99'], 3, 'GENERATION_NOT_FOUND', /99/],
    [['undo', '--to', '99', '--yes'], 3, 'GENERATION_NOT_FOUND', /99/],
    [['history', '--txid', '0123456789abcdef'], 3, 'TRANSACTION_NOT_FOUND', /0123456789abcdef/],
  ],
  'names that cannot be': [
    [['node', 'add', '../x'], 2, 'BAD_NAME', /"\.\.\/x".*contains "\/"/, NAME_RULES],
    [['node', 'add', '.x'], 2, 'BAD_NAME', /begins with "\."/, NAME_RULES],
    [['node', 'add', 'a\nb'], 2, 'BAD_NAME', /"a\\u000ab".*contains/, NAME_RULES],
    [['node', 'add', '\u001b[31mred'], 2, 'BAD_NAME', /"\\u001b\[31mred"/, NAME_RULES],
    [['node', 'add', 'a\u202eb'], 2, 'BAD_NAME', /invisible/, NAME_RULES],
    [['node', 'add', 'a\u200bb'], 2, 'BAD_NAME', /invisible/, NAME_RULES],
    [['node', 'add', ''], 2, 'BAD_NAME', /it is empty/, NAME_RULES],
    [['node', 'add', ' a'], 2, 'BAD_NAME', /blank/, NAME_RULES],
    [['node', 'add', LONG], 2, 'BAD_NAME', /longer than 80 bytes/, NAME_RULES],
    [['node', 'add', 'ü'.repeat(41)], 2, 'BAD_NAME', /longer than 80 bytes/, NAME_RULES],
    [['node', 'add', 'a,b'], 2, 'BAD_NAME', /contains ","/, NAME_RULES],
    [['node', 'add', 'all'], 2, 'RESERVED_NAME', /reserved word/, /any, none, all and global/],
    [['volume', 'create', 'NONE'], 2, 'RESERVED_NAME', /reserved word/],
    [['volume', 'create', '../../etc/passwd'], 2, 'BAD_NAME', /contains "\/"/, NAME_RULES],
    [['volume', 'show', '../x'], 2, 'BAD_NAME', /contains "\/"/],
    [['volume', 'rename', 'v1', '~'], 2, 'BAD_NAME', /contains "~"/],
    [['group', 'add', 'Any'], 2, 'RESERVED_NAME', /reserved word/],
    [['domain', 'add', 'a:b'], 2, 'BAD_NAME', /contains ":"/],
    [['node', 'set', 'n1', '--groups', 'eng,'], 2, 'BAD_NAME', /it is empty/],
    [['cluster', 'set', 'name=a\u0007b'], 2, 'BAD_NAME', /\\u0007/],
  ],
  'names that are taken': [
    [['node', 'add', 'n1'], 4, 'NODE_EXISTS', /already a node "n1"/, /cfs node set/],
    [['node', 'rename', 'n1', 'n2'], 4, 'NODE_EXISTS', /already a node "n2"/, /cfs node list/],
    [['volume', 'create', 'v1'], 4, 'VOLUME_EXISTS', /already a volume "v1"/, /cfs volume set/],
    [['volume', 'rename', 'v1', 'v2'], 4, 'VOLUME_EXISTS', /already a volume "v2"/, /cfs volume list/],
    [['group', 'add', 'eng'], 4, 'GROUP_EXISTS', /already a group "eng"/, /cfs group set/],
    [['group', 'add', 'ENG'], 4, 'GROUP_EXISTS', /already a group "eng"/, /letter case/],
    [['group', 'add', 'x', 'X'], 4, 'GROUP_EXISTS', /already a group "x"/, /letter case/],
    [['domain', 'rename', 'east', 'WEST'], 4, 'DOMAIN_EXISTS', /already a domain "west"/, /letter case/],
  ],
  'values out of range': [
    [['node', 'set', 'n1', '--weight', '-1'], 2, 'BAD_VALUE', WEIGHT],
    [['node', 'set', 'n1', '--weight=-0.5'], 2, 'BAD_VALUE', WEIGHT],
    [['node', 'set', 'n1', '--weight', 'NaN'], 2, 'BAD_VALUE', /"NaN" is no number/, /decimal number/],
    [['node', 'set', 'n1', '--weight', 'Infinity'], 2, 'BAD_VALUE', /"Infinity" is no number/],
    [['node', 'set', 'n1', '--weight', '1e999'], 2, 'BAD_VALUE', /"1e999" is no number/],
    [['node', 'set', 'n1', '--weight', '0x10'], 2, 'BAD_VALUE', /"0x10" is no number/],
    [['node', 'set', 'n1', '--weight', '3,5'], 2, 'BAD_VALUE', /"3,5" is no number/],
    [['node', 'set', 'n1', '--weight', ''], 2, 'BAD_VALUE', /"" is no number/],
    [['node', 'set', 'n1', '--weight', '9007199254740993'], 2, 'BAD_VALUE', WEIGHT],
    [['volume', 'create', 'v9', '--weight', '-3'], 2, 'BAD_VALUE', WEIGHT],
    [['node', 'set', 'n1', '--threshold', '1.1'], 2, 'BAD_VALUE', /threshold is a number from 0 to 1/],
    [['node', 'set', 'n1', '--update-interval', '5'], 2, 'BAD_VALUE', /not a duration/, /30s/],
    [['node', 'set', 'n1', '--update-interval', '0s'], 2, 'BAD_VALUE', /from 100ms to 1h/],
    [['node', 'set', 'n1', '--groups', 'eng,ENG'], 2, 'BAD_VALUE', /"eng" twice/],
    [['node', 'list', '--at', '-1'], 2, 'BAD_VALUE', /"-1" is no whole number for --at/],
    [['node', 'list', '--filter', 'colour=red'], 2, 'UNKNOWN_FIELD', /"colour"/, /name, state/],
    [['node', 'list', '--filter', 'name'], 2, 'BAD_VALUE', /no condition/, /KEY=VALUE/],
    [['node', 'list', '--sort', 'colour'], 2, 'UNKNOWN_FIELD', /"colour"/, /name, state/],
    [['undo', 'two'], 2, 'BAD_VALUE', /"two" is no whole number/],
    [['history', '-n', '1.5'], 2, 'BAD_VALUE', /"1\.5" is no whole number/],
    [['cluster', 'set', 'lock.timeout=soon'], 2, 'BAD_VALUE', /not a duration/, /30s/],
    [['cluster', 'set', 'history.keep=1'], 2, 'BAD_VALUE', /history\.keep/],
    [['cluster', 'freeze', '--for', '2x'], 2, 'BAD_VALUE', /not a duration/],
    [['cluster', 'freeze', '--until', 'tomorrow'], 2, 'BAD_VALUE', /not a time/, /2030-01-31T18:00:00Z/],
    [['cluster', 'freeze', '--until', '2020-01-01T00:00:00Z'], 2, 'BAD_VALUE', /that is over/, /--for 2h/],
    [['node', 'set', 'n1', '--weight', '2', '--lock-timeout', 'x'], 2, 'BAD_VALUE', /not a duration/],
    [['node', 'set', 'n1', '--weight', '2', '--wait', 'x'], 2, 'BAD_VALUE', /not a duration/],
    [['db', 'compact', '--keep', '1'], 2, 'BAD_VALUE', /100/],
  ],
  'what stands in the way': [
    [['node', 'remove', 'n2', '--yes'], 4, 'NODE_IN_USE', /"n2" administers/, /cfs node standby n2/],
    [['group', 'remove', 'eng', '--yes'], 4, 'GROUP_IN_USE', /in use by nodes "n1", "n2".*"v1"/, /cfs node set/],
    [['domain', 'remove', 'west', '--yes'], 4, 'DOMAIN_IN_USE', /in use by nodes "n2" and volumes "v2"/],
    [['undo', '1'], 4, 'CANNOT_UNDO', /it made the cluster/, /cfs history/],
    [['cluster', 'unset', 'name'], 2, 'BAD_VALUE', /cannot be unset/, /cfs cluster set name=NAME/],
    [['node', 'set', 'n1', '--weight', '2', '--expect-generation', '1'], 4, 'GENERATION_CONFLICT', /1/],
    [['lock', 'break', '--yes'], 4, 'LOCK_NOT_HELD', /nobody holds the lock/i],
  ],
};

describe('bad input on the command line', function () {
  this.timeout(60_000);
  let dir: string;
  before(() => {
    dir = smallCluster();
  });

  for (const [topic, cases] of Object.entries(CASES)) {
    describe(topic, () => {
      for (const [args, status, code, says, hint] of cases) {
        it(`cfs ${args.map((arg) => JSON.stringify(arg).slice(1, 30)).join(' ')} is refused (${status}, ${code})`, () => {
          refuses(dir, args, { status, code, says, ...(hint === undefined ? {} : { hint }) });
        });
      }
    });
  }

  it('errors in text are what happened and what to do, on standard error, safe for a terminal', () => {
    const { stdout, stderr, status } = runCfs(['node', 'show', '\u001b]0;title\u0007'], { dir });
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^Error: "\\u001b\]0;title\\u0007" cannot be the name of a node: [^\n]+\nA name has [^\n]+\n$/,
    );
  });

  it('no argument of the size of a page is echoed whole', () => {
    for (const args of [
      ['node', 'add', 'x'.repeat(100_000)],
      ['node', 'set', 'n1', '--weight', 'x'.repeat(100_000)],
      ['x'.repeat(100_000)],
      ['node', 'set', 'n1', `--${'x'.repeat(100_000)}`],
      ['node', 'list', 'x'.repeat(100_000)],
      ['node', 'list', '--filter', 'x'.repeat(100_000)],
      ['show', 'x'.repeat(100_000)],
      ['undo', 'x'.repeat(100_000)],
      ['cluster', 'set', 'x'.repeat(100_000)],
      ['cluster', 'set', `lock.timeout=${'x'.repeat(100_000)}`],
      ['cluster', 'freeze', '--until', 'x'.repeat(100_000)],
    ]) {
      const { stderr, status } = runCfs(args, { dir });
      assert.ok(status === 2 || status === 3, stderr.slice(0, 300));
      assert.ok(stderr.length < 1500, `${args.join(' ').slice(0, 40)}: ${stderr.length} characters`);
    }
  });

  it('a name that differs only in its Unicode form is the same name', () => {
    const copy = smallCluster();
    cfs(['node', 'add', 'Caf\u00e9'], { dir: copy });
    refuses(copy, ['node', 'add', 'Cafe\u0301'], {
      status: 4,
      code: 'NODE_EXISTS',
      says: /already a node "Caf\u00e9"/,
    });
    assert.match(cfs(['node', 'show', 'Cafe\u0301'], { dir: copy }), /Node: +Caf\u00e9\n/);
    cfs(['group', 'add', '\u00c5ngstr\u00f6m'], { dir: copy });
    refuses(copy, ['group', 'add', 'A\u030aNGSTRO\u0308M'], {
      status: 4,
      code: 'GROUP_EXISTS',
      says: /already a group/,
    });
  });

  it('a node that differs in letter case is another node, and the message says which there is', () => {
    const copy = smallCluster();
    refuses(copy, ['node', 'show', 'N2'], { status: 3, code: 'NODE_NOT_FOUND', says: /"N2"/, hint: /"n2"/ });
    cfs(['node', 'add', 'N2'], { dir: copy });
    assert.match(cfs(['node', 'show', 'N2'], { dir: copy }), /State: +offline/);
  });
});
