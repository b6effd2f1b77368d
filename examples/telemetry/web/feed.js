// The feed is the WebSocket to /live. It comes back by itself after a random wait below a bound that doubles, so that
// many browsers do not come back at once.

const firstWait = 500;
const longestWait = 15000;
const silence = 10000; // the server sends the totals each second

export class Feed {
  // onState gets "connecting", "live" or "offline"; onOpen is called at each connection, before its messages.
  constructor(device, { onMessage, onOpen, onState }) {
    const url = new URL("/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (device) url.searchParams.set("device", device);
    this.url = url;
    this.onMessage = onMessage;
    this.onOpen = onOpen;
    this.onState = onState;
    this.failures = 0;
    this.heard = 0;
    addEventListener("online", () => this.now());
    addEventListener("visibilitychange", () => { if (!document.hidden) this.now(); });
    setInterval(() => this.watch(), 1000);
    this.connect();
  }

  connect() {
    this.timer = undefined;
    this.onState(this.failures === 0 ? "connecting" : "offline");
    const socket = new WebSocket(this.url, ["wsx.v1"]);
    this.socket = socket;
    this.heard = Date.now();
    socket.onopen = () => {
      this.onState("live");
      this.onOpen();
    };
    socket.onmessage = (event) => {
      this.heard = Date.now();
      this.failures = 0;
      this.onMessage(JSON.parse(event.data));
    };
    socket.onclose = () => this.lost(socket);
  }

  lost(socket) {
    if (socket !== this.socket) return; // given up before
    this.socket = undefined;
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

  // watch gives up a connection on which nothing comes any more; a browser would take minutes to notice.
  watch() {
    const socket = this.socket;
    if (!socket || document.hidden || Date.now() - this.heard < silence) return;
    socket.close();
    this.lost(socket);
  }
}
