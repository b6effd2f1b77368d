// The history fills charts from the database, a few at a time, those first that are asked for first.

import { span } from "./chart.js";

const atOnce = 4;
const page = 5000; // readings in one request
const maxPages = 4;

export class History {
  constructor() {
    this.queue = new Set();
    this.running = 0;
  }

  // want fills a chart that has not been filled, or has missed something.
  want(chart) {
    if (chart.filled) return;
    this.queue.add(chart);
    this.next();
  }

  next() {
    for (const chart of this.queue) {
      if (this.running >= atOnce) return;
      this.queue.delete(chart);
      this.running++;
      fill(chart)
        .catch((error) => console.warn(error.message))
        .finally(() => {
          this.running--;
          this.next();
        });
    }
  }
}

async function fill(chart) {
  chart.filled = true; // or a second request would follow the first
  const device = chart.device;
  const start = Math.min(device.edge(), chart.current?.time ?? Infinity) - span;
  let since = new Date(start).toISOString();
  for (let i = 0; i < maxPages; i++) {
    const query = new URLSearchParams({ device: device.name, metric: chart.metric, since, limit: page });
    const response = await fetch(`/api/readings?${query}`);
    if (!response.ok) {
      chart.filled = false;
      throw new Error(`/api/readings: ${response.status}`);
    }
    const readings = await response.json();
    for (const { value, ts } of readings) chart.add(Date.parse(ts), value);
    chart.changed = true;
    const last = readings.at(-1)?.ts;
    if (readings.length < page || last === since) return;
    since = last;
  }
}
