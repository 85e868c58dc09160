import { registerEnumType, Field, ObjectType } from 'type-graphql';

/** What kind of caller is asking, as GraphQL has it. */
export const viewerKinds = { ANONYMOUS: 'ANONYMOUS', API_KEY: 'API_KEY', USER: 'USER' } as const;
registerEnumType(viewerKinds, {
  name: 'ViewerKind',
  description: 'What kind of caller is asking.',
  valuesConfig: {
    ANONYMOUS: { description: 'One without credentials.' },
    API_KEY: { description: 'A program that presented an API key.' },
    USER: { description: 'A person.' },
  },
});

/** The caller, as GraphQL shows it. */
@ObjectType('Viewer', {
  description: 'Who is asking, and what they may do.',
  simpleResolvers: true,
})
export class ViewerType {
  @Field(() => viewerKinds, { description: 'What kind of caller it is.' })
  readonly kind: keyof typeof viewerKinds;

  @Field(() => [String], {
    description: 'Effective scopes: full access is expanded to the whole catalogue.',
  })
  readonly scopes: readonly string[];
}
