// The panel of emoji and stickers that opens above the composer.

import { el } from "./dom.js";
import { STICKERS } from "./samples.js";

export const REACTIONS = ["👍", "❤", "🔥", "😁", "😢", "🎉"];

/** Adds the variation selector. The Bot API's "❤" does not have it and would be drawn in black. */
export const colourful = (emoji) => (emoji === "❤" ? "❤\ufe0f" : emoji);

const EMOJI = [..."😀😄😁😅😂🙂🙃😉😊😍😘😋😜🤪🤔🤨😐😶🙄😏😴😌🤤😎🤓🥳😕😟😮😳🥺😢😭😤😡🤯😱🥶🥵🤗🤭🤫🤥😬👍👎👏🙌🙏👋🤝💪👀💔🔥✨🎉🎁🌈🌍🍕🍓☕🍺⚽🎲🎵🚀🏡🐈🐕🦊🌸🌙⭐🙈💬💡✅❌"];

/** `on`: {emoji(text), sticker(sticker)}. */
export class EmojiPanel {
  #thumbs = null;

  constructor(n, on) {
    this.on = on;
    this.grid = el("div", { class: "emoji-grid", role: "tabpanel" });
    this.tabs = ["Emoji", "Stickers"].map((name) => el("button", { type: "button", role: "tab", class: "panel-tab", data: { testid: `panel-${name.toLowerCase()}-${n}` }, on: { click: () => this.show(name) } }, name));
    this.node = el("div", { class: "emoji-panel", hidden: true, data: { testid: `emoji-panel-${n}` } }, el("div", { class: "panel-tabs", role: "tablist" }, this.tabs), this.grid);
  }

  toggle(name = "Emoji") {
    if (this.node.hidden) this.show(name);
    else this.node.hidden = true;
  }

  hide() {
    this.node.hidden = true;
  }

  async show(name) {
    this.node.hidden = false;
    for (const tab of this.tabs) tab.setAttribute("aria-selected", String(tab.textContent === name));
    this.grid.classList.toggle("of-stickers", name === "Stickers");
    if (name === "Emoji") {
      this.grid.replaceChildren(...EMOJI.map((each) => el("button", { type: "button", class: "emoji", on: { pointerdown: (event) => event.preventDefault(), click: () => this.on.emoji(each) } }, each)));
      return;
    }
    this.#thumbs ??= Promise.all(STICKERS.map(async (sticker) => ({ ...sticker, url: URL.createObjectURL(await sticker.file()) })));
    const stickers = await this.#thumbs;
    this.grid.replaceChildren(...stickers.map((sticker) => el("button", { type: "button", class: "sticker-choice", "aria-label": `Sticker ${sticker.emoji}`, data: { testid: "sticker-choice" }, on: { click: () => this.on.sticker(sticker) } }, el("img", { src: sticker.url, alt: "" }))));
  }
}
