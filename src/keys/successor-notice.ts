const listed = 50;

/**
 * What to tell whoever revoked keys whose successors still work.
 * @param successors what is shown of them
 * @returns null when there are none
 */
export function successorNotice(successors: readonly string[]): string | null {
  const [first, ...others] = successors;
  if (first === undefined) return null;
  if (others.length === 0) return `Its successor ${first} still works.`;
  const more = successors.length - listed;
  const names = successors.slice(0, listed).join(', ');
  return `${successors.length} successors still work: ${names}${more > 0 ? ` and ${more} more` : ''}.`;
}
