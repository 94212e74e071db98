import { beforeEach, describe, expect, test } from 'vitest';
import { type Attachments, createAttachments } from '../../src/graphiql/files/attachments.ts';
import { pathName } from '../../src/graphiql/transport/multipart.ts';

const file = (name: string) => new File(['x'], name);

describe('attached files', () => {
  let attachments: Attachments;
  beforeEach(() => {
    attachments = createAttachments();
    attachments.showTabs(['a', 'b'], 'a');
  });
  const placed = () =>
    Object.fromEntries(attachments.active().map((one) => [pathName(one.path), one.file.name]));

  test('belong to their tab, and go with it', () => {
    attachments.set(['file'], file('of a'));
    attachments.showTabs(['a', 'b'], 'b');
    expect(placed()).toEqual({});
    attachments.showTabs(['a', 'b'], 'a');
    expect(placed()).toEqual({ file: 'of a' });
    attachments.showTabs(['b'], 'b');
    attachments.showTabs(['a', 'b'], 'a');
    expect(placed()).toEqual({});
  });

  test('take the place of those that were there', () => {
    attachments.set(['images', 0], file('old'));
    attachments.set(['images', 0], file('new'));
    expect(placed()).toEqual({ 'images[0]': 'new' });
  });

  test('move up when an entry before them goes, and stay put in other lists', () => {
    for (const index of [0, 1, 2]) {
      attachments.set(['images', index, 'file'], file(`${index}`));
    }
    attachments.set(['others', 2], file('other'));
    attachments.removeEntry(['images'], 1);
    expect(placed()).toEqual({
      'images[0].file': '0',
      'images[1].file': '2',
      'others[2]': 'other',
    });
  });

  test('tell of each change until nobody listens', () => {
    let changes = 0;
    const end = attachments.subscribe(() => {
      changes += 1;
    });
    const before = attachments.active();
    expect(attachments.active()).toBe(before);
    attachments.set(['file'], file('x'));
    attachments.remove(['file']);
    end();
    attachments.set(['file'], file('y'));
    expect(changes).toBe(2);
  });
});
