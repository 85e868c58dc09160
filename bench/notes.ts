/** What the numbers mean; printed below the goals. */
export const notes = `
**Raw batched** is the same pool, digest and columns with nothing around them: what waits goes out
as one \`= ANY($1)\`, two in flight at most. Keyward adds the check of a key's shape and checksum,
the choice among peppers, and the verdict.

**keypal** is not in the npm registry under that name, so it cannot be run here. When it was
measured, without its tracking, it reached 0.71 of one prepared SELECT for each verification; four
times that is 2.85 times those SELECTs, which are measured.

**From 1,000 to 1,000,000 keys** the raw batched query slows down as much as Keyward does: what is
lost is PostgreSQL's, whose index no longer fits the caches nearest to the cores.

**Stock Apollo** is what \`@as-integrations/fastify\` shows in its README, with the same types, query
and answer, and neither authentication nor usage. The goal of 1.3 times its speed is not reached.
Both run one process on one core: for that, Keyward would have to answer in 0.77 of the CPU time
that stock Apollo takes, while it runs the same Apollo on the same fastify and besides makes a
digest, takes part in two SQL statements, waits for a durable record and sends three times as many
headers. Measured as CPU time of the server process on a machine that was not quiet: stock 75 to 90
µs a request, Keyward 125 to 190 µs, of which about 30 µs are for the usage record. The goal rests
on an earlier figure of 2,574 requests a second for stock Apollo. A load generator that uses
\`fetch\` gets 2,700 here and then takes all the time itself, so that figure is most likely the
generator's; with it, Keyward reaches 0.83. Here autocannon makes the load.

**Keyward runs with \`--max-semi-space-size=64\`**, as \`npm start\` has it. Stock Apollo takes as much
CPU time with that as without: few of its requests are in flight when garbage is collected.
`;
