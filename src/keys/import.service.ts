import type { AuditService } from '../audit/audit.service';
import type { Product } from '../config-product';
import { databaseNow, type Database, type Transaction } from '../database/database';
import { inBatches } from '../kernel/batches';
import { AppError, InputError, PolicyError } from '../kernel/errors';
import type { Caller } from '../kernel/principal';
import type { NewApiKey } from './api-key';
import type { EffectivePolicy } from '../organizations/key-policy';
import type { KeyPolicyService } from '../organizations/key-policy.service';
import type { ApiKeyRepository } from './api-key.repository';
import { createdChanges } from './created-changes';
import type { GivenRow, ImportResult } from './import-result';
import { checkImportRow, toImportedKey, type ImportRow } from './import-row';
import type { EarlierImport, ImportRepository } from './import.repository';
import type { KeyDigest, KeyDigester } from './key-digest';

/** What importing keys needs of others. */
export interface ImportParts {
  readonly database: Database;
  readonly keys: ApiKeyRepository;
  readonly imports: ImportRepository;
  readonly digester: KeyDigester;
  readonly audit: AuditService;
  readonly policies: KeyPolicyService;
  readonly product: Pick<Product, 'keys' | 'catalogue'>;
}

interface Run {
  readonly caller: Caller;
  readonly dryRun: boolean;
  /** The digests met so far, in hexadecimal, with their rows. */
  readonly met: Map<string, number>;
  /** How many keys a dry run would have imported so far. */
  importable: number;
}

interface CheckedRow {
  readonly row: number;
  readonly wish: ImportRow;
  readonly digests: readonly [KeyDigest, ...KeyDigest[]];
}

/** What a batch finds when it begins. */
interface Situation {
  readonly policy: EffectivePolicy;
  readonly now: Date;
  readonly earlier: ReadonlyMap<string, EarlierImport>;
  /** How many more active keys the organization may have. */
  room: number;
}

// While a transaction imports, the organization's other changes wait: some 100 ms each time.
const rowsPerTransaction = 100;

/** Takes over keys that were issued elsewhere, from the SHA-256 digests of their secrets. */
export class ImportService {
  constructor(private readonly parts: ImportParts) {}

  /**
   * Imports rows into the caller's organization and tells of each what became of it. Rows do not
   * depend on each other: one that is refused changes nothing and holds up nothing. They are
   * imported a hundred at a time, each hundred with its audit events in one transaction, and told
   * of once that is durable. Importing the same again changes nothing.
   * @throws PolicyError with rule ACCEPT_IMPORTED when the product does not accept imported keys
   */
  async *import(
    caller: Caller,
    rows: AsyncIterable<GivenRow>,
    { dryRun }: { readonly dryRun: boolean },
  ): AsyncGenerator<ImportResult> {
    if (!this.parts.product.keys.acceptImported) {
      throw new PolicyError(
        'ACCEPT_IMPORTED',
        'This product does not accept imported keys. Set keys.acceptImported to true in KEYWARD_CONFIG, for every process, then import.',
      );
    }
    const run: Run = { caller, dryRun, met: new Map(), importable: 0 };
    for await (const batch of inBatches(rows, rowsPerTransaction)) {
      yield* await this.parts.database.transaction((tx) => this.#importBatch(tx, run, batch));
    }
  }

  async #importBatch(
    tx: Transaction,
    run: Run,
    batch: readonly GivenRow[],
  ): Promise<readonly ImportResult[]> {
    const checked = batch.map((given) => this.#check(given, run));
    await this.parts.imports.lock(tx);
    const now = await databaseNow(tx);
    const policy = await this.parts.policies.forNewKey(tx, run.caller.principal, now);
    const situation: Situation = {
      now,
      policy,
      earlier: await this.#findEarlier(tx, checked),
      room: await this.#room(tx, run, policy.maxActiveKeys),
    };
    const results: ImportResult[] = [];
    for (const each of checked) {
      results.push('wish' in each ? await this.#importRow(tx, run, each, situation) : each);
    }
    return results;
  }

  #check({ row, given }: GivenRow, { met }: Run): CheckedRow | ImportResult {
    return refusing(row, () => {
      if ('problem' in given) throw new InputError('', given.problem);
      const wish = checkImportRow(given.value, this.parts.product);
      const hex = wish.sha256.toString('hex');
      const first = met.get(hex);
      if (first !== undefined) throw new InputError('', `digest is that of row ${first} again.`);
      met.set(hex, row);
      return { row, wish, digests: this.parts.digester.importedCandidates(wish.sha256) };
    });
  }

  async #importRow(
    tx: Transaction,
    run: Run,
    { row, wish, digests }: CheckedRow,
    situation: Situation,
  ): Promise<ImportResult> {
    const { organizationId } = run.caller.principal;
    const earlier = digests
      .map(({ digest }) => situation.earlier.get(digest.toString('hex')))
      .find((found) => found !== undefined);
    if (earlier?.organizationId === organizationId) {
      return { row, result: 'already there', apiKey: { id: earlier.apiKeyId } };
    }
    const key = refusing(row, () => {
      // Whose it is, is nobody else's business.
      if (earlier !== undefined) throw new InputError('', 'digest is in use already.');
      if (situation.room <= 0) throw new InputError('', 'the organization has no room for it.');
      return toImportedKey(wish, run.caller.principal, situation, this.parts.product.catalogue);
    });
    if ('result' in key) return key;
    situation.room -= 1;
    const { id, name, redacted } = key;
    if (run.dryRun) {
      run.importable += 1;
      return { row, result: 'importable', apiKey: { name, redacted } };
    }
    await this.#add(tx, run.caller, key, digests[0], situation.now);
    return { row, result: 'imported', apiKey: { id, name, redacted } };
  }

  async #findEarlier(
    tx: Transaction,
    rows: readonly (CheckedRow | ImportResult)[],
  ): Promise<ReadonlyMap<string, EarlierImport>> {
    const digests = rows.flatMap((row) => ('digests' in row ? row.digests : []));
    const wanted = digests.map(({ digest }) => digest);
    const earlier = await this.parts.imports.find(tx, wanted);
    return new Map(earlier.map((each) => [each.digest.toString('hex'), each]));
  }

  async #room(tx: Transaction, { caller, importable }: Run, max: number | null): Promise<number> {
    if (max === null) return Infinity;
    const { organizationId } = caller.principal;
    return max - importable - (await this.parts.keys.countActive(tx, organizationId, max));
  }

  async #add(
    tx: Transaction,
    caller: Caller,
    key: NewApiKey,
    digest: KeyDigest,
    now: Date,
  ): Promise<void> {
    await this.parts.keys.add(tx, key, digest);
    await this.parts.imports.add(tx, key.id, digest.digest);
    await this.parts.audit.record(tx, caller, now, {
      action: 'api_key.imported',
      targetType: 'ApiKey',
      targetId: key.id,
      targetName: key.name,
      changes: { ...createdChanges(key), createdAt: { from: null, to: key.createdAt } },
    });
  }
}

function refusing<Value>(row: number, work: () => Value): Value | ImportResult {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { row, result: 'refused', reason: error.message.replaceAll('input.', '') };
  }
}
