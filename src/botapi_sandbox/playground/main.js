// The page: phones side by side, one event stream for all of them, and the data that a reload keeps.

import { aside, el, iconButton, avatar } from "./dom.js";
import { icon } from "./icons.js";
import { api } from "./api.js";
import { Live } from "./live.js";
import { Overlay } from "./sheet.js";
import { botsMenu } from "./menus.js";
import { Phone } from "./phone.js";
import * as roster from "./roster.js";

const FIRST_PHONES = 2;
const LOOK_FOR_BOTS_MS = 2000;
const CALM_MS = 700; // a shorter interruption is not shown

const place = document.getElementById("phones");
const banner = document.getElementById("banner");
const switcher = document.getElementById("switcher");
const narrow = matchMedia("(max-width: 760px)"); // the same width as in the style sheets
const phones = [];
let bots = [];
let shown = null;
let bannerTimer = null;

const overlay = new Overlay(document.getElementById("over"), place);

const page = {
  bots: () => bots,
  /** Load the bots again, because one may have set new commands. Without an answer, keep the old list. */
  async refresh() {
    bots = await api.bots().catch(() => bots);
  },
  changed(keep = false) {
    if (keep) keepRoster();
    drawSwitcher();
  },
  remove(phone) {
    phones.splice(phones.indexOf(phone), 1);
    phone.node.remove();
    keepRoster();
    show(phones[0]);
    live.restart();
  },
};

const live = new Live({
  prepare,
  onEvent(event) {
    const phone = phones.find((each) => each.person.id === event.person);
    if (event.type === "message" && !event.message.outgoing && phone && phone !== shown && narrow.matches) phone.fresh += 1;
    phone?.apply(event);
  },
  onOpen() {
    if (bots.length > 0) say(null);
    for (const phone of phones) phone.sync().catch(() => {});
  },
  onLost: () => say("Reconnecting…"),
});

/** Load the bots, and make the people again if the sandbox was reset. */
async function prepare() {
  bots = await api.bots();
  if (bots.length === 0) {
    say("No bots yet. Waiting for one…");
    setTimeout(() => live.restart(), LOOK_FOR_BOTS_MS);
    return [];
  }
  const known = new Set((await api.people()).map((person) => person.id));
  for (const phone of phones) {
    if (!bots.some((bot) => bot.id === phone.record.bot)) phone.record.bot = botFor(phone.record.n);
    if (known.has(phone.person.id)) continue;
    const { first_name, language_code } = phone.person;
    phone.record.person = await api.addPerson({ first_name, language_code });
    phone.forget();
  }
  keepRoster();
  return phones.map((phone) => phone.person.id);
}

const botFor = (n) => bots[(n - 1) % bots.length]?.id ?? 0;

function keepRoster() {
  roster.save(phones.map((phone) => phone.record));
}

function say(words) {
  clearTimeout(bannerTimer);
  if (words === null) {
    banner.hidden = true;
    return;
  }
  bannerTimer = setTimeout(() => {
    banner.textContent = words;
    banner.hidden = false;
  }, CALM_MS);
}

function mount(record) {
  const phone = new Phone(record, page);
  phones.push(phone);
  place.insertBefore(phone.node, addCard);
  return phone;
}

/** Ask for the bot of a new phone, if there are several. */
async function choosePhone(event) {
  const button = event.currentTarget;
  await page.refresh();
  if (bots.length < 2) await addPhone(bots[0]?.id ?? 0);
  else botsMenu(overlay, button, bots, addPhone);
}

async function addPhone(bot) {
  if (phones.length >= roster.MOST_PHONES) return;
  addButton.disabled = addCard.disabled = true;
  const n = roster.freeNumber(phones.map((phone) => phone.record));
  try {
    const person = await api.addPerson({ first_name: roster.defaultName(n), language_code: "en" });
    const phone = mount({ n, person, bot });
    keepRoster();
    show(phone);
    await live.restart();
  } catch {
    say("Reconnecting…");
  } finally {
    addButton.disabled = addCard.disabled = false;
    drawSwitcher();
  }
}

/** Bring a phone to the front. On a large screen, only scroll it into view. */
function show(phone) {
  shown = phone ?? null;
  for (const each of phones) each.node.classList.toggle("shown", each === shown);
  if (shown) shown.fresh = 0;
  drawSwitcher();
  if (phone && phones.length > FIRST_PHONES) phone.node.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "smooth" });
}

function drawSwitcher() {
  const full = phones.length >= roster.MOST_PHONES;
  addCard.hidden = phones.length > FIRST_PHONES;
  addButton.hidden = full;
  const tabs = phones.map((phone) => el("button", { type: "button", class: "switch", "aria-pressed": String(phone === shown), data: { testid: `tab-${phone.record.n}` }, on: { click: () => show(phone) } },
    avatar(phone.person.id, phone.person.first_name, 24), el("span", { dir: "auto" }, phone.person.first_name), phone !== shown && phone.fresh > 0 && el("span", { class: "count" }, String(phone.fresh))));
  switcher.replaceChildren(...tabs, ...(full ? [] : [iconButton(icon("plus", 20), "Add a phone", choosePhone, { "aria-haspopup": "menu", data: { testid: "tab-add" } })]));
}

// A large second button for a new phone, while there is room. The one in the header is always there.
const addCard = el("button", { type: "button", class: "add-card", "aria-haspopup": "menu", on: { click: choosePhone } },
  el("span", { class: "add-plus" }, icon("plus", 26)), el("b", {}, "Add a phone"), el("span", {}, "One more person, with any bot"));
const addButton = el("button", { type: "button", class: "top-button", "aria-haspopup": "menu", data: { testid: "add-phone" }, on: { click: choosePhone } }, icon("plus", 18), el("span", {}, "Add a phone"));

function tools() {
  const address = location.origin;
  const copy = async () => {
    await navigator.clipboard.writeText(address).catch(() => {});
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = address; }, 1200);
  };
  const label = el("code", {}, address);
  return el("button", { type: "button", class: "address-chip", title: "Copy the address", data: { testid: "bot-api" }, on: { click: copy } }, el("span", {}, "Bot API"), label, aside(": copy the address"), icon("copy", 15));
}

async function open() {
  document.getElementById("tools").append(tools(), addButton);
  place.append(addCard);
  for (const record of roster.load()) mount(record);
  if (phones.length === 0) {
    // Only the server knows the ids of the bots. prepare() assigns them to the phones.
    for (let n = 1; n <= FIRST_PHONES; n += 1) mount({ n, person: { id: 0, first_name: roster.defaultName(n), language_code: "en" }, bot: 0 });
  }
  show(phones[0]);
  await live.restart();
}

open();
