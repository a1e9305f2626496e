import assert from 'node:assert/strict';
import { clusterFreeze, clusterSet, clusterUnfreeze, clusterUnset, freezeOf } from '../../src/core/config/settings.js';
import { formatSetting, parseSetting, SETTINGS, settingOf } from '../../src/core/model/settings.js';
import { smallCluster } from '../kit/clusters.js';

describe('settings', () => {
  it('have their default until they are set, and again when unset', () => {
    const cluster = smallCluster();
    assert.equal(settingOf(cluster.snapshot(), 'lock.timeout'), 30_000);
    cluster.change(clusterSet, { settings: { 'lock.timeout': '1m', 'history.keep': '500' } });
    assert.equal(settingOf(cluster.snapshot(), 'lock.timeout'), 60_000);
    assert.equal(settingOf(cluster.snapshot(), 'history.keep'), 500);
    cluster.change(clusterUnset, { names: ['lock.timeout'] });
    assert.equal(settingOf(cluster.snapshot(), 'lock.timeout'), 30_000);
  });

  it('are printed as they can be typed', () => {
    for (const setting of SETTINGS) {
      assert.equal(parseSetting(setting.name, formatSetting(setting.name, setting.default)), setting.default);
    }
  });

  it('refuse what is out of range, of the wrong kind or unknown', () => {
    const cluster = smallCluster();
    const refuse = (
      settings: Record<string, string>,
      message: RegExp,
      code: 'BAD_VALUE' | 'SETTING_NOT_FOUND' = 'BAD_VALUE',
    ) => cluster.refuses(clusterSet, { settings }, code, message);
    refuse({ 'lock.stale': '1s' }, /^The setting lock\.stale cannot be "1s": it is a duration from 2s to 10m$/);
    refuse({ 'history.keep': '99' }, /whole number from 100 to/);
    refuse({ 'history.keep': '100.5' }, /whole number/);
    refuse({ 'history.keep': 'NaN' }, /whole number/);
    refuse({ 'lease.interval': '2' }, /lease\.interval cannot be "2": it is not a duration/);
    refuse({ 'placement.strategy': 'best' }, /it is one of staged/);
    const unknown = refuse({ 'lease.tmeout': '5s' }, /There is no setting "lease\.tmeout"/, 'SETTING_NOT_FOUND');
    assert.equal(unknown.hint, 'Did you mean "lease.timeout"?');
    const freeze = refuse({ freeze: 'now' }, /no setting "freeze"/, 'SETTING_NOT_FOUND');
    assert.match(freeze.hint ?? '', /cluster freeze/);
    refuse({ ['__proto__']: '1' }, /no setting "__proto__"/, 'SETTING_NOT_FOUND');
    cluster.refuses(clusterUnset, { names: ['name'] }, 'BAD_VALUE', /name of the cluster cannot be unset/);
  });

  it('must fit together: a lease outlasts two renewals', () => {
    const cluster = smallCluster();
    cluster.refuses(
      clusterSet,
      { settings: { 'lease.interval': '5s' } },
      'BAD_VALUE',
      /lease\.timeout must be more than twice/,
    );
    cluster.change(clusterSet, { settings: { 'lease.interval': '5s', 'lease.timeout': '11s' } });
    cluster.refuses(clusterUnset, { names: ['lease.timeout'] }, 'BAD_VALUE', /more than twice/);
  });
});

describe('a freeze', () => {
  it('holds until its time, by the clock of the one who asks', () => {
    const cluster = smallCluster();
    const frozen = cluster.change(clusterFreeze, { until: '2030-01-01T02:00+01:00', reason: 'moving racks' });
    assert.deepEqual(frozen, { until: '2030-01-01T01:00:00.000Z', reason: 'moving racks' });
    assert.deepEqual(freezeOf(cluster.snapshot(), cluster.nowMs), frozen);
    assert.equal(freezeOf(cluster.snapshot(), cluster.nowMs + 3_600_000), null);
  });

  it('without an end holds until it is ended; ending it twice changes nothing', () => {
    const cluster = smallCluster();
    cluster.change(clusterFreeze, { until: null });
    assert.notEqual(freezeOf(cluster.snapshot(), Number.MAX_SAFE_INTEGER), null);
    assert.notEqual(cluster.change(clusterUnfreeze, {}).ended, null);
    const { generation } = cluster;
    assert.equal(cluster.change(clusterUnfreeze, {}).ended, null);
    assert.equal(cluster.generation, generation);
  });

  it('is refused for a time that is over or is no time', () => {
    const cluster = smallCluster();
    cluster.refuses(clusterFreeze, { until: '2029-12-31T00:00:00Z' }, 'BAD_VALUE', /that is over/);
    for (const until of ['tomorrow', '2030-13-45T00:00:00Z', '', '2030-01-02']) {
      cluster.refuses(clusterFreeze, { until }, 'BAD_VALUE', /is not a time/);
    }
  });
});
