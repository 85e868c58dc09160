export { enforceScopes, keywardContext } from './subgraph.js';
export type {
  ClientRequest,
  EnforcementOptions,
  KeywardContext,
  KeywardOptions,
} from './subgraph.js';
