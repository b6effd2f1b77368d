// The session is who this tab is: a token of some minutes, renewed in time, and the tickets that it is good for. It is
// kept with the tab, so that a reload stays logged in and another tab can be somebody else.

const place = "chat-session";

// Refused is an answer of the server that trying again does not change. status 0 is none: the server was not reached.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function post(path, token, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body ?? {}),
      signal: AbortSignal.timeout(10000),
    });
  } catch {
    throw new Refused(0, "The server cannot be reached.");
  }
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, answer.error ?? `The server answers ${response.status}.`);
  return answer;
}

export class Session {
  constructor({ name, moderator, token, expires_in_ms: life }) {
    Object.assign(this, { name, moderator });
    this.keep(token, Date.now() + life);
  }

  static async login(name, code) {
    return new Session(await post("/login", "", { name, code }));
  }

  // kept returns the session that this tab had before it was loaded again, or null.
  static kept() {
    const s = JSON.parse(sessionStorage.getItem(place) ?? "null");
    return s && new Session({ ...s, expires_in_ms: s.expires - Date.now() });
  }

  keep(token, expires) {
    Object.assign(this, { token, expires });
    const { name, moderator } = this;
    sessionStorage.setItem(place, JSON.stringify({ name, moderator, token, expires }));
  }

  forget() { sessionStorage.removeItem(place); }

  // due reports whether the token should be renewed.
  due() { return this.expires - Date.now() < 5 * 60 * 1000; }

  async renew() {
    const { token, expires_in_ms: life } = await post("/renew", this.token);
    this.keep(token, Date.now() + life);
  }

  // ticket returns what opens one connection. When the token is good no more, because the server has another key since
  // its restart or this machine was asleep, the name alone logs in again: with a password, ask for that here instead.
  async ticket() {
    try {
      if (this.due()) await this.renew();
      return (await post("/ticket", this.token)).ticket;
    } catch (error) {
      if (error.status !== 401 || this.moderator) throw error;
      const { token, expires_in_ms: life } = await post("/login", "", { name: this.name });
      this.keep(token, Date.now() + life);
      return (await post("/ticket", this.token)).ticket;
    }
  }

  async logout() {
    this.forget();
    await post("/logout", this.token).catch(() => {}); // the name is free in a minute anyway
  }
}
