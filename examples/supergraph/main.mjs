// Starts everything: Keyward, two services that trust its word, and a gateway before them.
import { startAgents } from './agents.mjs';
import { startContacts } from './contacts.mjs';
import { startGateway } from './gateway.mjs';
import { createKey, ensureOrganization, startKeyward } from './keyward.mjs';

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));

const url = await startKeyward();

// The company's own services are customers of Keyward, too: keyward.json lets those of the
// organization `platform` ask about every organization's keys.
await ensureOrganization('platform');
const keyward = { url, key: await createKey('platform', 'Services', 'api_keys:verify') };

const services = {
  keyward: url,
  contacts: await startContacts(keyward),
  agents: await startAgents(keyward),
};
const gateway = await startGateway(services, Number(process.env.PORT ?? 4000), keyward);

// And this is a customer.
await ensureOrganization('Acme');
const secret = await createKey('acme', 'Administrator', 'admin:full');

console.log(`The supergraph is ready: ${gateway}
A key of the organization Acme with full access, for one day:
${secret}`);
