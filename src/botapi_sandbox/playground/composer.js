// The composer: an editor with formatting, reply and edit bars, and the send button. It does not call the server.

import { append, el, iconButton, replace } from "./dom.js";
import { icon } from "./icons.js";
import { readEditor, renderEntities } from "./entities.js";
import { summary } from "./chat.js";

const FORMATS = [
  ["B", "Bold", "Ctrl+B", "bold"], ["I", "Italic", "Ctrl+I", "italic"], ["U", "Underline", "Ctrl+U", "underline"],
  ["S", "Strikethrough", "Ctrl+Shift+X", "strikeThrough"], ["M", "Monospace", "Ctrl+Shift+M", "code"], ["▒", "Spoiler", "Ctrl+Shift+P", "spoiler"],
];

export class Composer {
  #mode = null; // {kind: "reply"|"edit", message} or null

  /** `on`: {send({text, entities, mode}), attach(button), emoji(button), voice(), toggleKeyboard(), commands(button), files(files), editLast()}. */
  constructor(n, on) {
    this.on = on;
    this.editor = el("div", {
      class: "editor", contenteditable: "true", role: "textbox", "aria-multiline": "true", "aria-label": "Message", dir: "auto", spellcheck: "false",
      data: { testid: `composer-${n}`, placeholder: "Message" },
      on: { keydown: (event) => this.#key(event), input: () => this.#changed(), paste: (event) => this.#paste(event) },
    });
    this.bar = el("div", { class: "mode-bar", hidden: true, data: { testid: `mode-${n}` } });
    this.formats = el("div", { class: "format-bar", role: "toolbar", "aria-label": "Formatting", hidden: true }, FORMATS.map(([sign, name, keys, command]) => el("button", {
      type: "button", class: `format format-${command}`, "aria-label": name, title: `${name} (${keys})`,
      on: { pointerdown: (event) => event.preventDefault(), click: () => this.format(command) },
    }, sign)));
    this.keyboardButton = iconButton(icon("keyboard"), "Show or hide the bot's keyboard", () => on.toggleKeyboard(), { data: { testid: `keyboard-toggle-${n}` }, hidden: true });
    this.commandsButton = iconButton(icon("commands"), "The bot's commands", () => on.commands(this.commandsButton), { data: { testid: `commands-${n}` }, hidden: true });
    this.sendButton = iconButton(icon("send"), "Send", () => this.send(), { class: "icon-button send", data: { testid: `send-${n}` } });
    this.voiceButton = iconButton(icon("mic"), "Send a voice message", () => on.voice(), { class: "icon-button send", data: { testid: `voice-${n}` } });
    this.attachButton = iconButton(icon("attach"), "Attach", () => on.attach(this.attachButton), { data: { testid: `attach-${n}` } });
    this.emojiButton = iconButton(icon("smile"), "Emoji and stickers", () => on.emoji(this.emojiButton), { data: { testid: `emoji-${n}` } });
    this.node = el("div", { class: "composer" }, this.formats, this.bar, el("div", { class: "composer-line" },
      this.attachButton, el("div", { class: "editor-box" }, this.commandsButton, this.editor, this.emojiButton, this.keyboardButton), this.sendButton, this.voiceButton));
    document.addEventListener("selectionchange", () => this.#showFormats());
    this.#changed();
  }

  get mode() {
    return this.#mode;
  }

  get replyTo() {
    return this.#mode?.kind === "reply" ? this.#mode.message.message_id : undefined;
  }

  focus() {
    this.editor.focus({ preventScroll: true });
  }

  setPlaceholder(words) {
    this.editor.dataset.placeholder = words || "Message";
  }

  reply(message) {
    this.#setMode({ kind: "reply", message });
  }

  edit(message) {
    this.#setMode({ kind: "edit", message });
    replace(this.editor, renderEntities(message.text ?? message.caption ?? "", message.entities ?? message.caption_entities, null));
    this.#changed();
    this.#caretToEnd();
  }

  clearMode() {
    const editing = this.#mode?.kind === "edit";
    this.#setMode(null);
    if (editing) this.clear();
  }

  clear() {
    this.editor.replaceChildren();
    this.#changed();
  }

  /** Remove and return the editor's content, as the draft of a chat that the person leaves. */
  take() {
    this.clearMode();
    const nodes = [...this.editor.childNodes];
    this.clear();
    return nodes;
  }

  /** Put back a message that could not be sent, unless the person has started a new one. */
  restore(nodes, mode) {
    if (this.editor.textContent) return;
    append(this.editor, [nodes]);
    this.#setMode(mode);
    this.#changed();
  }

  insert(text) {
    this.focus();
    document.execCommand("insertText", false, text);
  }

  send() {
    const { text, entities } = readEditor(this.editor);
    if (!text) return;
    const nodes = [...this.editor.childNodes];
    const mode = this.#mode;
    this.#setMode(null);
    this.clear();
    this.on.send({ text, entities, mode, undo: () => this.restore(nodes, mode) });
    this.focus();
  }

  format(command) {
    this.focus();
    if (command === "code" || command === "spoiler") this.#wrap(command);
    else document.execCommand(command);
    this.#changed();
  }

  #wrap(command) {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    const around = range.commonAncestorContainer;
    const selector = command === "code" ? "code" : "[data-entity=spoiler]";
    const wrapped = (around.nodeType === Node.TEXT_NODE ? around.parentElement : around).closest(selector);
    if (wrapped && this.editor.contains(wrapped)) {
      wrapped.replaceWith(...wrapped.childNodes);
      return;
    }
    const node = command === "code" ? el("code") : el("span", { class: "spoiler revealed", data: { entity: "spoiler" } });
    node.append(range.extractContents());
    range.insertNode(node);
    selection.selectAllChildren(node);
  }

  #key(event) {
    if (event.isComposing) return;
    const letter = event.key.toLowerCase();
    const control = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && !control) {
      event.preventDefault();
      if (event.shiftKey) document.execCommand("insertLineBreak");
      else this.send();
    } else if (event.key === "Escape" && this.#mode) {
      event.stopPropagation();
      this.clearMode();
    } else if (event.key === "ArrowUp" && !this.editor.textContent && !this.#mode) {
      event.preventDefault();
      this.on.editLast();
    } else if (control && event.shiftKey && { x: "strikeThrough", m: "code", p: "spoiler" }[letter]) {
      event.preventDefault();
      this.format({ x: "strikeThrough", m: "code", p: "spoiler" }[letter]);
    }
  }

  #paste(event) {
    event.preventDefault();
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) this.on.files(files);
    else document.execCommand("insertText", false, event.clipboardData?.getData("text/plain") ?? "");
  }

  #changed() {
    // Browsers leave a <br> in an emptied editor. The placeholder shows only without it.
    if (!this.editor.textContent && !this.editor.querySelector("br + br")) this.editor.replaceChildren();
    const full = this.editor.textContent.trim() !== "" || this.#mode?.kind === "edit";
    this.sendButton.hidden = !full;
    this.voiceButton.hidden = full;
  }

  #showFormats() {
    const selection = getSelection();
    const inside = selection.rangeCount > 0 && !selection.isCollapsed && this.editor.contains(selection.anchorNode) && this.editor.contains(selection.focusNode);
    if (this.formats.hidden === inside) this.formats.hidden = !inside;
  }

  #setMode(mode) {
    if (this.#mode?.kind === "edit" && mode?.kind !== "edit") this.editor.replaceChildren();
    this.#mode = mode;
    this.bar.hidden = !mode;
    if (mode) {
      const title = mode.kind === "edit" ? "Edit message" : "Reply";
      replace(this.bar, icon(mode.kind, 20), el("div", { class: "mode-words" }, el("b", {}, title), el("span", { dir: "auto" }, summary(mode.message))),
        iconButton(icon("close", 18), `Cancel: ${title.toLowerCase()}`, () => this.clearMode()));
      this.focus();
    }
    this.#changed();
  }

  #caretToEnd() {
    this.focus();
    getSelection().selectAllChildren(this.editor);
    getSelection().collapseToEnd();
  }
}
