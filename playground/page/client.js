// A user client of the API: REST with its rate limits, and the gateway with heartbeat, resume and reconnection.

export class ApiError extends Error {}

export class Rest {
  constructor(token) {
    this.token = token;
  }

  /** JSON in, JSON out. Waits out a rate limit; every other failure is an ApiError with words for people. */
  async call(method, path, body, tries = 4) {
    const headers = { Authorization: this.token };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await reach(`/api/v9${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const data = response.status === 204 ? null : await response.json().catch(() => null);
    if (response.status === 429 && tries > 1) {
      await pause((data?.retry_after ?? 1) * 1000);
      return this.call(method, path, body, tries - 1);
    }
    if (!response.ok) throw new ApiError(errorWords(data, response.status));
    return data;
  }
}

export async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new ApiError("The server cannot be reached.");
  }
}

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function errorWords(data, status) {
  const first = (node) => (node?._errors ? node._errors[0].message : node && typeof node === "object" ? Object.values(node).map(first).find(Boolean) : null);
  return first(data?.errors) ?? data?.message ?? `The server answered with status ${status}.`;
}

/** The gateway connection: identifies, keeps the heartbeat, resumes after a drop. */
export class Gateway {
  constructor(url, token, handlers) {
    this.url = url;
    this.token = token;
    this.handlers = handlers;
    this.session = null;
    this.sequence = null;
    this.attempt = 0;
  }

  connect() {
    const socket = new WebSocket(`${this.url}?v=9&encoding=json`);
    this.socket = socket;
    socket.addEventListener("message", (event) => socket === this.socket && this.#receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => socket === this.socket && this.#closed(event.code));
  }

  send(op, d) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ op, d }));
  }

  #receive({ op, d, s, t }) {
    if (s !== null && s !== undefined) this.sequence = s;
    if (op === 10) this.#hello(d);
    else if (op === 11) this.acknowledged = true;
    else if (op === 1) this.send(1, this.sequence);
    else if (op === 7) this.socket.close(4000);
    else if (op === 9) this.#invalid(d);
    else if (op === 0) this.#dispatch(t, d);
  }

  #hello({ heartbeat_interval: interval }) {
    if (this.session) this.send(6, { token: this.token, session_id: this.session, seq: this.sequence });
    else this.#identify();
    this.acknowledged = true;
    clearInterval(this.heart);
    this.heart = setInterval(() => this.#beat(), interval);
  }

  #identify() {
    this.send(2, { token: this.token, capabilities: 0, properties: { os: "", browser: "Playground", device: "" }, presence: { status: "online", since: 0, activities: [], afk: false }, compress: false });
  }

  #beat() {
    if (!this.acknowledged) return this.socket.close(4000);
    this.acknowledged = false;
    return this.send(1, this.sequence);
  }

  #invalid(resumable) {
    if (!resumable) this.session = null;
    this.#hello({ heartbeat_interval: 41_250 });
  }

  #dispatch(type, data) {
    if (type === "READY") this.session = data.session_id;
    if (type === "READY" || type === "RESUMED") {
      this.attempt = 0;
      this.handlers.up();
    }
    this.handlers.event(type, data);
  }

  #closed(code) {
    clearInterval(this.heart);
    if (code === 4004) return this.handlers.refused();
    if (code >= 4006 && code <= 4009) this.session = null;
    this.handlers.down();
    this.attempt += 1;
    this.timer = setTimeout(() => this.connect(), Math.min(8000, 500 * 2 ** (this.attempt - 1)));
  }
}
