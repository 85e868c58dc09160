/** The results that a subscription is answered with, one by one as they come (server-sent events). */
export async function* eventsOf(
  url: string,
  query: string,
  key: string,
): AsyncGenerator<unknown, void> {
  const headers = {
    ...{ 'content-type': 'application/json', accept: 'text/event-stream' },
    authorization: `Bearer ${key}`,
  };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let unread = '';
  try {
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
      const lines = (unread + read.value).split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) {
        const [, json] = /^data: (.+)/.exec(line) ?? [];
        if (json !== undefined) yield JSON.parse(json);
      }
    }
  } finally {
    await reader?.cancel();
  }
}
