// Starts everything: Keyward, two services that trust its word, and a gateway before them.
import { startAgents } from './agents.mjs';
import { startContacts } from './contacts.mjs';
import { startGateway } from './gateway.mjs';
import { createKey, startKeyward } from './keyward.mjs';

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));

const url = await startKeyward();
const [servicesKey, customersKey] = await Promise.all([
  // The company's own: keyward.json lets it ask about the keys of every organization.
  createKey('Platform', 'Services and gateway', 'api_keys:verify'),
  createKey('Acme', 'Administrator', 'admin:full'),
]);

const keyward = { url, key: servicesKey };
const services = {
  keyward: url,
  contacts: await startContacts(keyward),
  agents: await startAgents(keyward),
};
const gateway = await startGateway(services, Number(process.env.PORT ?? 4000), keyward);

console.log(`The supergraph is ready: ${gateway}
A key of the organization Acme with full access, for one day:
${customersKey}`);
