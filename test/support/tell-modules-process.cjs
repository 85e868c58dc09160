'use strict';

// Loaded before Keyward (`node --require`): says at the end which packages were loaded.
process.on('exit', () => {
  const paths = Object.keys(require.cache).join('\n');
  const names = paths.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!node_modules)/g);
  const packages = [...new Set([...names].map(([, name]) => name))].sort();
  require('node:fs').writeSync(1, `Packages: ${packages.join(' ')}\n`);
});
