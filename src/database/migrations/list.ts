import { MainJob1764000000000 } from './1764000000000-main-job';
import { Succession1764100000000 } from './1764100000000-succession';
import { People1764200000000 } from './1764200000000-people';
import { Imports1764300000000 } from './1764300000000-imports';
import { UsageReads1764500000000 } from './1764500000000-usage-reads';
import { Verifications1764400000000 } from './1764400000000-verifications';
import { AuditKept1764600000000 } from './1764600000000-audit-kept';
import { VerifierAdmissions1764450000000 } from './1764450000000-verifier-admissions';

/** Every migration, oldest first. A migration that has been released is never changed. */
export const migrations = [
  MainJob1764000000000,
  Succession1764100000000,
  People1764200000000,
  Imports1764300000000,
  Verifications1764400000000,
  VerifierAdmissions1764450000000,
  UsageReads1764500000000,
  AuditKept1764600000000,
];
