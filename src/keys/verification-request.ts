import { parseAddress } from '../kernel/address';
import { InputError } from '../kernel/errors';
import type { Environment } from '../kernel/principal';
import { recordable, redactKeys } from '../kernel/redaction';
import type { RequiredScopes, ScopeCatalogue } from '../kernel/scopes';
import { checkText } from '../kernel/text';
import type { Demands } from './judgement';

/** What a service asks about a secret that was presented to it, as it came. */
export interface VerificationRequest {
  /** Whatever was presented; no text is wrong here, only worth nothing. */
  readonly key: string;
  /** Up to 500 scopes, all lists together. */
  readonly requiredScopes?: RequiredScopes | null | undefined;
  readonly environment?: Environment | null | undefined;
  /** Which service asks; 1 to 100 characters. */
  readonly service: string;
  readonly operation?: string | null | undefined;
  /** Up to 200 characters; left out: that of the request which asks. */
  readonly requestId?: string | null | undefined;
  readonly clientIp?: string | null | undefined;
  readonly userAgent?: string | null | undefined;
}

// A judgement answers with what is missing of each, and a document may ask for thirty judgements.
const mostRequired = 500;

/** A request to verify a secret, checked and fit to be kept. */
export interface CheckedVerificationRequest extends Demands {
  readonly key: string;
  readonly service: string;
  readonly operation: string | null;
  readonly requestId: string | null;
  readonly clientIp: string | null;
  readonly userAgent: string | null;
}

/**
 * Checks what a service asks. What its clients chose (`operation`, `userAgent`) is never refused,
 * but cut to 500 characters and freed of control characters; keys are taken out of everything.
 * @param path where the request stands, such as `input`
 * @throws InputError naming the member at fault
 */
export function checkVerificationRequest(
  given: VerificationRequest,
  path: string,
  catalogue: ScopeCatalogue,
): CheckedVerificationRequest {
  const { key, requiredScopes, environment, service, operation, requestId, clientIp } = given;
  const address = clientIp == null ? null : parseAddress(clientIp);
  if (address === undefined) {
    throw new InputError(`${path}.clientIp`, `${path}.clientIp must be an IP address.`);
  }
  const limits = { min: 1, max: 200 };
  return {
    key,
    requiredScopes: checkScopes(requiredScopes ?? [], `${path}.requiredScopes`, catalogue),
    environment: environment ?? null,
    service: redactKeys(checkText(service, `${path}.service`, { min: 1, max: 100 })),
    operation: fit(operation),
    requestId:
      requestId == null ? null : redactKeys(checkText(requestId, `${path}.requestId`, limits)),
    clientIp: address,
    userAgent: fit(given.userAgent),
  };
}

function fit(text: string | null | undefined): string | null {
  return text == null ? null : recordable(text);
}

function checkScopes(
  required: RequiredScopes,
  path: string,
  catalogue: ScopeCatalogue,
): RequiredScopes {
  if (required.flat().length > mostRequired) {
    const allowed = String(mostRequired);
    throw new InputError(path, `${path} may name ${allowed} scopes, all lists together.`);
  }
  required.forEach((list, index) => {
    const at = `${path}.${String(index)}`;
    if (list.length === 0) {
      throw new InputError(at, `${at} must name a scope; an empty list would require nothing.`);
    }
    const unknown = list.findIndex((scope) => !catalogue.has(scope));
    if (unknown === -1) return;
    const member = `${at}.${String(unknown)}`;
    throw new InputError(member, `${member} is no scope of the product's catalogue.`);
  });
  return required;
}
