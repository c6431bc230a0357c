// The radio's API. Every address counts from where this file lies, so the radio may live below any path.

const ROOT = new URL("..", import.meta.url);
const PATIENCE = 10_000; // milliseconds for an answer

/** The full address of a path such as "/chill.opus". */
export const address = (path) => new URL(path.replace(/^\//, ""), ROOT).href;

/** An answer that is not a success, with the API's own words. */
export class Refusal extends Error {
  constructor(status, { message, field } = {}) {
    super(message ?? `the radio answered ${status}`);
    this.status = status;
    this.field = field;
  }
}

/** Ask for JSON. Throws Refusal, or an Error in plain words where nobody answers. */
export async function ask(path, { method = "GET", body, token } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let answer, data;
  try {
    answer = await fetch(address(path), {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE),
    });
    const text = await answer.text();
    data = text ? JSON.parse(text) : {};
  } catch {
    throw answer && !answer.ok ? new Refusal(answer.status) : new Error("The radio does not answer.");
  }
  if (!answer.ok) throw new Refusal(answer.status, data.error);
  return data;
}
