// How metrics are shown. One that is not known here is a number without a unit, in a color that its name chooses.

const percent = { unit: "%", low: 0, high: 100 };
const bytes = { unit: "B/s", low: 0, scaled: true };

const known = {
  cpu: { color: 0, ...percent, about: "share of all processors that is busy" },
  memory: { color: 3, ...percent, about: "share of the memory that is used" },
  disk: { color: 5, ...percent, about: "share of the disk that is used" },
  load: { color: 2, unit: "", low: 0, about: "processes that run or want to, average of a minute" },
  net_in: { color: 1, ...bytes, about: "received from the network" },
  net_out: { color: 6, ...bytes, about: "sent to the network" },
  disk_read: { color: 4, ...bytes, about: "read from the disks" },
  disk_write: { color: 7, ...bytes, about: "written to the disks" },
};

export function kindOf(metric) {
  if (Object.hasOwn(known, metric)) return known[metric];
  const color = [...metric].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) % 8;
  return { color, unit: "", about: metric };
}

const steps = ["", "k", "M", "G", "T", "P"];

// format returns the number and the unit.
export function format(value, kind) {
  if (!kind.scaled) return { number: figures(value, kind), unit: kind.unit };
  let n = value;
  let step = 0;
  while (Math.abs(n) >= 1000 && step < steps.length - 1) {
    n /= 1000;
    step++;
  }
  return { number: n.toFixed(n >= 100 || step === 0 ? 0 : n >= 10 ? 1 : 2), unit: steps[step] + kind.unit };
}

function figures(n, kind) {
  if (kind.unit === "%") return n.toFixed(1);
  if (Number.isInteger(n) && Math.abs(n) < 1e12) return String(n);
  return String(Number(n.toPrecision(6)));
}

export function text(value, kind) {
  const { number, unit } = format(value, kind);
  return unit ? `${number} ${unit}` : number;
}

// ago says how long ago something was.
export function ago(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} d ago`;
}
