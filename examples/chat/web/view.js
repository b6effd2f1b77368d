// What is on the page. Everything that somebody has written goes in as textContent, and nothing as HTML.

export const $ = (id) => document.getElementById(id);

function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

// sync makes a list show the items, and keeps the entries that stay, the one with the focus among them. fill(entry, item)
// is called for each.
function sync(list, items, keyOf, fill) {
  const old = new Map([...list.children].map((e) => [e.dataset.key, e]));
  let at = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let entry = old.get(key);
    old.delete(key);
    if (!entry) {
      entry = element("li");
      entry.dataset.key = key;
    }
    if (entry === at) at = at.nextElementSibling;
    else list.insertBefore(entry, at);
    fill(entry, item);
  }
  for (const gone of old.values()) gone.remove();
}

function button(text, label, onClick) {
  const b = element("button", "", text);
  b.type = "button";
  if (label) b.setAttribute("aria-label", label);
  b.addEventListener("click", onClick);
  return b;
}

// showTalks shows rooms or private talks, with what is unread.
export function showTalks(list, talks, current, onOpen) {
  sync(list, talks, (talk) => talk.name, (entry, talk) => {
    if (!entry.firstChild) {
      const b = button("", "", () => onOpen(talk));
      b.append(element("span", "name", talk.name), element("span", "count"));
      entry.append(b);
    }
    const b = entry.firstChild;
    if (talk === current) b.setAttribute("aria-current", "page");
    else b.removeAttribute("aria-current");
    b.lastChild.textContent = talk.unread ? ` ${talk.unread} new` : "";
  });
}

// showPeople shows who is here. Others can be written to, and kicked by moderators.
export function showPeople(names, session, { onPrivate, onKick }) {
  sync($("people"), names, (name) => name, (entry, name) => {
    if (entry.firstChild) return;
    if (name === session.name) {
      entry.append(element("span", "name", `${name} (you)`));
      return;
    }
    entry.append(button(name, `${name}: write privately`, () => onPrivate(name)));
    if (session.moderator) entry.append(button("Kick", `Kick ${name}`, () => onKick(name)));
  });
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function line(message, session) {
  const div = element("div", message.from === session.name ? "line mine" : "line");
  div.dataset.at = message.at;
  div.append(element("span", "who", message.from), element("span", "sep", " "));
  if (message.at === Infinity) {
    div.classList.add("pending");
    div.dataset.pending = message.key;
    div.append(element("span", "time", "sending"));
  } else {
    const when = new Date(message.at / 1000);
    const time = element("time", "time", clock.format(when));
    time.dateTime = when.toISOString();
    div.append(time);
  }
  const text = element("p", "text", message.text);
  text.dir = "auto";
  div.append(text);
  return div;
}

const log = () => $("log");
const atEnd = () => log().scrollHeight - log().scrollTop - log().clientHeight < 60;

// A log that shows its end goes on showing it when its size changes, as with the keyboard of a phone. Browsers tell of a
// scroll before they tell of a new size: a scroll in a size not told of yet says nothing of what the reader wants.
let following = true;
let told = "";
const size = () => `${log().offsetWidth} ${log().offsetHeight}`;
log().addEventListener("scroll", () => { if (size() === told) following = atEnd(); });
new ResizeObserver(() => {
  told = size();
  if (following || atEnd()) showEnd();
}).observe(log(), { box: "border-box" });

function showEnd() {
  following = true;
  log().scrollTop = log().scrollHeight;
}

// showLog shows a talk from its beginning. It is not read out: that is for what comes from now on.
export function showLog(talk, session) {
  log().setAttribute("aria-live", "off");
  log().replaceChildren(...talk.messages.map((m) => line(m, session)));
  if (talk.missed) log().prepend(element("p", "gap", "Some messages before these are not shown."));
  for (const m of talk.pending.values()) log().append(line(m, session));
  showEnd();
  setTimeout(() => log().setAttribute("aria-live", "polite"), 200);
}

// addLine shows one more message where it belongs.
export function addLine(message, session) {
  const follow = atEnd() || message.from === session.name;
  const next = [...log().children].find((div) => Number(div.dataset.at) > message.at);
  log().insertBefore(line(message, session), next ?? null);
  if (follow) showEnd();
}

// endPending takes a message away that was shown before the server had it.
export function endPending(key) {
  for (const div of [...log().children]) if (div.dataset.pending === key) div.remove();
}

// notice says something that went wrong, until it is out of date.
export function notice(text) {
  $("notice").textContent = text;
  clearTimeout(notice.timer);
  if (text) notice.timer = setTimeout(() => { $("notice").textContent = ""; }, 8000);
}

// news tells those who do not see the list of talks that something is new there.
export function news(text) { $("news").textContent = text; }

// clear leaves nothing of the one who was logged in to the next.
export function clear() {
  for (const id of ["rooms", "privates", "people", "log", "typing", "news", "notice"]) $(id).replaceChildren();
  $("text").value = "";
}
