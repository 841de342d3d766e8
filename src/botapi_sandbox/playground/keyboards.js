// The two keyboards of the Bot API: buttons under a message, and the big buttons below the composer.

import { el } from "./dom.js";
import { icon } from "./icons.js";

const STYLES = new Set(["primary", "success", "danger"]);

const styled = (name, button) => `${name}${STYLES.has(button.style) ? ` ${button.style}` : ""}`;

/** The buttons under `message`, or null. An invoice without buttons gets a Pay button, as in Telegram. */
export function inlineKeyboard(message, view) {
  const rows = message.reply_markup?.inline_keyboard ?? (message.invoice ? [[{ text: "Pay", pay: true }]] : null);
  if (!rows?.length) return null;
  return el("div", { class: "inline-keyboard", data: { testid: "inline-keyboard" } },
    rows.map((buttons, row) => el("div", { class: "inline-row" }, buttons.map((button, column) => inlineButton(message, button, row, column, view)))));
}

function inlineButton(message, button, row, column, { chat, actions }) {
  const busy = chat.isPressed(message.message_id, row, column);
  const url = button.url ?? button.login_url?.url ?? button.web_app?.url;
  const press = () => {
    if (url) actions.openLink(url, null);
    else if (button.copy_text) actions.copy(button.copy_text.text);
    else if (button.pay) actions.pay(message);
    else if (button.callback_data !== undefined || button.callback_game) actions.press(message, row, column);
    else actions.tell("This page doesn't support that button.");
  };
  const mark = url ? "link" : button.copy_text ? "copy" : button.pay ? "star" : null;
  return el("button", {
    type: "button", class: styled("inline-button", button), disabled: Boolean(button.disabled), "aria-busy": busy ? "true" : null,
    data: { testid: "inline-button" }, on: { click: press },
  }, busy && el("span", { class: "spinner", "aria-hidden": "true" }), el("span", { dir: "auto" }, button.text), mark && icon(mark, 13));
}

/** The reply keyboard below the composer. `press(button)` sends the button's text or content. */
export function replyKeyboard(n, markup, press) {
  const classes = `reply-keyboard${markup.resize_keyboard ? "" : " tall"}`;
  const rows = markup.keyboard.map((buttons) => el("div", { class: "reply-row" }, buttons.map((button) => {
    const it = typeof button === "string" ? { text: button } : button;
    return el("button", { type: "button", class: styled("reply-button", it), dir: "auto", data: { testid: "reply-button" }, on: { click: () => press(it) } }, it.text);
  })));
  return el("div", { class: classes, role: "group", "aria-label": "Bot's keyboard", data: { testid: `keyboard-${n}` } }, rows);
}
