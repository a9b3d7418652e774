// Calls to the server. A refusal becomes an ApiError with the server's sentence. If the server doesn't answer, that is an
// outage: this module asks until it is over, and tells its listeners when it begins and ends. If a proxy answers with a page
// of its own, such as a login, that is an ApiError, too. All addresses are relative to the page, which a proxy may serve
// below any path.

export class ApiError extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

const RETRY_MS = 1000;
const BAD_GATEWAY = 502; // the status of an answer that isn't the server's, whatever the proxy says
const PROXY = "A proxy answers in place of the server; reload this page, and log in if it asks.";
const listeners = new Set();
const infos = new Map(); // by game; see `api.info`
const known = new Set(); // the games whose infos are those of the server that runs now
let down = false;

/** Call `listener(true)` when an outage begins and `listener(false)` when it ends. */
export function onOutage(listener) {
  listeners.add(listener);
}

/** Tell the listeners that the server doesn't answer, and ask until it does. */
function reportOutage() {
  if (down) return;
  down = true;
  for (const listener of [...listeners]) listener(true);
  const retry = setInterval(async () => {
    try {
      const response = await fetch("health", { cache: "no-store" });
      if (!response.ok || !isOurs(response)) return;
    } catch {
      return;
    }
    clearInterval(retry);
    down = false;
    forgetInfos();
    for (const listener of [...listeners]) listener(false);
  }, RETRY_MS);
}

/** Whether an answer is of a kind that the server gives: JSON, a stream of events, or the sentence of a refusal. */
function isOurs(response) {
  const kinds = ["application/json", "text/event-stream", ...(response.ok ? [] : ["text/plain"])];
  const kind = response.headers.get("content-type") ?? "";
  return kinds.some((one) => kind.startsWith(one));
}

/** What `read(response)` makes of the server's answer. It is an outage if there is none, or if a proxy says so. */
async function ask(path, options, read) {
  try {
    const response = await fetch(path, { cache: "no-store", redirect: "manual", ...options }); // a proxy may redirect to its login
    if (response.status > 500) throw new Error("a proxy answers for a server that is down");
    if (!isOurs(response)) throw new ApiError(BAD_GATEWAY, PROXY);
    return await read(response);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    reportOutage();
    throw new ApiError(0, "The server does not answer.");
  }
}

/** The sentence with which the server refuses a stream; null if it would open it. */
export async function refusalOf(path) {
  const asked = new AbortController();
  try {
    return await ask(path, { signal: asked.signal }, (response) => (response.ok ? null : response.text()));
  } finally {
    asked.abort();
  }
}

const call = (path, options) =>
  ask(path, options, async (response) => {
    if (!response.ok) throw new ApiError(response.status, await response.text());
    return response.json();
  });

/** Ask for the dimensions of games again: the server may be another one by now. */
export const forgetInfos = () => known.clear();

export const api = {
  get: (path, query = {}) => {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const search = new URLSearchParams(given).toString();
    return call(search ? `${path}?${search}` : path);
  },
  post: (path, body = {}) =>
    call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  /** A game's dimensions and words; they don't change while the server runs. It is another object only if they have changed. */
  info: async (game) => {
    if (!known.has(game)) {
      const info = await call(`game-info/${encodeURIComponent(game)}`);
      if (JSON.stringify(info) !== JSON.stringify(infos.get(game))) infos.set(game, info);
      known.add(game);
    }
    return infos.get(game);
  },
};
