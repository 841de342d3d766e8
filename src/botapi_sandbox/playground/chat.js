// The data of one person's conversation with one bot, for the phone to draw. There is no DOM here.

const ACTION_LASTS_MS = 6000; // Telegram shows a chat action for about five seconds
const PRESS_WAITS_MS = 30000; // after this, a button stops spinning even if the bot never answers

export class Chat {
  messages = [];
  keyboard = null;
  started = false;
  blocked = false;
  loaded = false;
  unread = 0;
  action = null;
  keyboardOpen = true;
  draft = []; // the editor's nodes while another chat is open
  #byId = new Map();
  #touched = null;
  #removed = new Set(); // a bot may delete a new message before the page learns its id
  #presses = new Map();
  #answeredEarly = new Set();
  #actionTimer = null;

  constructor(bot, onChange) {
    this.bot = bot;
    this.onChange = onChange;
  }

  get(messageId) {
    return this.#byId.get(messageId);
  }

  get last() {
    return this.messages.at(-1);
  }

  /**
   * Apply the server's snapshot. Events that arrived during the request are newer and stay. Unchanged messages keep
   * their identity, so the phone does not draw them again.
   */
  async load(fetchSnapshot) {
    const touched = new Map();
    this.#touched = touched;
    const snapshot = await fetchSnapshot();
    if (this.#touched === touched) this.#touched = null;
    const next = new Map();
    for (const message of snapshot.messages) {
      const known = this.#byId.get(message.message_id);
      next.set(message.message_id, known && JSON.stringify(known) === JSON.stringify(message) ? known : message);
    }
    for (const [id, message] of touched) {
      if (message) next.set(id, message);
      else next.delete(id);
    }
    this.#byId = next;
    this.started = snapshot.started;
    this.blocked = snapshot.blocked;
    this.#showKeyboard(snapshot.keyboard ?? null);
    this.loaded = true;
    this.#sort();
  }

  upsert(message) {
    if (this.#removed.has(message.message_id)) return false;
    this.#touched?.set(message.message_id, message);
    const known = this.#byId.get(message.message_id);
    if (known && JSON.stringify(known) === JSON.stringify(message)) return false;
    this.#byId.set(message.message_id, message);
    if (!message.outgoing) this.setAction(null);
    this.#sort();
    return !known;
  }

  remove(messageId) {
    this.#removed.add(messageId);
    this.#touched?.set(messageId, null);
    if (this.#byId.delete(messageId)) this.#sort();
  }

  setReactions(messageId, reactions) {
    const message = this.#byId.get(messageId);
    if (message) this.upsert({ ...message, reactions });
  }

  setKeyboard(keyboard) {
    this.#showKeyboard(keyboard);
    this.onChange();
  }

  toggleKeyboard(open = !this.keyboardOpen) {
    this.keyboardOpen = open;
    this.onChange();
  }

  setState(changes) {
    Object.assign(this, changes);
    this.onChange();
  }

  setAction(action) {
    clearTimeout(this.#actionTimer);
    if (action) this.#actionTimer = setTimeout(() => this.setAction(null), ACTION_LASTS_MS);
    if (action === this.action) return;
    this.action = action;
    this.onChange();
  }

  isPressed(messageId, row, column) {
    return this.#presses.has(`${messageId}:${row}:${column}`);
  }

  /** Spin the button until `press()` has ended and the bot has answered. The answer may come before the response. */
  async press(messageId, row, column, press) {
    const key = `${messageId}:${row}:${column}`;
    if (this.#presses.has(key)) return;
    this.#presses.set(key, null);
    this.#redraw(messageId);
    try {
      const { callback_query_id: query } = await press();
      if (this.#answeredEarly.delete(query)) this.#release(key);
      else {
        this.#presses.set(key, query);
        setTimeout(() => this.#presses.get(key) === query && this.#release(key), PRESS_WAITS_MS);
      }
    } catch (error) {
      this.#release(key);
      throw error;
    }
  }

  answered(query) {
    for (const [key, pending] of this.#presses) {
      if (pending === query) {
        this.#release(key);
        return;
      }
    }
    this.#answeredEarly.add(query);
  }

  #release(key) {
    this.#presses.delete(key);
    this.#redraw(Number(key.split(":")[0]));
  }

  // A new object makes the phone draw the message again.
  #redraw(messageId) {
    const message = this.#byId.get(messageId);
    if (message) this.#byId.set(messageId, { ...message });
    this.#sort();
  }

  #showKeyboard(keyboard) {
    if (JSON.stringify(keyboard) === JSON.stringify(this.keyboard)) return;
    this.keyboard = keyboard;
    this.keyboardOpen = true;
  }

  #sort() {
    this.messages = [...this.#byId.values()].sort((a, b) => a.message_id - b.message_id);
    this.onChange();
  }
}

const KINDS = [
  ["live_photo", "Live photo"], ["animation", "GIF"], ["photo", "Photo"], ["video_note", "Video message"], ["video", "Video"],
  ["voice", "Voice message"], ["audio", "Audio"], ["sticker", "Sticker"], ["document", "File"], ["venue", "Place"],
  ["location", "Location"], ["contact", "Contact"], ["poll", "Poll"], ["dice", "Dice"], ["invoice", "Invoice"],
  ["checklist", "Checklist"], ["paid_media", "Paid media"], ["game", "Game"], ["story", "Story"], ["rich_message", "Rich message"],
  ["giveaway", "Giveaway"], ["pinned_message", "Pinned message"], ["successful_payment", "Payment"], ["refunded_payment", "Refund"],
];

/** The Bot API field with a message's content: "text", "photo" …; null if this page does not know it. */
export function kindOf(message) {
  if (message.text !== undefined) return "text";
  return KINDS.find(([kind]) => message[kind] !== undefined)?.[0] ?? null;
}

/** A summary of a message in one line, for quotes and the list of chats. */
export function summary(message) {
  if (!message) return "";
  if (message.text) return message.text;
  const kind = kindOf(message);
  const name = { document: message.document?.file_name, sticker: message.sticker?.emoji && `${message.sticker.emoji} Sticker`,
    dice: message.dice?.emoji, poll: message.poll?.question, contact: message.contact?.first_name, invoice: message.invoice?.title }[kind];
  return message.caption || name || KINDS.find(([known]) => known === kind)?.[1] || "Message";
}
