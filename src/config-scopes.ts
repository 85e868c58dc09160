import { z } from 'zod';

/** A scope as the product's configuration declares it. */
export const scope = z.strictObject({
  // RFC 6749 appendix A.4: what a space-separated scope list can carry.
  name: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'must be 1 to 100 printable ASCII characters')
    .describe('Exactly as keys carry it and directives require it, such as "contacts:read".'),
  title: z.string().min(1).max(100).describe('What a form shows beside the check box.'),
  description: z.string().max(500).describe('What a key with this scope may do.'),
  group: z.enum(['READ', 'WRITE', 'ADMIN']).describe('The heading it stands under.'),
});

/** The catalogue of a product that declares none. */
export const ayraScopes: z.infer<typeof scope>[] = [
  ['agents:read', 'Agents (read)', 'View agent configurations and list agents.', 'READ'],
  [
    'conversations:read',
    'Conversations (read)',
    'Access conversation data and transcripts.',
    'READ',
  ],
  ['contacts:read', 'Contacts (read)', 'View contact records.', 'READ'],
  ['analytics:read', 'Analytics (read)', 'Access analytics and reporting data.', 'READ'],
  ['agents:write', 'Agents (write)', 'Create, update and delete agents.', 'WRITE'],
  [
    'conversations:write',
    'Conversations (write)',
    'Create or modify conversation records.',
    'WRITE',
  ],
  ['contacts:write', 'Contacts (write)', 'Create, update and delete contacts.', 'WRITE'],
  ['workflows:write', 'Workflows (write)', 'Create and trigger workflows.', 'WRITE'],
  ['admin:full', 'Full access', 'Complete access to all capabilities.', 'ADMIN'],
].map(([name = '', title = '', description = '', group]) => ({
  name,
  title,
  description,
  group: scope.shape.group.parse(group),
}));
