import fc from 'fast-check';
import { expect, it } from 'vitest';
import { environmentChange } from '../../../server/model/environment.ts';

it('R34 tells what was set, changed and unset since the login', () => {
  const login = new Map([
    ['LANG', 'C'],
    ['EDITOR', 'vi'],
    ['HOME', '/home/me'],
  ]);
  const change = environmentChange(login, { LANG: 'de_DE', HOME: '/home/me', NEW: '' });
  expect(change).toEqual({ set: { LANG: 'de_DE', NEW: '' }, unset: ['EDITOR'] });
});

it('R34 leaves out what the shell and vbatch keep for themselves', () => {
  const own = { _: '/bin/x', SHLVL: '3', PWD: '/a', OLDPWD: '/b', VBATCH_TASK_ID: 'a', VELDA_X: '1' };
  expect(environmentChange(new Map(), own)).toEqual({ set: {}, unset: [] });
  expect(environmentChange(new Map(Object.entries(own)), {})).toEqual({ set: {}, unset: [] });
  expect(environmentChange(new Map(), { MY_VBATCH_X: '1', PWD2: '2' }).set).toEqual({
    MY_VBATCH_X: '1',
    PWD2: '2',
  });
});

it('R34 leads from the login environment to the submitter’s', () => {
  const environment = fc.dictionary(fc.constantFrom('A', 'B', 'C', 'D', 'toString'), fc.string());
  fc.assert(
    fc.property(environment, environment, (login, current) => {
      const { set, unset } = environmentChange(new Map(Object.entries(login)), current);
      const result = new Map(Object.entries({ ...login, ...set }));
      for (const name of unset) result.delete(name);
      expect(Object.fromEntries(result)).toEqual({ ...current });
    }),
  );
});
