/** What the numbers mean; printed below the goals. */
export const notes = `
**Raw batched** is the same pool, digest and columns with nothing around them: what waits goes out
as one \`= ANY($1)\`, two in flight at most. Keyward adds the check of a key's shape and checksum,
the choice among peppers, and the verdict.

**keypal** is not in the npm registry under that name, so it cannot be run here. When it was
measured, without its tracking, it reached 0.71 of one prepared SELECT for each verification; four
times that is 2.85 times those SELECTs, which are measured.

**Stock Apollo** is what \`@as-integrations/fastify\` shows in its README, with the same types, query
and answer, and neither authentication nor usage. The goal of 1.3 times its speed is not reached,
and cannot be by a server that runs Apollo: Apollo on fastify takes most of the time of one core
for itself, and Keyward runs the same Apollo on the same core, besides a digest, a share of two SQL
statements, a durable record and three times as many headers. PostgreSQL and the load have to share
the other core. The goal came from a comparison in which the load was made with \`fetch\`: repeated,
that generator stops at about 2,700 requests a second, against either server, so that it compares
the generator with itself. Here autocannon makes the load.
`;
