// The scrolling conversation: rows in order. Only changed messages are drawn again. It stays at the newest message
// unless the person has scrolled up.

import { el, plural } from "./dom.js";
import { icon } from "./icons.js";
import { bubble } from "./bubble.js";
import { kindOf } from "./chat.js";

const PAGE = 120; // rows drawn at first, and added at each scroll to the top
const NEAR_PX = 48; // a distance up to this counts as the end
const RUN_S = 300; // messages from one side within five minutes are grouped

export class Messages {
  #rows = new Map();
  #limit = PAGE;
  #stuck = true;
  #missed = 0;
  #lastSeen = 0;
  #chat = null;

  constructor(n, view) {
    this.view = view;
    this.inner = el("div", { class: "log-inner" });
    this.scroller = el("div", { class: "log", role: "log", "aria-label": "Messages", tabindex: "-1", data: { testid: `messages-${n}` }, on: { scroll: () => this.#scrolled() } }, this.inner);
    this.pill = el("button", { type: "button", class: "pill", hidden: true, data: { testid: `pill-${n}` }, on: { click: () => this.toEnd(true) } });
    this.node = el("div", { class: "log-frame" }, this.scroller, this.pill);
    new ResizeObserver(() => this.#stuck && this.toEnd()).observe(this.inner);
    new ResizeObserver(() => this.#stuck && this.toEnd()).observe(this.scroller);
  }

  render(chat) {
    const changed = chat !== this.#chat;
    if (changed) {
      this.#chat = chat;
      this.#limit = PAGE;
      this.#missed = 0;
      this.#stuck = true;
      this.#rows.clear();
      this.inner.replaceChildren();
    }
    this.#countMissed(chat, changed);
    const rows = group(chat.messages).slice(-this.#limit);
    const view = { ...this.view, chat };
    const kept = new Map();
    const nodes = [];
    let day = null;
    for (const row of rows) {
      const date = new Date(row.messages[0].date * 1000).toDateString();
      if (date !== day) nodes.push(this.#separator(date));
      day = date;
      nodes.push(this.#draw(row, view, kept, changed));
    }
    this.#rows = kept;
    this.#arrange(nodes.length > 0 ? nodes : [this.#empty(chat)]);
    if (this.#stuck) this.toEnd();
    this.#drawPill();
  }

  toEnd(smooth = false) {
    this.#stuck = true;
    this.#missed = 0;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth ? "smooth" : "instant" });
    this.#drawPill();
  }

  jump(messageId) {
    const node = this.inner.querySelector(`[data-message-id="${messageId}"], [data-tile="${messageId}"]`);
    if (!node) return;
    this.#stuck = false;
    node.scrollIntoView({ block: "center", behavior: "smooth" });
    node.classList.remove("flash");
    requestAnimationFrame(() => node.classList.add("flash"));
  }

  #draw(row, view, kept, quiet) {
    const key = row.messages[0].message_id;
    const old = this.#rows.get(key);
    const same = old && old.first === row.first && old.last === row.last && old.messages.length === row.messages.length &&
      old.messages.every((message, index) => message === row.messages[index]);
    if (same) row.node = old.node;
    else {
      row.node = bubble(row, view);
      if (!old && !quiet) row.node.classList.add("fresh");
      if (old?.node.contains(document.activeElement)) queueMicrotask(() => row.node.isConnected && row.node.focus({ preventScroll: true }));
    }
    kept.set(key, row);
    return row.node;
  }

  // Only changed nodes are touched, so that playing media and selections are not interrupted.
  #arrange(nodes) {
    const wanted = new Set(nodes);
    for (const child of [...this.inner.children]) if (!wanted.has(child)) child.remove();
    nodes.forEach((node, index) => {
      const there = this.inner.children[index];
      if (there !== node) this.inner.insertBefore(node, there ?? null);
    });
  }

  #separators = new Map();

  #separator(date) {
    if (!this.#separators.has(date)) {
      const today = new Date().toDateString();
      const options = { day: "numeric", month: "long" };
      this.#separators.set(date, el("div", { class: "day" }, el("span", {}, date === today ? "Today" : new Date(date).toLocaleDateString([], options))));
    }
    return this.#separators.get(date);
  }

  #empty(chat) {
    const words = chat.loaded ? ["No messages here yet", "Tap Start to say hello to the bot."] : ["", "Loading…"];
    return el("div", { class: "empty" }, el("div", { class: "empty-card" }, words[0] && el("b", {}, words[0]), el("span", {}, words[1])));
  }

  #countMissed(chat, changed) {
    const newest = chat.last?.message_id ?? 0;
    if (!changed && !this.#stuck) {
      this.#missed += chat.messages.filter((message) => message.message_id > this.#lastSeen && !message.outgoing).length;
    }
    // The person's own message always scrolls to the end.
    if (!changed && newest > this.#lastSeen && chat.last?.outgoing) this.#stuck = true;
    this.#lastSeen = newest;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.#stuck = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (this.#stuck) this.#missed = 0;
    this.#drawPill();
    if (scrollTop < NEAR_PX && this.#chat && group(this.#chat.messages).length > this.#limit) this.#earlier();
  }

  #earlier() {
    const before = this.scroller.scrollHeight;
    this.#limit += PAGE;
    this.render(this.#chat);
    this.scroller.scrollTop += this.scroller.scrollHeight - before;
  }

  #drawPill() {
    this.pill.hidden = this.#stuck;
    const label = this.#missed > 0 ? plural(this.#missed, "new message", "new messages") : "";
    this.pill.replaceChildren(icon("down", 18), ...(label ? [el("span", {}, label)] : []));
    this.pill.setAttribute("aria-label", label || "To the newest message");
  }
}

/** The rows of a list of messages. Albums become one row, even with answers in between; series from one side are marked. */
function group(messages) {
  const rows = [];
  const albums = new Map();
  for (const message of messages) {
    const album = message.media_group_id && `${message.outgoing} ${message.media_group_id}`;
    if (albums.has(album)) {
      albums.get(album).messages.push(message);
      continue;
    }
    const row = { messages: [message], first: true, last: true };
    rows.push(row);
    if (album) albums.set(album, row);
  }
  rows.forEach((row, index) => {
    const [a, b] = [rows[index - 1], row];
    if (a && isRun(a.messages.at(-1), b.messages[0])) {
      a.last = false;
      b.first = false;
    }
  });
  return rows;
}

function isRun(a, b) {
  return a.outgoing === b.outgoing && b.date - a.date < RUN_S && !/^(pinned_message|successful_payment|refunded_payment)$/.test(`${kindOf(a)}`);
}
