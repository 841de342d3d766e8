// The list of a person's chats: every bot in the sandbox, with its last message and the number of unread ones.

import { avatar, el, iconButton, replace } from "./dom.js";
import { icon } from "./icons.js";
import { summary } from "./chat.js";
import { timeOf } from "./bubble.js";

export class ChatList {
  /** `on`: {choose(bot id), chat(bot id) -> Chat, bots() -> [bot]}. */
  constructor(n, on) {
    this.on = on;
    this.n = n;
    this.rows = el("div", { class: "chat-rows" });
    this.current = null;
    const back = iconButton(icon("close"), "Back to the chat", () => this.current && on.choose(this.current), { data: { testid: `chats-close-${n}` } });
    this.node = el("div", { class: "chat-list", hidden: true, data: { testid: `chat-list-${n}` }, on: { keydown: (event) => event.key === "Escape" && this.current && on.choose(this.current) } }, el("header", { class: "bar" }, el("h2", {}, "Chats"), back), this.rows);
  }

  focus() {
    requestAnimationFrame(() => this.rows.querySelector("button")?.focus({ preventScroll: true }));
  }

  draw(current) {
    this.current = current;
    const focused = this.rows.contains(document.activeElement) ? document.activeElement.dataset.bot : null;
    replace(this.rows, this.on.bots().map((bot) => this.#row(bot, current)));
    if (focused) this.rows.querySelector(`[data-bot="${focused}"]`)?.focus({ preventScroll: true });
  }

  #row(bot, current) {
    const chat = this.on.chat(bot.id);
    const { last } = chat;
    const words = last ? `${last.outgoing ? "You: " : ""}${summary(last)}` : bot.username ? `@${bot.username}` : "No messages yet";
    return el("button", { type: "button", class: `chat-row${bot.id === current ? " current" : ""}`, data: { testid: `chat-${this.n}-${bot.id}`, bot: bot.id }, on: { click: () => this.on.choose(bot.id) } },
      avatar(bot.id, bot.first_name, 48), el("span", { class: "chat-words" }, el("b", { dir: "auto" }, bot.first_name), el("span", { dir: "auto" }, words)),
      el("span", { class: "chat-side" }, last && el("span", {}, timeOf(last)), chat.unread > 0 && el("span", { class: "count" }, String(chat.unread))));
  }
}
