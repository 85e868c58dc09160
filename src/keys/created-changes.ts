import type { NewApiKey } from './api-key';

/** All that was set on a new key, for the audit event of its creation; never its secret. */
export function createdChanges({ redacted, environment, scopes, expiresAt, ...key }: NewApiKey) {
  const { name, description, owner, application, usageLocation, tags, metadata } = key;
  const set = {
    ...{ name, redacted, environment, scopes, expiresAt, predecessor: key.predecessorId },
    ...{ description, owner, application, usageLocation },
    ...{ tags: tags.length > 0 ? tags : null },
    ...{ metadata: Object.keys(metadata).length > 0 ? metadata : null },
  };
  return Object.fromEntries(
    Object.entries(set)
      .filter(([, to]) => to !== null)
      .map(([field, to]) => [field, { from: null, to }]),
  );
}
