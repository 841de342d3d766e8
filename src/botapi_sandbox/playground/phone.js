// One phone: a person, their chats with the bots, and the screen. Events update the chats, and taps become calls.

import { aside, avatar, el, iconButton, replace } from "./dom.js";
import { icon } from "./icons.js";
import { api } from "./api.js";
import { Chat } from "./chat.js";
import { Messages } from "./messages.js";
import { Composer } from "./composer.js";
import { Calls } from "./calls.js";
import { Attach } from "./attach.js";
import { EmojiPanel } from "./emoji.js";
import { Overlay } from "./sheet.js";
import { ChatList } from "./chatlist.js";
import { replyKeyboard } from "./keyboards.js";
import { chatMenu, commandsMenu, messageMenu } from "./menus.js";
import { askPerson, languageName } from "./person.js";

const ACTIONS = { typing: "typing", upload_photo: "sending a photo", upload_video: "sending a video", upload_voice: "sending a voice message", record_voice: "recording a voice message",
  upload_document: "sending a file", choose_sticker: "choosing a sticker", record_video: "recording a video", record_video_note: "recording a video message", upload_video_note: "sending a video message", find_location: "finding a place" };

// The same width as in the style sheets. Below it, the person is shown in the bar, so that menus can cover them.
const NARROW = matchMedia("(max-width: 760px)");

export class Phone {
  fresh = 0; // on a small screen: messages that came while another phone was in front
  #chats = new Map();
  #frame = 0;

  /** `record` of the roster; `page`: {bots(), changed(), remove(phone)}. */
  constructor(record, page) {
    this.record = record;
    this.page = page;
    this.calls = new Calls(this);
    this.#build(record.n);
    this.draw();
  }

  get person() {
    return this.record.person;
  }

  get chat() {
    return this.#chat(this.record.bot);
  }

  get bot() {
    return this.page.bots().find((bot) => bot.id === this.record.bot) ?? { id: this.record.bot, first_name: "Bot", username: "" };
  }

  get unread() {
    return [...this.#chats.values()].reduce((sum, chat) => sum + chat.unread, 0);
  }

  #chat(bot) {
    if (!this.#chats.has(bot)) this.#chats.set(bot, new Chat(bot, () => this.draw()));
    return this.#chats.get(bot);
  }

  #build(n) {
    const { calls } = this;
    this.title = el("b", { dir: "auto" });
    this.subtitle = el("span", { class: "subtitle", data: { testid: `subtitle-${n}` } });
    this.face = el("span", { class: "bar-face" });
    this.backCount = el("span", { class: "count", hidden: true });
    const openList = () => this.showList(true);
    this.menuButton = iconButton(icon("dots"), "Menu", () => chatMenu(this), { data: { testid: `menu-${n}` }, "aria-haspopup": "menu" });
    const bar = el("header", { class: "bar" },
      el("div", { class: "back" }, iconButton(icon("back"), "All chats", openList, { data: { testid: `chats-${n}` } }), this.backCount),
      el("button", { type: "button", class: "bar-bot", data: { testid: `switch-${n}` }, on: { click: openList } }, this.face, el("span", { class: "bar-words" }, this.title, this.subtitle), aside(": switch bot")), this.menuButton);
    this.messages = new Messages(n, { botName: "", actions: this.#actions() });
    this.composer = new Composer(n, {
      send: (written) => calls.write(written), attach: () => this.attach.open(), emoji: () => this.panel.toggle(), voice: () => this.attach.source("voice"),
      toggleKeyboard: () => this.chat.toggleKeyboard(), commands: (button) => commandsMenu(this, button), files: (files) => this.attach.offer(files), editLast: () => calls.editLast(),
    });
    this.panel = new EmojiPanel(n, { emoji: (text) => this.composer.insert(text), sticker: (sticker) => calls.sticker(sticker) });
    this.startButton = el("button", { type: "button", class: "start", data: { testid: `start-${n}` }, on: { click: () => calls.start() } }, "Start");
    this.unblockButton = el("button", { type: "button", class: "start", data: { testid: `unblock-${n}` }, on: { click: () => calls.unblock() } }, "Unblock");
    this.keyboardSlot = el("div", { class: "keyboard-slot" });
    this.foot = el("footer", { class: "phone-foot" }, this.composer.node, this.startButton, this.unblockButton, this.panel.node, this.keyboardSlot);
    this.content = el("div", { class: "screen-content" }, bar, this.messages.node, this.foot);
    this.screen = el("div", { class: "screen", on: this.#dropping() }, this.content);
    this.overlay = new Overlay(this.screen, this.content);
    this.attach = new Attach(this.overlay, { upload: (item) => calls.upload([item]), album: (items) => calls.upload(items), content: (content) => calls.send({ message: content }), stickers: () => this.panel.show("Stickers") }, () => this.person);
    this.list = new ChatList(n, { choose: (bot) => this.switchTo(bot), chat: (bot) => this.#chat(bot), bots: () => this.page.bots() });
    this.content.append(this.list.node);
    this.holder = el("button", { type: "button", class: "holder", data: { testid: `person-${n}` }, on: { click: () => this.changePerson() } });
    this.node = el("section", { class: "phone", data: { testid: `phone-${n}`, n } }, this.holder, el("div", { class: "device" }, this.screen));
    const place = () => (NARROW.matches ? this.menuButton.before(this.holder) : this.node.prepend(this.holder));
    NARROW.addEventListener("change", place);
    place();
  }

  // The actions of bubbles.
  #actions() {
    const { calls } = this;
    return {
      openLink: (url, label) => calls.openLink(url, label),
      openPicture: (url, name) => this.overlay.picture(url, name),
      openMenu: (message, event) => messageMenu(this, message, event),
      sendCommand: (text) => calls.send({ text }),
      copy: (text) => calls.copy(text),
      tell: (words) => this.overlay.tell(words),
      jump: (id) => this.messages.jump(id),
      react: (message, emoji) => calls.react(message, emoji),
      pay: (message) => calls.pay(message),
      vote: (message, index) => calls.vote(message, index),
      press: (message, row, column) => calls.press(message, row, column),
    };
  }

  /** Draw soon, and only once for many changes. */
  draw() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
      this.page.changed();
    });
  }

  #draw() {
    const { bot, chat, person } = this;
    if (this.list.node.hidden) chat.unread = 0;
    this.node.setAttribute("aria-label", `Phone ${this.record.n}: ${person.first_name} with ${bot.first_name}`);
    replace(this.holder, avatar(person.id, person.first_name, 26), el("b", { dir: "auto" }, person.first_name), el("span", { class: "holder-language" }, languageName(person.language_code)), aside(": edit"), icon("edit", 15));
    this.title.textContent = bot.first_name;
    replace(this.face, avatar(bot.id, bot.first_name, 38));
    const busy = chat.action && !chat.blocked;
    this.subtitle.textContent = busy ? `${ACTIONS[chat.action] ?? "working"}…` : chat.blocked ? "blocked" : "bot";
    this.subtitle.classList.toggle("busy", Boolean(busy));
    const others = this.unread - chat.unread;
    this.backCount.hidden = others === 0;
    this.backCount.textContent = String(others);
    this.messages.view = { botName: bot.first_name, actions: this.messages.view.actions };
    this.messages.render(chat);
    this.#drawFoot(chat);
    if (!this.list.node.hidden) this.list.draw(this.record.bot);
  }

  #drawFoot(chat) {
    const writing = chat.loaded && chat.started && !chat.blocked;
    this.composer.node.hidden = !writing;
    this.startButton.hidden = !chat.loaded || chat.started || chat.blocked;
    this.unblockButton.hidden = !chat.loaded || !chat.blocked;
    this.composer.commandsButton.hidden = !this.bot.commands?.length;
    if (!writing) this.panel.hide();
    const markup = chat.keyboard?.keyboard?.length ? chat.keyboard : null;
    this.composer.setPlaceholder(chat.keyboard?.input_field_placeholder);
    this.composer.keyboardButton.hidden = !markup || markup.is_persistent === true;
    const open = markup && writing && (chat.keyboardOpen || markup.is_persistent);
    this.composer.keyboardButton.setAttribute("aria-pressed", String(Boolean(open)));
    const drawn = open ? markup : null;
    if (this.keyboardSlot.markup === drawn) return;
    this.keyboardSlot.markup = drawn;
    replace(this.keyboardSlot, drawn && replyKeyboard(this.record.n, drawn, (button) => this.calls.pressReply(button)));
  }

  apply(event) {
    const chat = this.#chat(event.bot);
    if (event.type === "message") {
      const isNew = chat.upsert(event.message);
      const elsewhere = event.bot !== this.record.bot || !this.list.node.hidden;
      if (isNew && elsewhere && !event.message.outgoing) chat.unread += 1;
    } else if (event.type === "edited") chat.upsert(event.message);
    else if (event.type === "deleted") chat.remove(event.message_id);
    else if (event.type === "keyboard") this.#keyboardShown(chat, event.keyboard);
    else if (event.type === "reactions") chat.setReactions(event.message_id, event.reactions);
    else if (event.type === "chat_action") chat.setAction(event.action);
    else if (event.type === "callback_answer") this.#callbackAnswered(chat, event);
    this.draw();
  }

  #keyboardShown(chat, keyboard) {
    chat.setKeyboard(keyboard);
    const asked = chat.messages.findLast((message) => !message.outgoing);
    if (keyboard?.force_reply && !keyboard.keyboard && chat === this.chat && asked) this.composer.reply(asked);
  }

  #callbackAnswered(chat, { callback_query_id: query, text, show_alert: alert, url }) {
    chat.answered(query);
    if (url) this.calls.openLink(url, null);
    else if (text && alert) this.overlay.alert(text);
    else if (text) this.overlay.tell(text);
  }

  /** Load the open chat, and every other chat that was open before. */
  async sync() {
    const bots = new Set([this.record.bot, ...[...this.#chats.values()].filter((chat) => chat.loaded).map((chat) => chat.bot)]);
    await Promise.all([...bots].map((bot) => this.#load(bot)));
  }

  #load(bot) {
    return this.#chat(bot).load(() => api.history(this.person.id, bot));
  }

  /** The sandbox was reset: use a new person, and new chats. */
  forget() {
    this.#chats.clear();
    this.draw();
  }

  async changePerson() {
    const changes = await askPerson(this.overlay, this.person);
    if (!changes) return;
    const person = await this.calls.attempt(() => api.changePerson(this.person.id, changes));
    if (!person) return;
    this.record.person = { ...this.person, ...changes };
    this.page.changed(true);
    this.draw();
  }

  showList(shown) {
    this.list.node.hidden = !shown;
    for (const part of this.content.children) part.inert = shown && part !== this.list.node;
    this.draw();
    if (!shown) return;
    this.page.refresh().then(() => this.draw());
    for (const bot of this.page.bots()) if (!this.#chat(bot.id).loaded) this.#load(bot.id).catch(() => {});
    this.list.focus();
  }

  async switchTo(bot) {
    this.chat.draft = this.composer.take();
    this.record.bot = bot;
    this.composer.restore(this.chat.draft, null);
    this.page.changed(true);
    this.showList(false);
    await this.calls.attempt(() => this.#load(bot));
  }

  #dropping() {
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") && !this.composer.node.hidden && !this.overlay.isOpen;
    return {
      dragover: (event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        this.screen.classList.add("dropping");
      },
      dragleave: (event) => !this.screen.contains(event.relatedTarget) && this.screen.classList.remove("dropping"),
      drop: (event) => {
        this.screen.classList.remove("dropping");
        if (!carriesFiles(event)) return;
        event.preventDefault();
        this.attach.offer([...event.dataTransfer.files]);
      },
    };
  }
}
