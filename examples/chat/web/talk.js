// A talk is a room, or what two people say to each other: its messages, each once, in the order in which they were said.
// Sender and key name a message, however often and on whatever way it comes.

const kept = 500; // messages a talk keeps on the page

const nameOf = ({ from, key }) => `${from}\n${key}`;

export class Talk {
  constructor(kind, name) {
    Object.assign(this, { kind, name });
    this.messages = [];
    this.names = new Map();
    this.pending = new Map(); // mine, without a receipt, by key
    this.people = [];
    this.unread = 0;
    this.missed = false; // messages may lie between what it had and what has come
  }

  // add returns false for a message that is there already.
  add(message) {
    if (this.names.has(nameOf(message))) return false;
    this.names.set(nameOf(message), true);
    let i = this.messages.length;
    while (i > 0 && this.messages[i - 1].at > message.at) i--;
    this.messages.splice(i, 0, message);
    for (const old of this.messages.splice(0, this.messages.length - kept)) this.names.delete(nameOf(old));
    return true;
  }

  // merge adds what a room says was said last, and returns what is new of it.
  merge(messages) {
    const newest = this.messages.at(-1);
    const overlaps = !newest || messages.some((m) => this.names.has(nameOf(m)));
    const fresh = messages.filter((m) => this.add(m));
    this.missed = !overlaps && fresh.length > 0 && messages.length >= 50;
    return fresh;
  }
}

// newKey names a message of mine. crypto.randomUUID exists on https and localhost only.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
