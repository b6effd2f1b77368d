// The page: a login, and behind it rooms and private talks over one feed.

import { Feed } from "/feed.js";
import { Session } from "/session.js";
import { newKey, Talk } from "/talk.js";
import { $, addLine, clear, endPending, news, notice, showLog, showPeople, showTalks } from "/view.js";

const typingEvery = 3000;
const typingLasts = 5000;
const again = 2000; // until a message that has no receipt is sent once more

class Chat {
  constructor(session, rooms) {
    this.session = session;
    this.rooms = rooms.map((name) => new Talk("room", name));
    this.privates = [];
    this.typists = new Map(); // name → timer, in the room that is shown
    this.typed = 0;
    this.feed = new Feed(session, {
      onEvent: (event) => this[`on_${event.type}`]?.(event),
      onOpen: () => this.opened(),
      onState: (state) => this.state(state),
      onEnd: (why) => { session.forget(); this.end(); door(why); },
    });
    $("me").textContent = session.name;
    this.open(this.rooms[0]);
  }

  state(state) {
    $("state").textContent = state;
    $("state").dataset.state = state;
    if (state !== "live") for (const talk of this.rooms) talk.joined = false;
  }

  // opened is called at each connection: the rooms that were open before are joined again, and say what was missed.
  opened() {
    for (const talk of this.rooms) if (talk.wanted) this.join(talk);
    for (const talk of this.privates) this.sendPending(talk);
  }

  async join(talk) {
    talk.wanted = true;
    try {
      const { messages, people } = await this.feed.request("join", { room: talk.name });
      talk.joined = true;
      talk.people = people;
      for (const m of messages) this.settled(talk, m);
      if (this.current === talk) this.mergeShown(talk, messages);
      else talk.unread += talk.merge(messages).filter((m) => m.from !== this.session.name).length;
      this.show();
      this.sendPending(talk);
    } catch (error) {
      if (!error.lost) notice(error.message);
    }
  }

  // mergeShown adds to the talk that is on the page, line by line, so that what is new is read out.
  mergeShown(talk, messages) {
    const first = talk.messages.length === 0;
    const fresh = talk.merge(messages);
    if (first || talk.missed) showLog(talk, this.session);
    else for (const m of fresh) addLine(m, this.session);
  }

  open(talk) {
    this.current = talk;
    talk.unread = 0;
    news("");
    this.typists.forEach(clearTimeout);
    this.typists.clear();
    this.showTyping();
    $("title").textContent = talk.kind === "room" ? talk.name : `${talk.name}, privately`;
    $("text-label").textContent = `Message to ${talk.name}`;
    showLog(talk, this.session);
    this.show();
    $("text").focus();
    if (talk.kind === "room" && !talk.joined) this.join(talk);
  }

  show() {
    showTalks($("rooms"), this.rooms, this.current, (talk) => this.open(talk));
    showTalks($("privates"), this.privates, this.current, (talk) => this.open(talk));
    $("privates-title").hidden = this.privates.length === 0;
    $("here").hidden = this.current?.kind !== "room";
    if (this.current?.kind === "room") {
      showPeople(this.current.people, this.session, {
        onPrivate: (name) => this.open(this.withPerson(name)),
        onKick: (name) => this.kick(name),
      });
    }
    const unread = [...this.rooms, ...this.privates].reduce((sum, talk) => sum + talk.unread, 0);
    document.title = unread ? `(${unread}) Chat` : "Chat";
  }

  withPerson(name) {
    let talk = this.privates.find((t) => t.name === name);
    if (!talk) this.privates.push(talk = new Talk("person", name));
    return talk;
  }

  // say shows a message at once, and sends it until there is a receipt. Its key keeps it one message.
  say(text) {
    const talk = this.current;
    const message = { key: newKey(), at: Infinity, from: this.session.name, text };
    talk.pending.set(message.key, message);
    addLine(message, this.session);
    this.send(talk, message);
  }

  sendPending(talk) {
    for (const message of talk.pending.values()) this.send(talk, message);
  }

  async send(talk, message) {
    const { key, text } = message;
    const room = talk.kind === "room";
    if (message.sending || (room && !talk.joined)) return; // join sends it
    message.sending = true;
    try {
      const to = room ? { room: talk.name } : { to: talk.name };
      const { at } = await this.feed.request(room ? "say" : "private", { ...to, key, text });
      this.take(talk, { key, at, from: this.session.name, text });
    } catch (error) {
      if (error.lost || error.code === "slow_down") {
        setTimeout(() => { if (talk.pending.has(key)) this.send(talk, message); }, again + Math.random() * again);
      } else {
        this.settled(talk, message);
        if (!$("text").value) $("text").value = text;
        notice(error.message);
      }
    }
    message.sending = false;
  }

  // settled ends the wait for a message of mine.
  settled(talk, { key, from }) {
    if (from !== this.session.name || !talk.pending.delete(key)) return;
    if (this.current === talk) endPending(key);
  }

  // take shows a message, unless it is there already.
  take(talk, message) {
    this.settled(talk, message);
    if (!talk.add(message)) return;
    if (this.current === talk) {
      addLine(message, this.session);
    } else if (message.from !== this.session.name) {
      talk.unread++;
      news(talk.kind === "room" ? `New messages in ${talk.name}` : `${talk.name} has written to you privately`);
    }
    this.show();
  }

  on_said(message) {
    const talk = this.rooms.find((t) => t.name === message.room);
    if (!talk) return;
    this.take(talk, message);
    if (talk === this.current) this.stopsTyping(message.from);
  }

  on_private(message) {
    this.take(this.withPerson(message.from === this.session.name ? message.to : message.from), message);
  }

  on_here({ room, people }) {
    const talk = this.rooms.find((t) => t.name === room);
    if (!talk) return;
    talk.people = people;
    this.show();
  }

  on_typing({ room, name }) {
    if (this.current?.kind !== "room" || room !== this.current.name || name === this.session.name) return;
    clearTimeout(this.typists.get(name));
    this.typists.set(name, setTimeout(() => this.stopsTyping(name), typingLasts));
    this.showTyping();
  }

  on_error({ code, message }) {
    notice(code === "rate_limited" ? "Too fast; wait a moment." : message || code);
  }

  stopsTyping(name) {
    clearTimeout(this.typists.get(name));
    if (this.typists.delete(name)) this.showTyping();
  }

  showTyping() {
    const names = [...this.typists.keys()];
    $("typing").textContent = names.length === 0 ? "" : names.length === 1 ? `${names[0]} is typing` :
      names.length === 2 ? `${names.join(" and ")} are typing` : "Several people are typing";
  }

  types() {
    if (this.current.kind !== "room" || Date.now() - this.typed < typingEvery) return;
    this.typed = Date.now();
    this.feed.send("typing", { room: this.current.name });
  }

  async kick(name) {
    if (!confirm(`Kick ${name}?`)) return;
    await this.feed.request("kick", { name }).catch((error) => notice(error.message));
  }

  end() {
    this.feed.close();
    this.typists.forEach(clearTimeout);
    chat = undefined;
  }
}

let chat; // undefined while nobody is logged in

// door shows the login, and why one is back there.
function door(why = "") {
  $("chat").hidden = true;
  $("door").hidden = false;
  $("door-note").textContent = why;
  clear();
  document.title = "Chat";
  $("name").focus();
}

async function enter(session) {
  try {
    const rooms = await (await fetch("/rooms")).json();
    $("door").hidden = true;
    $("chat").hidden = false;
    chat = new Chat(session, rooms);
  } catch {
    door("The server cannot be reached.");
  }
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("door-note").textContent = "";
  try {
    await enter(await Session.login($("name").value, $("code").value));
  } catch (error) {
    $("door-note").textContent = error.message;
    $("name").focus();
  }
});

$("logout").addEventListener("click", async () => {
  const { session } = chat;
  chat.end();
  await session.logout();
  door();
});

$("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  notice("");
  chat.typed = 0;
  chat.say(text);
});

$("text").addEventListener("input", () => { if ($("text").value) chat.types(); });

$("text").addEventListener("keydown", (event) => { // Shift+Enter begins a new line
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("compose").requestSubmit();
});

const kept = Session.kept();
if (kept) enter(kept);
else door();
