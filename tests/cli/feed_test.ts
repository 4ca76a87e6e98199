/**
 * The feed behind `node/connections` and `log/tail`.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { Feed, type FeedItem } from "../../cli/operations/feed.ts";

/** The next items of a follower. */
async function take<T>(items: AsyncIterator<FeedItem<T>>, count: number): Promise<FeedItem<T>[]> {
  const taken: FeedItem<T>[] = [];
  while (taken.length < count) {
    const { done, value } = await items.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

const plain = (...values: number[]) => values.map((value) => ({ value, missed: 0 }));

Deno.test("Feed.follow(): everyone gets what is published after the call, before the first step too", async () => {
  const feed = new Feed<number>();
  feed.publish(1);
  const stop = new AbortController();
  const first = feed.follow(stop.signal);
  feed.publish(2);
  const second = feed.follow(stop.signal);
  feed.publish(3);
  deepEqual(await take(first, 2), plain(2, 3));
  deepEqual(await take(second, 1), plain(3));
  const waiting = take(first, 1);
  feed.publish(4);
  deepEqual(await waiting, plain(4));
  stop.abort();
});

Deno.test("Feed.follow(): begins with as many past values as asked for and kept", async () => {
  const feed = new Feed<number>({ keep: 3 });
  for (let n = 1; n <= 5; n++) feed.publish(n);
  const { signal } = new AbortController();
  deepEqual(await take(feed.follow(signal, 2), 2), plain(4, 5));
  deepEqual(await take(feed.follow(signal, 9), 3), plain(3, 4, 5));
});

Deno.test("Feed: who is slow misses the oldest, is told how many, and fills no memory", async () => {
  const feed = new Feed<number>({ backlog: 3 });
  const { signal } = new AbortController();
  const items = feed.follow(signal);
  for (let n = 1; n <= 100_000; n++) feed.publish(n);
  deepEqual(await take(items, 3), [{ value: 99_998, missed: 99_997 }, ...plain(99_999, 100_000)]);
  feed.publish(7);
  deepEqual(await take(items, 1), plain(7));
});

Deno.test("Feed: a backlog of one tells what it lost", async () => {
  const feed = new Feed<number>({ backlog: 1 });
  const items = feed.follow(new AbortController().signal);
  for (let n = 1; n <= 4; n++) feed.publish(n);
  deepEqual(await take(items, 1), [{ value: 4, missed: 3 }]);
});

Deno.test("Feed: a follower is forgotten when its signal aborts, when it leaves, and when it never began", async () => {
  const feed = new Feed<number>();
  const stop = new AbortController();
  const waiting = take(feed.follow(stop.signal), 1);
  const unbegun = feed.follow(stop.signal);
  const left = feed.follow(new AbortController().signal);
  feed.publish(1);
  await left.next();
  equal(feed.followers, 3);
  await left.return?.();
  equal(feed.followers, 2);
  deepEqual(await waiting, plain(1));
  stop.abort();
  equal(feed.followers, 0);
  deepEqual(await take(unbegun, 1), []);
  deepEqual(await take(feed.follow(stop.signal), 1), []);
  equal(feed.followers, 0);
});
