export { useKeyward } from './hive-gateway.js';
export type { KeywardGatewayPlugin } from './hive-gateway.js';
