import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seedKeys, startServer, type BenchServer, type KeyDatabase } from './databases';
import { asking } from './http';
import { notes } from './notes';
import { report, type Goal, type Section, type StartTimes } from './results';
import { interleave, type Effort, type Variant } from './rounds';
import { startServerProcess } from './servers';
import { measureStarts, type Starts } from './start';
import { openContenders, verifying } from './verification';

const { values: given } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '9' },
    out: { type: 'string', default: join('bench', 'results', 'latest.md') },
  },
});
const effort: Effort = { rounds: Number(given.rounds), milliseconds: 1000 };
const manyKeys = Number(given.keys);
const count = manyKeys.toLocaleString('en');
const callers = [1, 32, 128, 256];
const connections = [64, 256];

const names = {
  few: 'Keyward, 1,000 keys',
  many: `Keyward, ${count} keys`,
  rawFew: 'raw batched, 1,000 keys',
  rawMany: `raw batched, ${count} keys`,
  single: `one prepared SELECT each, ${count} keys`,
  betterAuth: 'better-auth’s plugin, 1,000 keys',
  keyward: 'Keyward: fastify, authenticated, durable usage',
  thin: 'the same behind bare node:http',
  stock: 'stock Apollo on fastify: no authentication, no usage',
} as const;

async function main(): Promise<void> {
  const server = await startServer();
  try {
    say(`Seeding 1,000 and ${manyKeys} keys ...`);
    const few = await seedKeys(await server.createDatabase('few'), 1000);
    const many = await seedKeys(await server.createDatabase('many'), manyKeys);
    const verification = await compareVerification(server, few, many);
    const http = await compareHttp(many);
    say('Starts ...');
    const results = {
      sections: [...verification, ...http],
      goals: goals(verification, http),
      starts: startTimes(await measureStarts(effort.rounds)),
      facts: [`PostgreSQL ${server.version}, embedded, fsync and synchronous_commit on`],
    };
    const text = report(results, notes);
    await writeFile(given.out, `${text}\n`);
    say(`\n${text}\n\nWritten to ${given.out}.`);
  } finally {
    await server.stop();
  }
}

async function compareVerification(
  server: BenchServer,
  few: KeyDatabase,
  many: KeyDatabase,
): Promise<readonly Section[]> {
  const onFew = await openContenders(few);
  const onMany = await openContenders(many);
  const betterAuth = await startServerProcess(
    'better-auth.mjs',
    await server.createDatabase('better_auth'),
  );
  const sections: Section[] = [];
  for (const concurrency of callers) {
    const variants: Variant[] = [
      verifying(names.few, onFew.keyward, few, concurrency),
      verifying(names.rawFew, onFew.rawBatched, few, concurrency),
      verifying(names.many, onMany.keyward, many, concurrency),
      verifying(names.rawMany, onMany.rawBatched, many, concurrency),
      verifying(names.single, onMany.rawSingle, many, concurrency),
      {
        name: names.betterAuth,
        async measure(milliseconds) {
          return (await betterAuth.ask<{ rate: number }>({ concurrency, milliseconds })).rate;
        },
      },
    ];
    sections.push(await section(`Verification, ${concurrency} concurrent`, variants));
  }
  for (const each of [onFew, onMany]) await each.close();
  await betterAuth.stop();
  return sections;
}

async function compareHttp(many: KeyDatabase): Promise<readonly Section[]> {
  const keyward = await startServerProcess('keyward.js', many.url);
  const thin = await startServerProcess('thin-http.js', many.url);
  const stock = await startServerProcess('stock-apollo.mjs');
  const sections: Section[] = [];
  for (const count of connections) {
    const variants = [
      asking(names.keyward, keyward, count, many.secrets),
      asking(names.thin, thin, count, many.secrets),
      asking(names.stock, stock, count, many.secrets),
    ];
    sections.push(await section(`GraphQL over HTTP, ${count} connections`, variants));
  }
  for (const each of [keyward, thin, stock]) await each.stop();
  return sections;
}

async function section(title: string, variants: readonly Variant[]): Promise<Section> {
  say(`${title} ...`);
  return { title, measured: await interleave(variants, effort) };
}

function goals(verification: readonly Section[], http: readonly Section[]): readonly Goal[] {
  const busy = verification.slice(1);
  const { few, many, rawFew, rawMany, single, betterAuth, keyward, thin, stock } = names;
  return [
    ...busy.flatMap((section): Goal[] => [
      { promise: '0.9 of raw, 1,000 keys', section, one: few, other: rawFew, atLeast: 0.9 },
      { promise: `0.9 of raw, ${count} keys`, section, one: many, other: rawMany, atLeast: 0.9 },
      {
        promise: `${count} against 1,000 keys: within 1.3`,
        section,
        one: many,
        other: few,
        atLeast: 1 / 1.3,
      },
      { promise: '35 × better-auth’s plugin', section, one: few, other: betterAuth, atLeast: 35 },
      {
        promise: '2.85 × one SELECT each (4 × keypal)',
        section,
        one: many,
        other: single,
        atLeast: 2.85,
      },
    ]),
    ...http.flatMap((section): Goal[] => [
      {
        promise: '1.3 × stock Apollo without authentication',
        section,
        one: keyward,
        other: stock,
        atLeast: 1.3,
      },
      { promise: 'fastify against bare node:http', section, one: keyward, other: thin },
    ]),
  ];
}

function startTimes({ first, later }: Starts): readonly StartTimes[] {
  return [
    { promise: 'the first start, under 3 s', milliseconds: first, belowMs: 3000 },
    { promise: 'every later one, under 0.5 s', milliseconds: later, belowMs: 500 },
  ];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

void main();
