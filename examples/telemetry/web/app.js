// The page: the totals, and for each device its charts, which begin with what the database has and go on with what the
// feed brings.

import { Chart, make, setText } from "./chart.js";
import { Feed } from "./feed.js";
import { History } from "./history.js";
import { ago } from "./units.js";

const maxDevices = 100; // drawn in one page
const maxCharts = 48; // of one device
const frameEvery = 200; // milliseconds; the line moves a pixel a second
const skewed = 3000; // milliseconds by which a clock is another one's

const only = new URLSearchParams(location.search).get("device");
const devices = new Map();
let left = 0; // devices that found no room

class Device {
  constructor(name) {
    this.name = name;
    this.charts = new Map();
    this.connected = false;
    this.offset = 0; // of its clock from ours, when that is more than a little
    this.newest = 0;
    this.element = make("section", "device");
    const title = make("h2");
    const link = make("a", "", name);
    link.href = `/?device=${encodeURIComponent(name)}`;
    this.seen = make("span", "seen");
    title.append(link, this.seen);
    this.grid = make("div", "charts");
    this.element.append(title, this.grid);
  }

  setConnected(connected) {
    this.connected = connected;
    this.element.classList.toggle("connected", connected);
    for (const chart of this.charts.values()) chart.changed = true;
  }

  // chart returns the chart of a metric, or undefined when there are too many.
  chart(metric) {
    let chart = this.charts.get(metric);
    if (!chart && this.charts.size < maxCharts) {
      chart = new Chart(this, metric);
      this.charts.set(metric, chart);
      insertSorted(this.grid, chart.element, metric);
      sight.observe(chart.element);
      charts.set(chart.element, chart);
    }
    return chart;
  }

  saw(time) {
    this.newest = Math.max(this.newest, time);
    const offset = time - Date.now();
    this.offset = Math.abs(offset) > skewed ? offset : 0;
  }

  about() {
    if (this.connected) return "the last five minutes";
    return this.newest ? `offline, last reading ${ago(Date.now() - this.newest)}` : "offline";
  }

  // edge is the time at the right of its charts: now by its clock, or when it was last heard of.
  edge() {
    return this.connected ? Date.now() + this.offset : this.newest;
  }
}

const charts = new WeakMap();
const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const chart = charts.get(entry.target);
    chart.visible = entry.isIntersecting;
    chart.changed = true;
    if (chart.visible) history.want(chart);
  }
}, { rootMargin: "200px" });

const history = new History();

function insertSorted(parent, element, name) {
  element.dataset.name = name;
  const after = [...parent.children].find((other) => other.dataset.name > name);
  parent.insertBefore(element, after ?? null);
}

// device returns the device of a name, or undefined when the page has no room for it.
function device(name) {
  let found = devices.get(name);
  if (found) return found;
  if (only !== null && name !== only) return undefined;
  if (devices.size >= maxDevices) {
    left++;
    return undefined;
  }
  found = new Device(name);
  devices.set(name, found);
  empty.remove();
  insertSorted(byId("devices"), found.element, name);
  return found;
}

const byId = (id) => document.getElementById(id);

const empty = make("section", "empty");
empty.append(make("h2", "", "No device yet"), make("p", "", "Its charts appear here as soon as one sends readings."));

// load asks which devices there are, with their newest readings. What it misses meanwhile comes over the feed.
async function load() {
  const response = await fetch("/api/devices");
  if (!response.ok) throw new Error(`/api/devices: ${response.status}`);
  left = 0;
  for (const known of await response.json()) {
    const shown = device(known.device);
    if (!shown) continue;
    shown.setConnected(known.connected);
    for (const { metric, value, ts } of known.metrics) {
      const time = Date.parse(ts);
      shown.saw(time);
      shown.chart(metric)?.take(time, value);
    }
  }
  if (devices.size === 0) byId("devices").append(empty);
  for (const shown of devices.values()) {
    for (const chart of shown.charts.values()) {
      chart.filled = false; // what came while there was no connection is only in the database
      if (chart.visible) history.want(chart);
    }
  }
}

const handlers = {
  stats(s) {
    const whole = (n) => n.toLocaleString("en");
    setText(byId("rate"), s.rate.toLocaleString("en", { maximumFractionDigits: s.rate < 100 ? 1 : 0 }));
    setText(byId("connected"), whole(s.connected));
    setText(byId("paused"), whole(s.paused));
    byId("devices-now").title = `a paused device is not read, because the database has not taken what it sent; so far ${whole(s.pauses)} pauses, ${whole(Math.round(s.paused_ms / 1000))} s in sum`;
    setText(byId("stored"), whole(s.stored));
    setText(byId("rejected"), whole(s.rejected));
    setText(byId("ack-ms"), whole(Math.round(s.ack_ms)));
    byId("ack-ms").title = `the median of the newest 1,024 messages; the slowest of them took ${whole(Math.round(s.ack_slowest_ms))} ms`;
    setText(byId("unsettled"), whole(s.unsettled));
    setText(byId("dead-letters"), whole(s.dead_letters));
    setText(byId("acks"), `${whole(s.acks)} / ${whole(s.nacks)}`);
    byId("database").hidden = s.database_away_s === 0;
  },

  device({ device: name, connected }) {
    device(name)?.setConnected(connected);
  },

  readings({ device: name, readings }) {
    const shown = device(name);
    if (!shown) return;
    for (const { metric, value, ts } of readings) {
      const time = Date.parse(ts);
      shown.saw(time);
      shown.chart(metric)?.add(time, value);
    }
  },
};

new Feed(only, {
  onState(state) {
    byId("state").dataset.state = state;
    setText(byId("state"), state);
  },
  onOpen() {
    load().catch((error) => console.warn(error.message));
  },
  onMessage(message) {
    handlers[message.type]?.(message);
  },
});

// The colors are the style sheet's, which knows whether it is dark.
let palette = {};

function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const names = ["--grid", "--soft", ...Array.from({ length: 8 }, (_, i) => `--c${i}`)];
  palette = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(name).trim()]));
  for (const shown of devices.values()) {
    for (const chart of shown.charts.values()) chart.changed = true;
  }
}

readPalette();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readPalette);

let drawn = 0;

function frame(now) {
  requestAnimationFrame(frame);
  if (now - drawn < frameEvery) return;
  drawn = now;
  for (const shown of devices.values()) {
    setText(shown.seen, shown.about());
    for (const chart of shown.charts.values()) {
      if (chart.changed) chart.write();
      if (chart.visible && (chart.changed || shown.connected)) chart.draw(shown.edge(), palette);
      chart.changed = false;
    }
  }
  byId("more").hidden = left === 0;
  setText(byId("more"), `There are more devices than this page shows. /?device=NAME shows one of them.`);
}

requestAnimationFrame(frame);

const scheme = location.protocol === "https:" ? "wss" : "ws";
byId("command").textContent =
  `go run ./examples/telemetry -agent ${scheme}://${location.host}/ingest -device NAME -token TOKEN`;
