/**
 * Answers for clients that take no event stream.
 *
 * @module
 */

/**
 * The answers in an event stream as one JSON text, once the stream has ended; other answers as they are. What the server says
 * besides, such as progress, is for those who take events.
 */
export async function asJson(response: Response): Promise<Response> {
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
  const data = (await response.text()).split("\n").flatMap((line) => line.startsWith("data: {") ? [line.slice(6)] : []);
  const answers = data.filter((text) => !("method" in JSON.parse(text)));
  const headers = new Headers(response.headers);
  headers.set("content-type", "application/json");
  return new Response(answers.length === 1 ? answers[0] : `[${answers}]`, { status: response.status, headers });
}
