import type { LateRequestsQuestion } from './late-requests';
import type { LateRequestsRepository } from './late-requests.repository';

/** Tells which rotated keys are still in use. */
export class LateRequestsService {
  constructor(private readonly repository: LateRequestsRepository) {}

  /** How many requests came in with each key after its instant, refused ones too, in the order asked. */
  async count(questions: readonly LateRequestsQuestion[]): Promise<readonly number[]> {
    return this.repository.count(questions);
  }
}
