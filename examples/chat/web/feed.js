// The feed is the WebSocket to /ws, opened with a ticket. It comes back by itself after a random wait below a bound that
// doubles, so that many browsers do not come back at once, and ends for good when the server says so.

const firstWait = 500;
const longestWait = 15000;
const patience = 10000; // for the reply to a request
const silence = 20000; // then the server is asked whether it is still there

const final = {
  4001: "You are logged out.",
  4003: "A moderator has asked you to leave.",
  4010: "There is a newer version of this page: load it again.",
};

export class Feed {
  // onState gets "connecting", "live" or "offline"; onOpen is called at each connection, before its events; onEnd gets a
  // sentence, when there will be no further connection.
  constructor(session, { onEvent, onOpen, onState, onEnd }) {
    Object.assign(this, { session, onEvent, onOpen, onState, onEnd });
    this.failures = 0;
    this.last = 0;
    this.waiting = new Map(); // requests
    this.stop = new AbortController();
    const { signal } = this.stop;
    addEventListener("online", () => this.now(), { signal });
    addEventListener("visibilitychange", () => { if (!document.hidden) this.now(); }, { signal });
    this.watching = setInterval(() => this.watch(), 5000);
    this.connect();
  }

  async connect() {
    this.timer = undefined;
    this.onState(this.failures === 0 ? "connecting" : "offline");
    let ticket;
    try {
      ticket = await this.session.ticket();
    } catch (error) {
      if ([401, 403, 409].includes(error.status)) this.end(error.message);
      else this.later();
      return;
    }
    if (this.stop.signal.aborted) return;
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, ["wsx.v1", `wsx.ticket.${ticket}`]);
    this.socket = socket;
    this.heard = Date.now();
    socket.onopen = () => {
      this.onState("live");
      this.onOpen();
    };
    socket.onmessage = ({ data }) => this.receive(JSON.parse(data));
    socket.onclose = ({ code }) => this.lost(socket, code);
  }

  receive(event) {
    this.heard = Date.now();
    this.failures = 0;
    const request = this.waiting.get(event.id);
    if (request && (event.type === "reply" || event.type === "error")) {
      this.waiting.delete(event.id);
      clearTimeout(request.timer);
      if (event.type === "reply") request.resolve(event.data);
      else request.reject(Object.assign(new Error(event.message || event.code), { code: event.code }));
      return;
    }
    if (event.type !== "auth") this.onEvent(event);
  }

  // send sends an event that nobody answers; what cannot be sent now is of no use later.
  send(type, body) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type, ...body }));
  }

  // request resolves with the reply. An error with lost set says that nobody knows whether it was done.
  request(type, body) {
    return new Promise((resolve, reject) => {
      const lost = () => reject(Object.assign(new Error("No answer."), { lost: true }));
      if (this.socket?.readyState !== WebSocket.OPEN) {
        lost();
        return;
      }
      const id = ++this.last;
      const timer = setTimeout(() => { this.waiting.delete(id); lost(); }, patience);
      this.waiting.set(id, { resolve, reject, lost, timer });
      this.socket.send(JSON.stringify({ type, id, ...body }));
    });
  }

  lost(socket, code) {
    if (socket !== this.socket) return; // given up before
    this.socket = undefined;
    for (const { lost, timer } of this.waiting.values()) {
      clearTimeout(timer);
      lost();
    }
    this.waiting.clear();
    if (final[code]) this.end(final[code]);
    else this.later();
  }

  later() {
    if (this.stop.signal.aborted) return;
    this.onState("offline");
    const bound = Math.min(longestWait, firstWait * 2 ** Math.min(this.failures, 10));
    this.failures++;
    this.timer = setTimeout(() => this.connect(), Math.random() * bound);
  }

  // now ends a wait: the network, or the person, is back.
  now() {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.connect();
  }

  // watch renews the token on the live connection, and gives up a connection on which nothing is answered any more; a
  // browser would take minutes to notice.
  async watch() {
    const socket = this.socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (this.session.due()) {
      const ticket = await this.session.ticket().catch(() => "");
      if (ticket && socket === this.socket) this.send("auth", { token: ticket });
      return;
    }
    if (Date.now() - this.heard < silence || this.asked) return;
    this.asked = true;
    await this.request("alive").catch(() => {
      socket.close();
      this.lost(socket);
    });
    this.asked = false;
  }

  end(why) {
    this.close();
    this.onEnd(why);
  }

  close() {
    this.stop.abort();
    clearInterval(this.watching);
    clearTimeout(this.timer);
    this.timer = undefined;
    const socket = this.socket;
    this.socket = undefined;
    socket?.close(1000);
  }
}
