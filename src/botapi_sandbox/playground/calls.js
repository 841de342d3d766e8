// A person's actions on a phone, as calls to the sandbox. Their results come back as events and answers.

import { avatar, el } from "./dom.js";
import { api } from "./api.js";
import { measure } from "./facts.js";

export function isEditable(message) {
  return !message.forward_origin && (message.text !== undefined || message.caption !== undefined);
}

/** The calls of one `phone`. Each is made by its person, in the chat that is open when the call begins. */
export class Calls {
  #sending = Promise.resolve();

  constructor(phone) {
    this.phone = phone;
  }

  /** The result of `doing()`. If it fails, the phone shows the reason and the result is null. */
  async attempt(doing) {
    try {
      return await doing();
    } catch (error) {
      this.phone.overlay.tell(error.message);
      return null;
    }
  }

  // One at a time, so that two quick messages keep their order.
  #inTurn(doing) {
    const next = this.#sending.then(doing, doing);
    this.#sending = next.catch(() => {});
    return next;
  }

  async send(content) {
    const { person, chat, composer } = this.phone;
    const reply = composer.replyTo ? { reply_to_message_id: composer.replyTo } : {};
    if (composer.replyTo) composer.clearMode();
    const message = await this.attempt(() => this.#inTurn(() => api.send(person.id, chat.bot, { ...reply, ...content })));
    if (message?.message_id) chat.upsert(message);
    return message;
  }

  async write({ text, entities, mode, undo }) {
    const { chat } = this.phone;
    if (mode?.kind === "edit") {
      const { message } = mode;
      const field = message.text === undefined ? "caption" : "text";
      if (text === message[field] && JSON.stringify(entities) === JSON.stringify(message.entities ?? message.caption_entities ?? [])) return;
      const edited = await this.attempt(() => this.#inTurn(() => api.edit(this.phone.person.id, chat.bot, { message_id: message.message_id, [field]: text, ...(entities.length && { entities }) })));
      if (edited?.message_id) chat.upsert(edited);
      else if (!edited) undo();
      return;
    }
    const reply = mode?.kind === "reply" ? { reply_to_message_id: mode.message.message_id } : {};
    const sent = await this.send({ text, ...(entities.length && { entities }), ...reply });
    if (!sent) undo();
  }

  /** Items are {kind, file, caption?, has_spoiler?, emoji?}; several are an album. */
  async upload(items) {
    const { person, chat, composer } = this.phone;
    const reply = composer.replyTo;
    composer.clearMode();
    const whole = await Promise.all(items.map(async (item) => ({ ...(await measure(item.kind, item.file)), ...item, reply_to_message_id: reply, file_name: item.file.name })));
    const sent = await this.attempt(() => this.#inTurn(() => (whole.length > 1 ? api.album(person.id, chat.bot, whole) : api.upload(person.id, chat.bot, whole[0]))));
    for (const message of [sent ?? []].flat()) chat.upsert(message);
  }

  async sticker(sticker) {
    this.phone.panel.hide();
    await this.upload([{ kind: "sticker", file: await sticker.file(), emoji: sticker.emoji }]);
  }

  async start(parameter) {
    const { chat } = this.phone;
    const message = await this.attempt(() => api.start(this.phone.person.id, chat.bot, parameter));
    if (!message) return;
    chat.setState({ started: true, blocked: false });
    this.phone.page.refresh().then(() => this.phone.draw());
    if (message.message_id) chat.upsert(message);
    this.phone.composer.focus();
  }

  async block() {
    const { chat } = this.phone;
    if (await this.attempt(() => api.block(this.phone.person.id, chat.bot))) chat.setState({ blocked: true });
  }

  async unblock() {
    const { chat } = this.phone;
    if (await this.attempt(() => api.unblock(this.phone.person.id, chat.bot))) chat.setState({ blocked: false });
  }

  async pressReply(button) {
    const { chat } = this.phone;
    if (chat.keyboard?.one_time_keyboard) chat.toggleKeyboard(false);
    if (button.request_contact) await this.send({ message: { contact: { phone_number: "+351900000000", first_name: this.phone.person.first_name, user_id: this.phone.person.id } } });
    else if (button.request_location) await this.phone.attach.location();
    else if (button.request_poll) await this.phone.attach.poll();
    else await this.send({ text: button.text });
  }

  editLast() {
    const own = this.phone.chat.messages.findLast((message) => message.outgoing && isEditable(message));
    if (own) this.phone.composer.edit(own);
  }

  press(message, row, column) {
    const { person, chat } = this.phone;
    this.attempt(() => chat.press(message.message_id, row, column, () => api.press(person.id, chat.bot, message.message_id, row, column)));
  }

  react(message, emoji) {
    const { chat } = this.phone;
    // The result comes as an event. In an album, Telegram puts the reaction on the first picture.
    this.attempt(() => api.react(this.phone.person.id, chat.bot, message.message_id, emoji));
  }

  // A private chat has one voter, so the counts are this person's votes.
  vote(message, index) {
    const { chat } = this.phone;
    const { poll } = message;
    if (poll.is_closed) return;
    const mine = poll.options.flatMap((option, at) => (option.voter_count ? [at] : []));
    const others = poll.allows_multiple_answers ? mine.filter((at) => at !== index) : [];
    this.attempt(() => api.vote(this.phone.person.id, chat.bot, message.message_id, mine.includes(index) ? others : [...others, index]));
  }

  async forward(message) {
    const { chat } = this.phone;
    const to = await this.phone.overlay.ask({ title: "Forward to", testid: "forward", body: (done) => el("div", { class: "options" }, this.phone.page.bots().map((bot) => el("button", {
      type: "button", class: "option", on: { click: () => done(bot.id) },
    }, avatar(bot.id, bot.first_name, 32), el("span", { dir: "auto" }, bot.first_name)))) });
    if (to && (await this.attempt(() => api.forward(this.phone.person.id, chat.bot, message.message_id, to))) && to !== chat.bot) await this.phone.switchTo(to);
  }

  /** The bot passed the message on to somebody, and only the bot can delete it there too. */
  takeBack(message) {
    this.attempt(async () => {
      const { person, chat } = this.phone;
      const asked = await this.#inTurn(() => api.send(person.id, chat.bot, { text: "/delete", reply_to_message_id: message.message_id }));
      if (asked?.message_id) chat.upsert(asked);
    });
  }

  /** Delete the message from this chat. The bot is not told. */
  remove(message) {
    const { chat } = this.phone;
    this.attempt(() => api.remove(this.phone.person.id, chat.bot, message.message_id));
  }

  pay(message) {
    return this.#pay(message.invoice ? `⭐ ${message.invoice.total_amount}` : "this", { message_id: message.message_id });
  }

  async #pay(price, what) {
    const { chat } = this.phone;
    const found = await this.attempt(() => api.stars(this.phone.person.id));
    if (!found) return;
    const yes = await this.phone.overlay.ask({ title: `Pay ${price}?`, body: () => [el("p", {}, `You have ⭐ ${found.stars.toLocaleString("en")}.`), el("p", {}, "These aren't real Stars. You won't be charged.")], actions: [{ label: "Cancel", value: null }, { label: "Pay", value: true, kind: "main", testid: "pay" }] });
    if (!yes) return;
    const result = await this.attempt(() => api.pay(this.phone.person.id, chat.bot, what));
    if (result && result.status !== "paid") this.phone.overlay.alert(result.status === "short" ? "You don't have enough Stars. Add some: menu, Stars…" : result.error || (result.status === "timeout" ? "The bot didn't answer in ten seconds, so nothing was paid." : "The bot refused the payment."));
    else if (result) this.phone.overlay.tell("Paid");
  }

  async startWith() {
    const input = el("input", { class: "field", type: "text", "aria-label": "Parameter", placeholder: "Parameter", pattern: "[A-Za-z0-9_\\-]{1,64}", required: true });
    const parameter = await this.phone.overlay.ask({ title: "Start with a parameter", body: () => [el("p", {}, "Like opening a link to the bot. Use letters, digits, _ and -."), input], actions: [{ label: "Cancel", value: null }, { label: "Start", value: () => input.value, kind: "main" }] });
    if (parameter) await this.start(parameter);
  }

  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.phone.overlay.tell("Copied");
    } catch {
      this.phone.overlay.tell("Your browser doesn't allow copying here.");
    }
  }

  /** Open a link: to a bot of this sandbox in this phone, others after a question if the label hides the address. */
  async openLink(url, label) {
    const parsed = URL.canParse(url) ? new URL(url) : null;
    const name = parsed?.hostname === "t.me" ? parsed.pathname.slice(1) : parsed?.protocol === "tg:" ? parsed.searchParams.get("domain") : null;
    const bot = name && this.phone.page.bots().find((each) => each.username?.toLowerCase() === name.toLowerCase());
    if (parsed?.hostname === "t.me" && name.startsWith("$")) {
      await this.#pay("this invoice", { link: url });
      return;
    }
    if (bot) {
      await this.phone.switchTo(bot.id);
      if (parsed.searchParams.has("start")) await this.start(parsed.searchParams.get("start"));
      return;
    }
    if (!parsed || !["http:", "https:", "mailto:", "tel:"].includes(parsed.protocol)) {
      this.phone.overlay.tell(`This page can't open ${url}`);
      return;
    }
    const plain = label !== null && (label === url || url === `https://${label}` || url === `${label}/` || url === `https://${label}/`);
    const go = plain || (await this.phone.overlay.ask({ title: "Open this link?", testid: "link", body: () => el("p", { class: "address" }, url), actions: [{ label: "Cancel", value: null }, { label: "Open", value: true, kind: "main" }] }));
    if (go) window.open(url, "_blank", "noopener,noreferrer");
  }
}
