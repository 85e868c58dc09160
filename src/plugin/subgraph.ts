export type { KeywardContext } from './caller';
export type { ClientRequest } from './client-request';
export { enforceScopes, type EnforcementOptions } from './enforce-scopes';
export { keywardContext } from './keyward-context';
export type { KeywardOptions } from './options';
