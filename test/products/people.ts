import { startIdentityProvider } from '../support/identity-provider';

/** The people of a company that uses a product, each by the token they are signed in with. */
export interface Account {
  /** What Keyward needs to believe the company's identity provider. */
  readonly settings: Readonly<Record<string, string>>;
  readonly admin: string;
  readonly member: string;
  readonly memberName: string;
  /** An admin of an organization that is on no paid plan. */
  readonly freeAdmin: string;
  /** A member of another organization. */
  readonly stranger: string;
  stop(): Promise<void>;
}

const companies: Readonly<Record<string, string>> = {
  astra: 'Astra Labs',
  ayra: 'Ayra Labs',
  actian: 'Actian Labs',
  eg: 'EG Labs',
};

/** Signs the people of a product's customer in at a real identity provider. */
export async function accountOf(product: string): Promise<Account> {
  const provider = await startIdentityProvider();
  const labs = { org_id: `${product}-labs`, org_name: companies[product] ?? product, plan: 'paid' };
  const issue = async (claims: object): Promise<string> => provider.issue({ ...labs, ...claims });
  const memberName = 'Jane Roe';
  return {
    settings: provider.settings,
    admin: await issue({ sub: 'ada', name: 'Ada Admin', role: 'admin' }),
    member: await issue({ sub: 'jane', name: memberName, role: 'member' }),
    memberName,
    freeAdmin: await issue({
      ...{ sub: 'frank', name: 'Frank', role: 'admin' },
      ...{ org_id: 'hobby', org_name: 'Hobby', plan: 'free' },
    }),
    stranger: await issue({
      ...{ sub: 'sam', name: 'Sam', role: 'member' },
      ...{ org_id: 'other', org_name: 'Other' },
    }),
    stop: async () => provider.stop(),
  };
}
