import type { Environment } from '../kernel/principal';
import { lastRotatedAt, type ApiKey, type ApiKeyStatus } from './api-key';

/**
 * What the key registry says of a key: enough for an audit or an incident, never what would let
 * anybody in. Instants are ISO 8601 in UTC.
 * @source Ayra's help page, "Key Tracking"
 */
export interface RegistryEntry {
  readonly name: string;
  /** The truncated identifier: `sk_live_abc123...GHIJ`. */
  readonly redacted: string;
  readonly createdAt: string;
  /** null: never. */
  readonly expiresAt: string | null;
  /** The key's description. */
  readonly purpose: string | null;
  readonly usageLocation: string | null;
  readonly owner: string | null;
  readonly scopes: readonly string[];
  /** null: never rotated. */
  readonly lastRotatedAt: string | null;
  readonly environment: Environment;
  readonly status: ApiKeyStatus;
  readonly id: string;
}

/** The registry's entry of a key. */
export function toRegistryEntry(key: ApiKey): RegistryEntry {
  return {
    name: key.name,
    redacted: key.redacted,
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    purpose: key.description,
    usageLocation: key.usageLocation,
    owner: key.owner,
    scopes: key.scopes,
    lastRotatedAt: lastRotatedAt(key)?.toISOString() ?? null,
    environment: key.environment,
    status: key.status,
    id: key.id,
  };
}
