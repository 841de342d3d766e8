// The attach menu and its sheets. Each one calls `out.upload({kind, file, …})`, `out.album([…])` or `out.content({…})` at the end.

import { el, replace } from "./dom.js";
import { icon } from "./icons.js";
import * as samples from "./samples.js";
import { humanSize } from "./media.js";

const MOST_IN_ALBUM = 10; // Telegram's limit for a media group

const FILE_KINDS = {
  gallery: { label: "Photo or video", image: "image", accept: "image/*,video/*", many: true, tint: "#3383dc",
    samples: [["A sample photo", "photo", samples.samplePhoto], ["A sample video (two seconds)", "video", () => samples.sampleVideo("sunrise")]] },
  document: { label: "File", image: "file", accept: "", many: true, tint: "#5b7fd8", samples: [["A sample text file", "document", samples.sampleFile]] },
  voice: { label: "Voice", image: "mic", accept: "audio/*", tint: "#e0646b", samples: [["A sample tune (three seconds)", "voice", samples.sampleVoice]] },
  video_note: { label: "Video message", image: "round", accept: "video/*", tint: "#9a74dd", samples: [["A sample (two seconds)", "video_note", () => samples.sampleVideo("round", "square")]] },
  audio: { label: "Music", image: "music", accept: "audio/*", tint: "#c9701f", samples: [["A sample tune", "audio", samples.sampleAudio]] },
  animation: { label: "GIF", image: "gif", accept: "image/gif,video/*", tint: "#2a8c72", samples: [["A sample (two seconds)", "animation", () => samples.sampleVideo("loop")]] },
};

const PLACES = [["Lisbon, by the river", 38.7071, -9.1366], ["Kyoto, Gion", 35.0037, 135.7788], ["Nairobi, Uhuru Park", -1.2892, 36.8172], ["Reykjavík, harbour", 64.1515, -21.942]];
const DICE = ["🎲", "🎯", "🏀", "⚽", "🎳", "🎰"];

export class Attach {
  /** `overlay` of the phone; `out` as above, plus stickers(); `person()` for the contact card. */
  constructor(overlay, out, person) {
    Object.assign(this, { overlay, out, person });
  }

  async open() {
    const tile = (key, label, image, tint) => ({ key, label, image, tint });
    const tiles = [
      ...Object.entries(FILE_KINDS).map(([key, kind]) => tile(key, kind.label, kind.image, kind.tint)),
      tile("sticker", "Sticker", "sticker", "#c65c8a"), tile("location", "Location", "pin", "#3c9448"), tile("contact", "Contact", "contact", "#2f89ab"),
      tile("poll", "Poll", "poll", "#b98115"), tile("dice", "Dice", "dice", "#6d7887"),
    ];
    const chosen = await this.overlay.ask({ title: "Attach", testid: "attach-menu", body: (done) => el("div", { class: "tiles" }, tiles.map((each) => el("button", {
      type: "button", class: "attach-tile", data: { testid: `attach-${each.key}` }, on: { click: () => done(each.key) },
    }, el("span", { class: "attach-icon", style: { "--tint": each.tint } }, icon(each.image, 24)), each.label))) });
    if (!chosen) return;
    if (chosen === "sticker") this.out.stickers();
    else if (FILE_KINDS[chosen]) await this.source(chosen);
    else await this[chosen]();
  }

  /** Ask for the source of a file: this computer, a sample, or the microphone. */
  async source(key) {
    const kind = FILE_KINDS[key];
    const options = [{ label: kind.many ? "Choose files" : "Choose a file", image: "download", testid: "source-pick", run: () => this.#pick(key) },
      ...kind.samples.map(([label, as, make]) => ({ label, image: kind.image, testid: `source-sample-${as}`, run: () => this.#sample(as, make) }))];
    if (key === "voice" && navigator.mediaDevices?.getUserMedia) options.push({ label: "Record", image: "mic", testid: "source-record", run: () => this.#record() });
    const chosen = await this.overlay.ask({ title: kind.label, testid: "source", body: (done) => el("div", { class: "options" }, options.map((option) => el("button", {
      type: "button", class: "option", data: { testid: option.testid }, on: { click: () => done(option) },
    }, icon(option.image), el("span", {}, option.label)))) });
    await chosen?.run();
  }

  #pick(key) {
    const kind = FILE_KINDS[key];
    const input = el("input", { type: "file", accept: kind.accept || null, multiple: Boolean(kind.many), on: { change: () => this.offer([...input.files], key) } });
    input.click();
  }

  async #sample(kind, make) {
    this.overlay.tell("Preparing…");
    try {
      const file = await make();
      this.overlay.hush();
      await this.out.upload({ kind, file });
    } catch (error) {
      this.overlay.tell(`That didn't work: ${error.message}`);
    }
  }

  async #record() {
    let stop;
    const stopped = new Promise((resolve) => { stop = resolve; });
    const recording = samples.recordVoice(stopped);
    recording.catch(() => this.overlay.close("failed"));
    const chosen = await this.overlay.ask({ title: "Recording…", body: () => el("p", { class: "recording" }, "Speak now."), actions: [{ label: "Cancel", value: null }, { label: "Send", value: "send", kind: "main" }] });
    stop();
    try {
      const file = await recording;
      if (chosen === "send") await this.out.upload({ kind: "voice", file });
    } catch {
      this.overlay.tell("This page can't use the microphone.");
    }
  }

  /** Preview files that were picked, dropped or pasted, with a caption, and send them. `key` is one of FILE_KINDS. */
  async offer(files, key = "gallery") {
    if (files.length === 0) return;
    const chosen = files.slice(0, MOST_IN_ALBUM);
    const urls = chosen.map((file) => URL.createObjectURL(file));
    const visual = key === "gallery" && chosen.every((file) => /^(image|video)\//.test(file.type));
    const captioned = !["video_note"].includes(key);
    const caption = captioned && el("input", { class: "field", type: "text", dir: "auto", placeholder: "Add a caption…", "aria-label": "Caption", maxlength: 1024, data: { testid: "caption" } });
    const [spoiler, spoilerBox] = toggle("Hide with a spoiler", "spoiler");
    const [asFile, asFileBox] = toggle("Send as a file", "as-file");
    const read = () => ({ caption: caption ? caption.value.trim() : "", spoiler: spoiler.checked, asFile: asFile.checked });
    const answer = await this.overlay.ask({
      title: chosen.length === 1 ? "Send this?" : `Send ${chosen.length} as an album?`, testid: "offer",
      body: () => [el("div", { class: `previews${chosen.length > 1 ? " many" : ""}` }, chosen.map((file, index) => preview(file, urls[index]))), visual && el("div", { class: "toggles" }, spoilerBox, asFileBox), caption],
      actions: [{ label: "Cancel", value: null }, { label: "Send", value: read, kind: "main", testid: "offer-send" }],
    });
    urls.forEach((url) => URL.revokeObjectURL(url));
    if (!answer) return;
    if (files.length > MOST_IN_ALBUM) this.overlay.tell(`Albums have up to ${MOST_IN_ALBUM} items, so only the first ${MOST_IN_ALBUM} were sent.`);
    const items = chosen.map((file, index) => ({
      kind: kindOfFile(file, key, answer.asFile), file, caption: index === 0 ? answer.caption : "", has_spoiler: visual && answer.spoiler && !answer.asFile,
    }));
    await this.#sendAll(items);
  }

  // In an album, Telegram mixes photos and videos, but no other kinds. Animations are always sent alone.
  async #sendAll(items) {
    const groups = new Map();
    for (const item of items) {
      const group = item.kind === "photo" || item.kind === "video" ? "visual" : item.kind === "animation" ? item : item.kind;
      groups.set(group, [...(groups.get(group) ?? []), item]);
    }
    for (const group of groups.values()) await (group.length > 1 ? this.out.album(group) : this.out.upload(group[0]));
  }

  async location() {
    const [latitude, longitude] = [number("Latitude", PLACES[0][1], 90), number("Longitude", PLACES[0][2], 180)];
    const fill = (place) => { [latitude.value, longitude.value] = [place[1], place[2]]; };
    await this.#form("Location", [el("div", { class: "choices" }, PLACES.map((place) => el("button", { type: "button", class: "choice", on: { click: () => fill(place) } }, place[0]))), el("div", { class: "pair" }, latitude, longitude)],
      () => ({ location: { latitude: Number(latitude.value), longitude: Number(longitude.value) } }));
  }

  async contact() {
    const me = this.person();
    const [name, phone] = [field("First name", me.first_name), field("Phone number", "+351 900 000 000")];
    await this.#form("Contact", [name, phone], () => ({ contact: { phone_number: phone.value, first_name: name.value } }));
  }

  async poll() {
    const question = field("Question", "");
    const options = el("div", { class: "fields" });
    const add = () => options.children.length < 12 && options.append(field(`Option ${options.children.length + 1}`, "", options.children.length < 2));
    add();
    add();
    const [many, manyBox] = toggle("Allow several answers", "many");
    await this.#form("Poll", [question, options, el("button", { type: "button", class: "choice", on: { click: add } }, "Add an option"), manyBox], () => {
      const texts = [...options.children].map((input) => input.value.trim()).filter(Boolean);
      return { poll: { question: question.value, options: texts.map((text) => ({ text })), type: "regular", is_anonymous: true, allows_multiple_answers: many.checked } };
    });
  }

  async dice() {
    const emoji = await this.overlay.ask({ title: "Try your luck", testid: "dice", body: (done) => el("div", { class: "emoji-row" }, DICE.map((each) => el("button", { type: "button", class: "emoji", "aria-label": `Send ${each}`, on: { click: () => done(each) } }, each))) });
    if (emoji) await this.out.content({ dice: { emoji } });
  }

  async #form(title, nodes, read) {
    const content = await this.overlay.ask({ title, testid: "form", body: () => el("div", { class: "fields" }, nodes), actions: [{ label: "Cancel", value: null }, { label: "Send", value: read, kind: "main", testid: "form-send" }] });
    if (content) await this.out.content(content);
  }
}

export function field(label, value, required = true) {
  return el("input", { class: "field", type: "text", dir: "auto", "aria-label": label, placeholder: label, value, required, autocomplete: "off" });
}

function number(label, value, bound) {
  return el("input", { class: "field", type: "number", step: "any", min: -bound, max: bound, "aria-label": label, placeholder: label, value, required: true });
}

function toggle(label, testid) {
  const box = el("input", { type: "checkbox", data: { testid } });
  return [box, el("label", { class: "toggle" }, box, el("span", {}, label))];
}

function kindOfFile(file, key, asFile) {
  if (key !== "gallery") return key;
  if (asFile) return "document";
  if (file.type === "image/gif") return "animation";
  if (file.type.startsWith("image/") && file.type !== "image/svg+xml") return "photo";
  return file.type.startsWith("video/") ? "video" : "document";
}

function preview(file, url) {
  const box = el("div", { class: "preview" });
  if (file.type.startsWith("image/")) replace(box, el("img", { src: url, alt: file.name }));
  else if (file.type.startsWith("video/")) replace(box, el("video", { src: url, muted: true, playsinline: true }));
  else replace(box, el("span", { class: "preview-file" }, icon("file"), el("b", { dir: "auto" }, file.name), el("span", {}, humanSize(file.size))));
  return box;
}
