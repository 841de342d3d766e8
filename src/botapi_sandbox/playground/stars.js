// A person's Stars: the balance, what they paid, and their subscriptions, with what Telegram or they can do about them.

import { api } from "./api.js";
import { el } from "./dom.js";

const MORE = 1000;

export const price = (stars) => `⭐ ${stars.toLocaleString("en")}`;

const day = (seconds) => new Date(seconds * 1000).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });

/** Show the sheet. It opens again after each action, with what has changed. */
export async function showStars(phone) {
  const { overlay, person, page } = phone;
  for (;;) {
    const found = await phone.calls.attempt(() => api.stars(person.id));
    if (!found) return;
    const bot = (id) => page.bots().find((each) => each.id === id)?.first_name ?? "a bot";
    const act = await overlay.ask({
      title: `${price(found.stars)} Stars`, testid: "stars",
      body: (done) => [
        el("p", {}, "These aren't real Stars. What you do here, Telegram or the person does without the bot."),
        el("div", { class: "options" },
          choice(done, `Add ${price(MORE)}`, () => api.setStars(person.id, found.stars + MORE), "stars-more"),
          found.stars > 0 && choice(done, "Spend them all elsewhere", () => api.setStars(person.id, 0), "stars-none"),
          found.subscriptions.map((each) => subscription(done, person, each, bot(each.bot))),
          found.payments.slice(-5).reverse().map((each) => payment(done, person, each, bot(each.bot)))),
      ],
      actions: [{ label: "Close", value: null, kind: "main" }],
    });
    if (!act) return;
    const result = await phone.calls.attempt(act);
    if (result?.done === false) await overlay.alert("That isn't possible now: too few Stars, or it's over, or the bot has cancelled it.");
  }
}

function choice(done, label, act, testid) {
  return el("button", { type: "button", class: "option", data: { testid }, on: { click: () => done(act) } }, label);
}

function subscription(done, person, each, bot) {
  const can = each.state === "active" || each.state === "failed";
  return [
    el("p", { class: "hint", dir: "auto" }, `${each.title}, ${bot}: ${price(each.stars)} every 30 days, ${each.state}, until ${day(each.until)}`),
    can && choice(done, "Renew it now", () => api.renew(person.id, each.subscription), "stars-renew"),
    can && choice(done, "Cancel it in the settings", () => api.cancel(person.id, each.subscription), "stars-cancel"),
    each.state === "cancelled" && choice(done, "Take it up again", () => api.resume(person.id, each.subscription), "stars-resume"),
  ];
}

function payment(done, person, each, bot) {
  const words = `${each.title}, ${bot}: ${price(each.stars)} on ${day(each.paid_at)}`;
  return [
    el("p", { class: "hint", dir: "auto" }, each.refunded ? `${words}, given back` : words),
    !each.refunded && choice(done, "Telegram gives it back", () => api.refund(person.id, each.charge), "stars-refund"),
  ];
}
