/** A GraphQL error as a client gets it. */
export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** An answer over HTTP. */
export interface Answer<Data> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly data?: Data | null; readonly errors?: readonly AnswerError[] };
  /** The data; throws with the errors when there is none. */
  readonly data: Data;
  /** The errors; empty when there are none. */
  readonly errors: readonly AnswerError[];
  /** The body as it came. */
  readonly text: string;
}

/** How to ask. */
export interface Asked {
  /** The key to send; null sends none. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** POSTs a GraphQL request as JSON. */
export async function graphql<Data>(
  url: string,
  request: {
    query: string;
    variables?: Record<string, unknown> | undefined;
    operationName?: string;
  },
  { key = null, headers = {} }: Asked = {},
): Promise<Answer<Data>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  const body = JSON.parse(text) as Answer<Data>['body']; // GraphQL over HTTP says so
  return {
    status: response.status,
    headers: response.headers,
    body,
    get data() {
      if (body.data == null) throw new Error(`no data: ${text}`);
      return body.data;
    },
    errors: body.errors ?? [],
    text,
  };
}
