import type { Scope, ScopeGroup } from './kernel/scopes';

/** The catalogue of a product that names none. */
export const defaultScopes: Scope[] = [
  scope('agents:read', 'Agents (read)', 'View agent configurations and list agents.', 'READ'),
  scope(
    'conversations:read',
    'Conversations (read)',
    'Access conversation data and transcripts.',
    'READ',
  ),
  scope('contacts:read', 'Contacts (read)', 'View contact records.', 'READ'),
  scope('analytics:read', 'Analytics (read)', 'Access analytics and reporting data.', 'READ'),
  scope('agents:write', 'Agents (write)', 'Create, update and delete agents.', 'WRITE'),
  scope(
    'conversations:write',
    'Conversations (write)',
    'Create or modify conversation records.',
    'WRITE',
  ),
  scope('contacts:write', 'Contacts (write)', 'Create, update and delete contacts.', 'WRITE'),
  scope('workflows:write', 'Workflows (write)', 'Create and trigger workflows.', 'WRITE'),
  scope('admin:full', 'Full access', 'Complete access to all capabilities.', 'ADMIN'),
];

function scope(name: string, title: string, description: string, group: ScopeGroup): Scope {
  return { name, title, description, group };
}
