// One row of the conversation: a message or an album as a bubble, with its time, quote, reactions and buttons.

import { append, aside, el } from "./dom.js";
import { icon } from "./icons.js";
import { kindOf, summary } from "./chat.js";
import { colourful } from "./emoji.js";
import { renderEntities } from "./entities.js";
import { BARE_KINDS, isVisual, renderMedia } from "./media.js";
import { inlineKeyboard } from "./keyboards.js";
import { linkPreview } from "./preview.js";

const SERVICE = {
  pinned_message: (message) => `Pinned: ${summary(message.pinned_message)}`,
  successful_payment: ({ successful_payment: payment }) => `You paid ${amount(payment)}`,
  refunded_payment: ({ refunded_payment: payment }) => `You got ${amount(payment)} back`,
};

function amount(payment) {
  return payment.currency === "XTR" ? `⭐ ${payment.total_amount}` : `${(payment.total_amount / 100).toFixed(2)} ${payment.currency}`;
}

export function timeOf(message) {
  return new Date(message.date * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/**
 * The node of a row. `row`: {messages, first, last}; first and last in a series from one side.
 * `view`: {chat, botName, actions}. The actions are those of `renderEntities` and `renderMedia`, and
 * openMenu(message, event), react(message, emoji), press(message, row, column), jump(messageId).
 */
export function bubble(row, view) {
  const [message] = row.messages;
  const kind = kindOf(message);
  if (SERVICE[kind]) return el("div", { class: "service", data: { testid: "service", messageId: message.message_id } }, el("span", { dir: "auto" }, SERVICE[kind](message)));
  const who = message.outgoing ? "You" : view.botName;
  const bare = BARE_KINDS.has(kind) || isEmojiOnly(message);
  const menu = (event) => view.actions.openMenu(target(event, row), event);
  const keys = (event) => {
    if (event.target !== node) return;
    if (event.key === "Enter" || event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      event.preventDefault();
      menu(event);
    }
  };
  const classes = ["row", message.outgoing ? "out" : "in", row.first && "first", row.last && "last", bare && "bare", `kind-${kind ?? "unknown"}`];
  const node = el("article", {
    class: classes.filter(Boolean).join(" "), tabindex: "0", "aria-label": `${who}, ${timeOf(message)}`,
    data: { testid: "message", messageId: message.message_id, kind: row.messages.length > 1 ? "album" : kind ?? "unknown", outgoing: message.outgoing ? "yes" : "no" },
    on: { keydown: keys, contextmenu: menu, ...longPress(menu) },
  });
  const body = el("div", { class: "bubble" });
  append(body, [forwarded(message), quoted(message, view), content(row, kind, view.actions), footer(row, view)]);
  append(node, [body, inlineKeyboard(message, view)]);
  return node;
}

// In an album, the menu is about the picture under the pointer.
function target(event, row) {
  const tile = event.target.closest?.("[data-tile]");
  return row.messages.find((message) => String(message.message_id) === tile?.dataset.tile) ?? row.messages[0];
}

const LONG_PRESS_MS = 450;

function longPress(open) {
  let timer = null;
  const stop = () => clearTimeout(timer);
  return {
    touchstart: (event) => {
      const touch = event.touches[0];
      timer = setTimeout(() => open({ target: event.target, clientX: touch.clientX, clientY: touch.clientY, preventDefault() {} }), LONG_PRESS_MS);
    },
    touchend: stop, touchmove: stop, touchcancel: stop,
  };
}

function isEmojiOnly(message) {
  if (!message.text || message.entities?.length || message.reply_markup) return false;
  return /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic}|\p{Emoji_Modifier})*){1,3}$/u.test(message.text);
}

function forwarded(message) {
  const origin = message.forward_origin;
  if (!origin) return null;
  const name = origin.sender_user?.first_name ?? origin.sender_user_name ?? origin.chat?.title ?? origin.sender_chat?.title ?? "someone";
  return el("div", { class: "forwarded" }, "Forwarded from ", el("b", { dir: "auto" }, name));
}

function quoted(message, view) {
  const replied = message.reply_to_message;
  if (!replied && !message.quote) return null;
  const id = replied?.message_id;
  // The phone's own copy tells who wrote it. The nested message has no "outgoing".
  const original = view.chat.get(id);
  const own = original ? original.outgoing : replied?.from && !replied.from.is_bot;
  return el("button", { type: "button", class: "quote", data: { testid: "quote" }, on: { click: () => view.actions.jump(id) } },
    el("b", {}, own ? "You" : view.botName), el("span", { dir: "auto" }, message.quote?.text ?? summary(replied)));
}

function content(row, kind, actions) {
  if (row.messages.length > 1) return album(row.messages, actions);
  const [message] = row.messages;
  if (kind === "text") {
    const big = isEmojiOnly(message) ? " big" : "";
    const text = el("div", { class: `text${big}`, dir: "auto", data: { testid: "text" } }, renderEntities(message.text, message.entities, actions));
    const card = linkPreview(message, actions);
    return message.link_preview_options?.show_above_text ? [card, text] : [text, card];
  }
  const words = caption(message, actions);
  const media = renderMedia(kind, message, actions) ?? el("div", { class: "unknown" }, `${summary(message)}: this page can't show it.`);
  return message.show_caption_above_media ? [words, media] : [media, words];
}

function caption(message, actions) {
  return message.caption ? el("div", { class: "text caption", dir: "auto", data: { testid: "text" } }, renderEntities(message.caption, message.caption_entities, actions)) : null;
}

function album(messages, actions) {
  const visual = messages.every((message) => isVisual(kindOf(message)));
  const tiles = messages.map((message) => {
    const kind = kindOf(message);
    return el("div", { class: "tile", data: { tile: message.message_id, testid: "tile" } }, renderMedia(kind, message, actions), !visual && caption(message, actions));
  });
  const captions = visual ? messages.map((message) => caption(message, actions)) : [];
  const grid = el("div", { class: visual ? `album of-${Math.min(messages.length, 10)}` : "stack" }, tiles);
  return messages[0].show_caption_above_media ? [captions, grid] : [grid, captions];
}

function footer(row, view) {
  const message = row.messages.at(-1);
  const reactions = row.messages.flatMap((each) => chips(each, view));
  const edited = row.messages.some((each) => each.edit_date);
  const time = el("span", { class: "time" }, edited && el("i", { data: { testid: "edited" } }, "edited "), timeOf(message), message.outgoing && icon("check", 13));
  return el("div", { class: "foot" }, reactions.length > 0 && el("span", { class: "reactions" }, reactions), time);
}

function chips(message, view) {
  const { mine, bot } = message.reactions ?? {};
  const faces = [...new Set([mine, bot].filter(Boolean))];
  return faces.map((emoji) => el("button", {
    type: "button", class: `chip${emoji === mine ? " mine" : ""}`, data: { testid: "reaction" },
    on: { click: () => view.actions.react(message, emoji === mine ? null : emoji) },
  }, colourful(emoji), mine === bot && " 2", aside(emoji === mine ? ": your reaction, take it back" : `: reaction of ${view.botName}, add yours`)));
}
