/** What kind of caller did something. */
export type ActorKind = 'API_KEY' | 'USER' | 'SYSTEM';

/** Who did something, under the name they had at that time. */
export interface Actor {
  readonly kind: ActorKind;
  readonly id: string | null;
  readonly name: string;
}

/** Keyward's own command line and start-up. */
export const systemActor: Actor = { kind: 'SYSTEM', id: null, name: 'System' };

/** The name an audit trail shows: "API Key: CI/CD Pipeline", "Jane Roe", "System". */
export function displayName(actor: Actor): string {
  return actor.kind === 'API_KEY' ? `API Key: ${actor.name}` : actor.name;
}
