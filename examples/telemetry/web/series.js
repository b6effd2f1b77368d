// A series is what is known of one metric of one device: points in the order of their times, the newest few thousand.

const room = 4096;

export class Series {
  constructor() {
    this.times = new Float64Array(room); // milliseconds since 1970
    this.values = new Float64Array(room);
    this.start = 0; // of the oldest, in the ring
    this.length = 0;
  }

  time(i) { return this.times[(this.start + i) % room]; }
  value(i) { return this.values[(this.start + i) % room]; }

  get last() {
    if (this.length === 0) return null;
    return { time: this.time(this.length - 1), value: this.value(this.length - 1) };
  }

  // add puts a point where its time belongs. One that is there already is left out: what comes live while the past is
  // being fetched comes twice.
  add(time, value) {
    let at = this.length;
    while (at > 0 && this.time(at - 1) > time) at--;
    for (let i = at - 1; i >= 0 && this.time(i) === time; i--) {
      if (this.value(i) === value) return;
    }
    if (this.length === room) {
      if (at === 0) return; // older than all that is kept
      this.start = (this.start + 1) % room;
      this.length--;
      at--;
    }
    for (let i = this.length; i > at; i--) this.set(i, this.time(i - 1), this.value(i - 1));
    this.set(at, time, value);
    this.length++;
  }

  set(i, time, value) {
    const slot = (this.start + i) % room;
    this.times[slot] = time;
    this.values[slot] = value;
  }

  // from returns the index of the first point at or after a time.
  from(time) {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.time(mid) < time) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}
