// The menus for a message, for the chat, for the bot's commands, and for the bot of a new phone.

import { avatar, el } from "./dom.js";
import { showStars } from "./stars.js";
import { kindOf } from "./chat.js";
import { isEditable } from "./calls.js";
import { colourful, REACTIONS } from "./emoji.js";

/** The actions for a message, at the position of `event`. */
export function messageMenu(phone, message, event) {
  event.preventDefault();
  const box = event.target.getBoundingClientRect?.() ?? { left: 0, top: 0 };
  const words = message.text ?? message.caption;
  const { mine } = message.reactions ?? {};
  const canTakeBack = message.outgoing && phone.bot.commands?.some((each) => each.command === "delete");
  phone.overlay.menu([
    { label: "Reply", image: "reply", testid: "menu-reply", run: () => phone.composer.reply(message) },
    message.outgoing && isEditable(message) && { label: "Edit", image: "edit", testid: "menu-edit", run: () => phone.composer.edit(message) },
    words && !message.has_protected_content && { label: "Copy text", image: "copy", testid: "menu-copy", run: () => phone.calls.copy(words) },
    !message.has_protected_content && { label: "Forward…", image: "forward", testid: "menu-forward", run: () => phone.calls.forward(message) },
    { label: "Show as JSON", image: "code", testid: "menu-json", run: () => showJson(phone, message) },
    canTakeBack && { label: "Delete for both", image: "trash", danger: true, testid: "menu-take-back", run: () => phone.calls.takeBack(message) },
    { label: "Delete from this chat", image: "trash", danger: true, testid: "menu-delete", run: () => phone.calls.remove(message) },
  ], {
    x: event.clientX || box.left + 24, y: event.clientY || box.top + 24, label: "Message",
    head: (close) => el("div", { class: "emoji-row", role: "group", "aria-label": "React" }, REACTIONS.map((emoji) => el("button", {
      type: "button", role: "menuitemradio", class: "emoji", "aria-label": `React with ${emoji}`, "aria-checked": String(emoji === mine), data: { testid: "react" }, on: { click: () => {
        close(true);
        phone.calls.react(message, emoji === mine ? null : emoji);
      } },
    }, colourful(emoji)))),
  });
}

function showJson(phone, message) {
  const text = JSON.stringify(message, null, 2);
  phone.overlay.ask({ title: kindOf(message) ?? "message", wide: true, body: () => el("pre", { class: "json", tabindex: "0" }, text), actions: [{ label: "Copy", value: () => void phone.calls.copy(text) }, { label: "Close", value: null, kind: "main" }] });
}

/** The actions for the chat, below the menu button. */
export function chatMenu(phone) {
  const { chat } = phone;
  const box = phone.menuButton.getBoundingClientRect();
  phone.overlay.menu([
    { label: "Switch bot", image: "bot", testid: "menu-switch", run: () => phone.showList(true) },
    chat.started && !chat.blocked && { label: "Send /start again", image: "refresh", testid: "menu-restart", run: () => phone.calls.start() },
    { label: "Start with a parameter…", image: "link", testid: "menu-parameter", run: () => phone.calls.startWith() },
    { label: "Stars…", image: "star", testid: "menu-stars", run: () => showStars(phone) },
    { label: "Edit person…", image: "contact", testid: "menu-person", run: () => phone.changePerson() },
    chat.blocked ? { label: "Unblock the bot", image: "check", testid: "menu-unblock", run: () => phone.calls.unblock() } : { label: "Block the bot", image: "ban", danger: true, testid: "menu-block", run: () => phone.calls.block() },
    { label: "Remove this phone", image: "trash", danger: true, testid: "menu-remove", run: () => phone.page.remove(phone) },
  ], { x: box.right - 200, y: box.bottom + 4, label: "Chat" });
}

/** The bot's commands, if it has set any. */
export function commandsMenu(phone, button) {
  const box = button.getBoundingClientRect();
  const items = (phone.bot.commands ?? []).map((each) => ({ label: `/${each.command}`, about: each.description, kind: "command", testid: "command", run: () => phone.calls.send({ text: `/${each.command}` }) }));
  phone.overlay.menu(items, { x: box.left, y: box.top - 4, label: "Commands" });
}

/** The bots for a new phone: calls `choose(bot id)`. */
export function botsMenu(overlay, button, bots, choose) {
  const box = button.getBoundingClientRect();
  const items = bots.map((bot) => ({ label: bot.first_name, about: bot.username && `@${bot.username}`, picture: avatar(bot.id, bot.first_name, 32), testid: `new-phone-on-${bot.id}`, run: () => choose(bot.id) }));
  overlay.menu(items, { x: box.left, y: box.bottom + 6, label: "Bot of the new phone", head: () => el("p", { class: "menu-title", "aria-hidden": "true" }, "Which bot?") });
}
