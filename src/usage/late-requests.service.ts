import type { LateRequestsQuestion } from './late-requests';
import type { LateRequestsRepository } from './late-requests.repository';

/** Tells which rotated keys are still in use. */
export class LateRequestsService {
  constructor(private readonly repository: LateRequestsRepository) {}

  /** How many requests were let in with each key after its instant, in the order asked. */
  async count(questions: readonly LateRequestsQuestion[]): Promise<readonly number[]> {
    return this.repository.count(questions);
  }
}
