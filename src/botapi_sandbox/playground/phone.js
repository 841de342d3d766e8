// One phone: a person, the bots they talk to, and the screen. It turns events into chats and taps into calls.

import { avatar, el, iconButton, replace } from "./dom.js";
import { icon } from "./icons.js";
import { api } from "./api.js";
import { Chat, kindOf } from "./chat.js";
import { Messages } from "./messages.js";
import { Composer } from "./composer.js";
import { measure } from "./facts.js";
import { Attach } from "./attach.js";
import { colourful, EmojiPanel, REACTIONS } from "./emoji.js";
import { Overlay } from "./sheet.js";
import { ChatList } from "./chatlist.js";
import { replyKeyboard } from "./keyboards.js";
import { askPerson, languageName } from "./person.js";

const ACTIONS = { typing: "typing", upload_photo: "sending a photo", upload_video: "sending a video", upload_voice: "sending a voice message", record_voice: "recording a voice message",
  upload_document: "sending a file", choose_sticker: "choosing a sticker", record_video: "recording a video", record_video_note: "recording a video message", upload_video_note: "sending a video message", find_location: "finding a place" };

export class Phone {
  fresh = 0; // messages that came while another phone was in front, on a small screen
  #chats = new Map();
  #sending = Promise.resolve();
  #frame = 0;

  /** `record` of the roster; `page`: {bots(), changed(), remove(phone)}. */
  constructor(record, page) {
    this.record = record;
    this.page = page;
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

  chatWith(bot) {
    return this.#chat(bot);
  }

  #build(n) {
    this.title = el("b", { dir: "auto" });
    this.subtitle = el("span", { class: "subtitle", data: { testid: `subtitle-${n}` } });
    this.face = el("span", { class: "bar-face" });
    this.backCount = el("span", { class: "count", hidden: true });
    const openList = () => this.showList(true);
    this.menuButton = iconButton(icon("dots"), "Menu", () => this.#menu(), { data: { testid: `menu-${n}` }, "aria-haspopup": "menu" });
    const bar = el("header", { class: "bar" },
      el("div", { class: "back" }, iconButton(icon("back"), "All chats", openList, { data: { testid: `chats-${n}` } }), this.backCount),
      el("button", { type: "button", class: "bar-bot", "aria-label": "Switch bot", data: { testid: `switch-${n}` }, on: { click: openList } }, this.face, el("span", { class: "bar-words" }, this.title, this.subtitle)), this.menuButton);
    this.messages = new Messages(n, { botName: "", actions: this.#actions() });
    this.composer = new Composer(n, {
      send: (written) => this.#write(written), attach: () => this.attach.open(), emoji: () => this.panel.toggle(), voice: () => this.attach.source("voice"),
      toggleKeyboard: () => this.chat.toggleKeyboard(), commands: (button) => this.#commands(button), files: (files) => this.attach.offer(files), editLast: () => this.#editLast(),
    });
    this.panel = new EmojiPanel(n, { emoji: (text) => this.composer.insert(text), sticker: (sticker) => this.#sticker(sticker) });
    this.startButton = el("button", { type: "button", class: "start", data: { testid: `start-${n}` }, on: { click: () => this.start() } }, "Start");
    this.unblockButton = el("button", { type: "button", class: "start", data: { testid: `unblock-${n}` }, on: { click: () => this.#unblock() } }, "Unblock");
    this.keyboardSlot = el("div", { class: "keyboard-slot" });
    this.foot = el("footer", { class: "phone-foot" }, this.composer.node, this.startButton, this.unblockButton, this.panel.node, this.keyboardSlot);
    this.content = el("div", { class: "screen-content" }, bar, this.messages.node, this.foot);
    this.screen = el("div", { class: "screen", on: this.#dropping() }, this.content);
    this.overlay = new Overlay(this.screen, this.content);
    this.attach = new Attach(this.overlay, { upload: (item) => this.#upload([item]), album: (items) => this.#upload(items), content: (content) => this.#send({ message: content }), stickers: () => this.panel.show("Stickers") }, () => this.person);
    this.list = new ChatList(n, { choose: (bot) => this.switchTo(bot), chat: (bot) => this.#chat(bot), bots: () => this.page.bots() });
    this.content.append(this.list.node);
    this.holder = el("button", { type: "button", class: "holder", data: { testid: `person-${n}` }, on: { click: () => this.#changePerson() } });
    this.node = el("section", { class: "phone", data: { testid: `phone-${n}`, n } }, this.holder, el("div", { class: "device" }, this.screen));
  }

  // Drawing ------------------------------------------------------------------

  /** Draw soon, once, however many changes arrive at once. */
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
    replace(this.holder, avatar(person.id, person.first_name, 26), el("b", { dir: "auto" }, person.first_name), el("span", {}, languageName(person.language_code)), icon("edit", 15));
    this.holder.setAttribute("aria-label", `${person.first_name}, ${languageName(person.language_code)}: change this person`);
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
    replace(this.keyboardSlot, drawn && replyKeyboard(this.record.n, drawn, (button) => this.#pressReply(button)));
  }

  // Events -------------------------------------------------------------------

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
    if (url) this.#openLink(url, null);
    else if (text && alert) this.overlay.alert(text);
    else if (text) this.overlay.tell(text);
  }

  /** Load what this phone shows, and every other chat that it has already shown. */
  async sync() {
    const bots = new Set([this.record.bot, ...[...this.#chats.values()].filter((chat) => chat.loaded).map((chat) => chat.bot)]);
    await Promise.all([...bots].map((bot) => this.#load(bot)));
  }

  #load(bot) {
    return this.#chat(bot).load(() => api.history(this.person.id, bot));
  }

  /** The sandbox was reset and knows nobody: the person is new, and so are the chats. */
  forget() {
    this.#chats.clear();
    this.draw();
  }

  // What a person does -------------------------------------------------------

  async #try(doing) {
    try {
      return await doing();
    } catch (error) {
      this.overlay.tell(error.message);
      return null;
    }
  }

  // One after another, so that two quick messages keep their order.
  #inTurn(doing) {
    const next = this.#sending.then(doing, doing);
    this.#sending = next.catch(() => {});
    return next;
  }

  async #send(content) {
    const { chat } = this;
    const extra = this.composer.replyTo ? { reply_to_message_id: this.composer.replyTo } : {};
    if (content.message) this.composer.clearMode();
    const message = await this.#try(() => this.#inTurn(() => api.send(this.person.id, chat.bot, { ...extra, ...content })));
    if (message?.message_id) chat.upsert(message);
    return message;
  }

  async #write({ text, entities, mode, undo }) {
    const { chat } = this;
    if (mode?.kind === "edit") {
      const { message } = mode;
      const field = message.text === undefined ? "caption" : "text";
      if (text === message[field] && JSON.stringify(entities) === JSON.stringify(message.entities ?? [])) return;
      const edited = await this.#try(() => this.#inTurn(() => api.edit(this.person.id, chat.bot, { message_id: message.message_id, [field]: text, ...(entities.length && { entities }) })));
      if (edited?.message_id) chat.upsert(edited);
      else if (!edited) undo();
      return;
    }
    const reply = mode?.kind === "reply" ? { reply_to_message_id: mode.message.message_id } : {};
    const sent = await this.#send({ text, ...(entities.length && { entities }), ...reply });
    if (!sent) undo();
  }

  async #upload(items) {
    const { chat } = this;
    const reply = this.composer.replyTo;
    this.composer.clearMode();
    const group = items.length > 1 ? String(Date.now()) + String(this.record.n) : undefined;
    for (const item of items) {
      const facts = await measure(item.kind, item.file);
      const message = await this.#try(() => this.#inTurn(() => api.upload(this.person.id, chat.bot, { ...facts, ...item, media_group_id: group, reply_to_message_id: reply, file_name: item.file.name })));
      if (!message) return;
      chat.upsert(message);
    }
  }

  async #sticker(sticker) {
    this.panel.hide();
    await this.#upload([{ kind: "sticker", file: await sticker.file(), emoji: sticker.emoji }]);
  }

  async start(parameter) {
    const { chat } = this;
    const message = await this.#try(() => api.start(this.person.id, chat.bot, parameter));
    if (!message) return;
    chat.setState({ started: true, blocked: false });
    if (message.message_id) chat.upsert(message);
    this.composer.focus();
  }

  async #block() {
    const { chat } = this;
    if (await this.#try(() => api.block(this.person.id, chat.bot))) chat.setState({ blocked: true });
  }

  async #unblock() {
    const { chat } = this;
    if (await this.#try(() => api.unblock(this.person.id, chat.bot))) chat.setState({ blocked: false });
  }

  async #pressReply(button) {
    const { chat } = this;
    if (chat.keyboard?.one_time_keyboard) chat.toggleKeyboard(false);
    if (button.request_contact) await this.#send({ message: { contact: { phone_number: "+351900000000", first_name: this.person.first_name, user_id: this.person.id } } });
    else if (button.request_location) await this.attach.location();
    else if (button.request_poll) await this.attach.poll();
    else await this.#send({ text: button.text });
  }

  #editLast() {
    const own = this.chat.messages.findLast((message) => message.outgoing && isEditable(message));
    if (own) this.composer.edit(own);
  }

  #react(message, emoji) {
    const { chat } = this;
    // The event stream tells what came of it: of an album, Telegram reacts to the first picture.
    this.#try(() => api.react(this.person.id, chat.bot, message.message_id, emoji));
  }

  // In a private chat the counts are this person's own votes, and the sandbox keeps no others.
  #vote(message, index) {
    const { chat } = this;
    const { poll } = message;
    if (poll.is_closed) return;
    const mine = poll.options.flatMap((option, at) => (option.voter_count ? [at] : []));
    const others = poll.allows_multiple_answers ? mine.filter((at) => at !== index) : [];
    this.#try(() => api.vote(this.person.id, chat.bot, message.message_id, mine.includes(index) ? others : [...others, index]));
  }

  async #forward(message) {
    const { chat } = this;
    const to = await this.overlay.ask({ title: "Forward to", testid: "forward", body: (done) => el("div", { class: "options" }, this.page.bots().map((bot) => el("button", {
      type: "button", class: "option", on: { click: () => done(bot.id) },
    }, avatar(bot.id, bot.first_name, 32), el("span", { dir: "auto" }, bot.first_name)))) });
    if (to && (await this.#try(() => api.forward(this.person.id, chat.bot, message.message_id, to))) && to !== chat.bot) await this.switchTo(to);
  }

  #remove(message) {
    const { chat } = this;
    this.#try(() => api.remove(this.person.id, chat.bot, message.message_id));
  }

  async #pay(message) {
    const { chat } = this;
    const price = message.invoice ? `⭐ ${message.invoice.total_amount}` : "this";
    const yes = await this.overlay.ask({ title: `Pay ${price}?`, body: () => el("p", {}, "No real Stars: the sandbox pretends."), actions: [{ label: "Cancel", value: null }, { label: "Pay", value: true, kind: "main", testid: "pay" }] });
    if (!yes) return;
    const result = await this.#try(() => api.pay(this.person.id, chat.bot, message.message_id));
    if (result && result.status !== "paid") this.overlay.alert(result.error || (result.status === "timeout" ? "The bot did not answer the checkout in ten seconds." : "The bot refused the payment."));
    else if (result) this.overlay.tell("Paid");
  }

  #actions() {
    return {
      openLink: (url, label) => this.#openLink(url, label),
      openPicture: (url, name) => this.overlay.picture(url, name),
      sendCommand: (text) => this.#send({ text }),
      copy: (text) => this.#copy(text),
      tell: (words) => this.overlay.tell(words),
      jump: (id) => this.messages.jump(id),
      react: (message, emoji) => this.#react(message, emoji),
      pay: (message) => this.#pay(message),
      vote: (message, index) => this.#vote(message, index),
      press: (message, row, column) => {
        const { chat } = this;
        this.#try(() => chat.press(message.message_id, row, column, () => api.press(this.person.id, chat.bot, message.message_id, row, column)));
      },
      openMenu: (message, event) => this.#messageMenu(message, event),
    };
  }

  #messageMenu(message, event) {
    event.preventDefault();
    const box = event.target.getBoundingClientRect?.() ?? { left: 0, top: 0 };
    const words = message.text ?? message.caption;
    const { mine } = message.reactions ?? {};
    this.overlay.menu([
      { label: "Reply", image: "reply", testid: "menu-reply", run: () => this.composer.reply(message) },
      message.outgoing && isEditable(message) && { label: "Edit", image: "edit", testid: "menu-edit", run: () => this.composer.edit(message) },
      words && !message.has_protected_content && { label: "Copy text", image: "copy", testid: "menu-copy", run: () => this.#copy(words) },
      !message.has_protected_content && { label: "Forward…", image: "forward", testid: "menu-forward", run: () => this.#forward(message) },
      { label: "Show as JSON", image: "code", testid: "menu-json", run: () => this.#showJson(message) },
      { label: "Delete for both", image: "trash", danger: true, testid: "menu-delete", run: () => this.#remove(message) },
    ], {
      x: event.clientX || box.left + 24, y: event.clientY || box.top + 24, label: "Message",
      head: (close) => el("div", { class: "emoji-row", role: "group", "aria-label": "React" }, REACTIONS.map((emoji) => el("button", {
        type: "button", class: "emoji", "aria-label": `React with ${emoji}`, "aria-pressed": String(emoji === mine), data: { testid: "react" }, on: { click: () => {
          close(true);
          this.#react(message, emoji === mine ? null : emoji);
        } },
      }, colourful(emoji)))),
    });
  }

  #showJson(message) {
    const text = JSON.stringify(message, null, 2);
    this.overlay.ask({ title: kindOf(message) ?? "message", wide: true, body: () => el("pre", { class: "json", tabindex: "0" }, text), actions: [{ label: "Copy", value: () => void this.#copy(text) }, { label: "Close", value: null, kind: "main" }] });
  }

  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.overlay.tell("Copied");
    } catch {
      this.overlay.tell("The browser does not allow copying here.");
    }
  }

  /** Links to a bot of this sandbox open in this phone, others after a question: a label may say something else than the address. */
  async #openLink(url, label) {
    const parsed = URL.canParse(url) ? new URL(url) : null;
    const name = parsed?.hostname === "t.me" ? parsed.pathname.slice(1) : parsed?.protocol === "tg:" ? parsed.searchParams.get("domain") : null;
    const bot = name && this.page.bots().find((each) => each.username?.toLowerCase() === name.toLowerCase());
    if (bot) {
      await this.switchTo(bot.id);
      if (parsed.searchParams.has("start")) await this.start(parsed.searchParams.get("start"));
      return;
    }
    if (!parsed || !["http:", "https:", "mailto:", "tel:"].includes(parsed.protocol)) {
      this.overlay.tell(`This page does not follow ${url}`);
      return;
    }
    const plain = label !== null && (label === url || url === `https://${label}` || url === `${label}/` || url === `https://${label}/`);
    const go = plain || (await this.overlay.ask({ title: "Open this link?", testid: "link", body: () => el("p", { class: "address" }, url), actions: [{ label: "Cancel", value: null }, { label: "Open", value: true, kind: "main" }] }));
    if (go) window.open(url, "_blank", "noopener,noreferrer");
  }

  #menu() {
    const { chat } = this;
    const box = this.menuButton.getBoundingClientRect();
    this.overlay.menu([
      { label: "Switch bot", image: "bot", testid: "menu-switch", run: () => this.showList(true) },
      chat.started && !chat.blocked && { label: "Send /start again", image: "refresh", testid: "menu-restart", run: () => this.start() },
      { label: "Start with a parameter…", image: "link", testid: "menu-parameter", run: () => this.#startWith() },
      { label: "Change this person…", image: "contact", testid: "menu-person", run: () => this.#changePerson() },
      chat.blocked ? { label: "Unblock the bot", image: "check", testid: "menu-unblock", run: () => this.#unblock() } : { label: "Block the bot", image: "ban", danger: true, testid: "menu-block", run: () => this.#block() },
      { label: "Remove this phone", image: "trash", danger: true, testid: "menu-remove", run: () => this.page.remove(this) },
    ], { x: box.right - 200, y: box.bottom + 4, label: "Chat" });
  }

  async #startWith() {
    const input = el("input", { class: "field", type: "text", "aria-label": "Parameter", placeholder: "Parameter", pattern: "[A-Za-z0-9_\\-]{1,64}", required: true });
    const parameter = await this.overlay.ask({ title: "Start with a parameter", body: () => [el("p", {}, "As if the person had followed a link to the bot: letters, digits, _ and -."), input], actions: [{ label: "Cancel", value: null }, { label: "Start", value: () => input.value, kind: "main" }] });
    if (parameter) await this.start(parameter);
  }

  #commands(button) {
    const box = button.getBoundingClientRect();
    const items = (this.bot.commands ?? []).map((each) => ({ label: `/${each.command}  ${each.description}`, image: "commands", run: () => this.#send({ text: `/${each.command}` }) }));
    this.overlay.menu(items, { x: box.left, y: box.top - 4, label: "Commands" });
  }

  async #changePerson() {
    const changes = await askPerson(this.overlay, this.person);
    if (!changes) return;
    const person = await this.#try(() => api.changePerson(this.person.id, changes));
    if (!person) return;
    this.record.person = { ...this.person, ...changes };
    this.page.changed(true);
    this.draw();
  }

  showList(shown) {
    this.list.node.hidden = !shown;
    this.draw();
    if (!shown) return;
    for (const bot of this.page.bots()) if (!this.#chat(bot.id).loaded) this.#load(bot.id).catch(() => {});
    this.list.focus();
  }

  async switchTo(bot) {
    this.chat.draft = this.composer.take();
    this.record.bot = bot;
    this.composer.restore(this.chat.draft, null);
    this.page.changed(true);
    this.showList(false);
    await this.#try(() => this.#load(bot));
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

function isEditable(message) {
  return !message.forward_origin && (message.text !== undefined || message.caption !== undefined);
}
