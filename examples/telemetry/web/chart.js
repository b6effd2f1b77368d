// A chart is one metric of one device: its name, the current value and a line of the last minutes.

import { Series } from "./series.js";
import { format, kindOf, text } from "./units.js";

export const span = 5 * 60 * 1000; // milliseconds that a chart shows

const minute = 60 * 1000;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

// make returns an element with a class and a text. Nothing in this page is ever parsed as HTML.
export function make(tag, className = "", content = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content) element.textContent = content;
  return element;
}

export class Chart {
  constructor(device, metric) {
    this.device = device;
    this.metric = metric;
    this.kind = kindOf(metric);
    this.series = new Series();
    this.current = null; // the newest reading
    this.visible = false;
    this.filled = false; // from the database
    this.changed = true;
    this.pointer = null; // where it is over the canvas
    this.build();
  }

  build() {
    this.element = make("section", "chart");
    const head = make("header");
    const name = make("h3", "", this.metric);
    name.title = this.kind.about;
    const value = make("p", "value");
    this.number = make("span", "number", "–");
    this.unit = make("span", "unit");
    value.append(this.number, this.unit);
    head.append(name, value);
    this.canvas = make("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${this.metric} of ${this.device.name} over the last five minutes`);
    this.canvas.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.range = make("p", "range");
    this.left = make("span");
    this.right = make("span");
    this.range.append(this.left, this.right);
    this.element.append(head, this.canvas, this.range);
  }

  point(x) {
    this.pointer = x;
    this.changed = true;
  }

  add(time, value) {
    this.series.add(time, value);
    this.take(time, value);
  }

  // take makes a reading the current one, unless a newer one is known.
  take(time, value) {
    if (this.current && this.current.time > time) return;
    this.current = { time, value };
    this.changed = true;
  }

  write() {
    if (!this.current) return;
    const { number, unit } = format(this.current.value, this.kind);
    setText(this.number, number);
    setText(this.unit, unit);
  }

  // draw draws the line up to a time, which is the right edge.
  draw(edge, palette) {
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    if (width === 0) return;
    const context = this.fit(width, height);
    const first = this.series.from(edge - span);
    const [low, high] = this.bounds(first);
    const frame = {
      context, palette, width, height, low, high, first, edge,
      color: palette[`--c${this.kind.color}`],
      x: (time) => width - ((edge - time) / span) * width,
      y: (value) => height - 3 - ((value - low) / (high - low)) * (height - 18),
    };
    drawGrid(frame);
    drawLine(frame, this.series);
    this.describe(frame);
  }

  // fit makes the canvas as fine as the screen.
  fit(width, height) {
    const ratio = window.devicePixelRatio || 1;
    const w = Math.round(width * ratio);
    const h = Math.round(height * ratio);
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  }

  // bounds chooses what the vertical axis shows, and notes the least and the greatest value.
  bounds(first) {
    let least = Infinity;
    let most = -Infinity;
    for (let i = first; i < this.series.length; i++) {
      const value = this.series.value(i);
      if (value < least) least = value;
      if (value > most) most = value;
    }
    this.extent = least <= most ? [least, most] : null;
    if (!this.extent) return [0, 1];
    let low = this.kind.low ?? least;
    let high = Math.max(this.kind.high ?? -Infinity, most);
    low = Math.min(low, least);
    if (this.kind.high === undefined) high += (high - low) * 0.1;
    if (this.kind.low === undefined) low -= (high - low) * 0.1;
    if (!(high > low)) {
      const half = Math.max(Math.abs(most) * 0.1, 0.5);
      return this.kind.low === 0 && low === 0 ? [0, 2 * half] : [low - half, high + half];
    }
    return [low, high];
  }

  // describe writes the line below: the value under the pointer, else the least and the greatest.
  describe(frame) {
    const under = this.pointer === null ? -1 : nearest(frame, this.series, this.pointer);
    if (under >= 0) {
      const [time, value] = [this.series.time(under), this.series.value(under)];
      drawMark(frame, frame.x(time), frame.y(value));
      setText(this.left, clock.format(time));
      setText(this.right, text(value, this.kind));
      return;
    }
    if (!this.extent) {
      setText(this.left, this.filled ? "no readings in these five minutes" : "");
      setText(this.right, "");
      return;
    }
    setText(this.left, `min ${text(this.extent[0], this.kind)}`);
    setText(this.right, `max ${text(this.extent[1], this.kind)}`);
  }
}

export function setText(element, content) {
  if (element.textContent !== content) element.textContent = content;
}

function drawGrid({ context, palette, width, height, edge, x }) {
  context.strokeStyle = palette["--grid"];
  context.lineWidth = 1;
  context.beginPath();
  for (let time = Math.ceil((edge - span) / minute) * minute; time <= edge; time += minute) {
    const at = Math.round(x(time)) + 0.5;
    context.moveTo(at, 0);
    context.lineTo(at, height);
  }
  for (const share of [0, 0.5, 1]) {
    const at = Math.round(15 + share * (height - 18)) - 0.5;
    context.moveTo(0, at);
    context.lineTo(width, at);
  }
  context.stroke();
}

// drawLine draws the runs of points between gaps, each with a shade below it.
function drawLine(frame, series) {
  const { first } = frame;
  const count = series.length - first;
  if (count === 0) return;
  const typical = (series.time(series.length - 1) - series.time(first)) / Math.max(1, count - 1);
  const gap = Math.max(5000, 6 * typical);
  let from = first;
  for (let i = first + 1; i <= series.length; i++) {
    if (i < series.length && series.time(i) - series.time(i - 1) <= gap) continue;
    drawRun(frame, series, from, i);
    from = i;
  }
}

function drawRun({ context, color, height, x, y }, series, from, to) {
  const line = new Path2D();
  for (let i = from; i < to; i++) line.lineTo(x(series.time(i)), y(series.value(i)));
  const left = x(series.time(from));
  const right = x(series.time(to - 1));
  if (to - from === 1) {
    line.arc(left, y(series.value(from)), 1, 0, 2 * Math.PI);
  }
  const shade = new Path2D(line);
  shade.lineTo(right, height);
  shade.lineTo(left, height);
  shade.closePath();
  const fill = context.createLinearGradient(0, 0, 0, height);
  fill.addColorStop(0, color + "40");
  fill.addColorStop(1, color + "05");
  context.fillStyle = fill;
  context.fill(shade);
  context.strokeStyle = color;
  context.lineWidth = 1.6;
  context.lineJoin = "round";
  context.stroke(line);
}

// nearest returns the index of the point nearest to a place, or -1.
function nearest({ x, first, edge, width }, series, place) {
  const i = series.from(edge - ((width - place) / width) * span);
  const candidates = [i - 1, i].filter((n) => n >= first && n < series.length);
  candidates.sort((a, b) => Math.abs(x(series.time(a)) - place) - Math.abs(x(series.time(b)) - place));
  return candidates[0] ?? -1;
}

function drawMark({ context, palette, color, height }, x, y) {
  context.strokeStyle = palette["--soft"];
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, height);
  context.stroke();
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, 3.5, 0, 2 * Math.PI);
  context.fill();
}
