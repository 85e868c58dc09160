import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { entities } from './src/app/rooms';
import { readConfig } from './src/config';
import { dataSourceOptions } from './src/database/open-database';
import { createLogger } from './src/kernel/logger';

const config = readConfig();

/** What TypeORM's own command line works with; Keyward itself opens `DATABASE_URL` or its own. */
export const dataSource = new DataSource(
  dataSourceOptions({
    url: config.databaseUrl ?? '',
    settings: config.database,
    entities,
    logger: createLogger(config.logLevel),
  }),
);
