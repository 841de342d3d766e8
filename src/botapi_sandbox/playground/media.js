// Draws every kind of message content except text. The bytes come from the sandbox by file_id.

import { aside, el } from "./dom.js";
import { fileUrl } from "./api.js";
import { dieFace, icon } from "./icons.js";
import { renderEntities } from "./entities.js";

/** Nodes for `message`'s content; `kind` as from `kindOf`. `actions` as for `renderEntities`, and openPicture(url, name). */
export function renderMedia(kind, message, actions) {
  return RENDERERS[kind]?.(message[kind], message, actions) ?? null;
}

/** Kinds without a bubble around them. */
export const BARE_KINDS = new Set(["sticker", "video_note", "dice"]);

export const isVisual = (kind) => kind === "photo" || kind === "video" || kind === "animation" || kind === "live_photo";

export function humanSize(bytes) {
  if (!Number.isFinite(bytes)) return "";
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds || 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function frame(message, width, height, ...children) {
  const ratio = width && height ? Math.min(Math.max(width / height, 0.6), 2.4) : 4 / 3;
  const hidden = message.has_media_spoiler;
  const node = el("div", { class: `visual${hidden ? " veiled" : ""}`, style: { "--ratio": ratio.toFixed(3) } }, children);
  if (hidden) {
    const unveil = (event) => {
      event.stopPropagation();
      node.classList.remove("veiled");
      veil.remove();
    };
    const veil = el("button", { type: "button", class: "veil", "aria-label": "Hidden picture: reveal", data: { testid: "veil" }, on: { click: unveil } }, icon("eye", 26));
    node.append(veil);
  }
  return node;
}

function missing(event) {
  event.target.replaceWith(el("div", { class: "missing" }, icon("image", 28), "Not available"));
}

function picture(size, message, actions, name) {
  const url = fileUrl(size.file_id);
  const image = el("img", { src: url, alt: name, loading: "lazy", draggable: "false", on: { error: missing } });
  return frame(message, size.width, size.height, el("button", { type: "button", class: "picture", "aria-label": `Open ${name.toLowerCase()}`, on: { click: () => actions.openPicture(url, name) } }, image));
}

const largest = (sizes) => sizes.reduce((best, size) => (size.width * size.height > best.width * best.height ? size : best), sizes[0]);

function video(content, message, attributes, badge) {
  const player = el("video", { src: fileUrl(content.file_id), playsinline: true, preload: "metadata", ...attributes });
  player.muted = Boolean(attributes.muted);
  return frame(message, content.width, content.height, player, badge && el("span", { class: "badge" }, badge));
}

function animation(content, message, actions) {
  if (content.mime_type === "image/gif" || content.mime_type === "image/webp") return picture(content, message, actions, "GIF");
  return video(content, message, { autoplay: true, loop: true, muted: true }, "GIF");
}

function sticker(content) {
  const url = fileUrl(content.file_id);
  const fallback = (event) => event.target.replaceWith(el("span", { class: "sticker-fallback" }, content.emoji || "🖼"));
  if (content.is_animated) return el("div", { class: "sticker" }, el("span", { class: "sticker-fallback", title: "Animated sticker" }, content.emoji || "✨"));
  const common = { class: "sticker-image", on: { error: fallback } };
  return el("div", { class: "sticker" }, content.is_video
    ? el("video", { src: url, autoplay: true, loop: true, muted: true, playsinline: true, ...common })
    : el("img", { src: url, alt: `Sticker ${content.emoji ?? ""}`.trim(), draggable: "false", ...common }));
}

function videoNote(content) {
  const player = el("video", { src: fileUrl(content.file_id), playsinline: true, loop: true, preload: "metadata" });
  const toggle = () => (player.paused ? player.play().catch(() => {}) : player.pause());
  const button = el("button", { type: "button", class: "round-button", "aria-label": "Play the video message", on: { click: toggle } }, player, el("span", { class: "round-play" }, icon("play", 26)));
  player.addEventListener("play", () => button.classList.add("playing"));
  player.addEventListener("pause", () => button.classList.remove("playing"));
  return el("div", { class: "round" }, button, el("span", { class: "badge" }, clock(content.duration)));
}

// The bars depend on the file's unique id: the Bot API has no waveform, and the same file should always look the same.
function bars(seed, count) {
  let state = 7;
  for (const character of String(seed)) state = (state * 31 + character.codePointAt(0)) % 65521;
  return Array.from({ length: count }, (_, index) => {
    state = (state * 75 + 74) % 65537;
    const swell = 0.55 + 0.45 * Math.sin((index / count) * Math.PI * 3 + (state % 7) / 7);
    return Math.round(18 + 82 * swell * (0.45 + 0.55 * ((state % 100) / 100)));
  });
}

function player(content, title, under, wave) {
  const sound = new Audio();
  sound.preload = "metadata";
  sound.src = fileUrl(content.file_id);
  const length = () => (Number.isFinite(sound.duration) ? sound.duration : content.duration);
  const time = el("span", { class: "sound-time" }, clock(content.duration));
  const progress = el("div", { class: wave ? "wave" : "track" }, wave ? bars(content.file_unique_id, 34).map((height) => el("i", { style: { "--height": `${height}%` } })) : null);
  const button = el("button", { type: "button", class: "sound-button", "aria-label": `Play ${title}`, data: { testid: "play" }, on: { click: () => (sound.paused ? sound.play().catch(failed) : sound.pause()) } }, icon("play", 20));
  const failed = () => { time.textContent = "Can't play this here"; };
  const draw = () => {
    button.replaceChildren(icon(sound.paused ? "play" : "pause", 20));
    button.setAttribute("aria-label", `${sound.paused ? "Play" : "Pause"} ${title}`);
  };
  sound.addEventListener("loadedmetadata", () => { time.textContent = clock(length()); });
  sound.addEventListener("play", draw);
  sound.addEventListener("pause", draw);
  sound.addEventListener("error", failed);
  sound.addEventListener("timeupdate", () => {
    const share = length() ? sound.currentTime / length() : 0;
    progress.style.setProperty("--share", String(share));
    progress.querySelectorAll("i").forEach((bar, index, all) => bar.classList.toggle("past", index / all.length < share));
    time.textContent = clock(sound.ended ? length() : sound.currentTime);
  });
  sound.addEventListener("ended", () => {
    progress.querySelectorAll("i").forEach((bar) => bar.classList.remove("past"));
    progress.style.setProperty("--share", "0");
  });
  return el("div", { class: "sound" }, button, el("div", { class: "sound-body" }, under, progress, time));
}

function audio(content) {
  const title = content.title || content.file_name || "Audio";
  return player(content, title, el("div", { class: "sound-title" }, el("b", { dir: "auto" }, title), content.performer && el("span", { dir: "auto" }, content.performer)), false);
}

function document_(content) {
  const name = content.file_name || "File";
  const extension = name.includes(".") ? name.split(".").at(-1).slice(0, 4) : "";
  return el("a", { class: "file", href: fileUrl(content.file_id), download: name },
    el("span", { class: "file-icon", "aria-hidden": "true" }, extension ? el("span", {}, extension) : icon("file")),
    el("span", { class: "file-words" }, el("b", { dir: "auto" }, aside("Download "), name), el("span", {}, [humanSize(content.file_size), content.mime_type].filter(Boolean).join(" · "))));
}

function map(place, title, under) {
  const words = `${place.latitude.toFixed(4)}, ${place.longitude.toFixed(4)}`;
  const href = `https://www.openstreetmap.org/?mlat=${place.latitude}&mlon=${place.longitude}#map=14/${place.latitude}/${place.longitude}`;
  // The map is only a drawing, because the page loads nothing from the internet.
  return el("a", { class: "place", href, target: "_blank", rel: "noopener noreferrer" }, el("span", { class: "map" }, el("span", { class: "map-pin" }, icon("pin", 34))),
    el("span", { class: "place-words" }, el("b", { dir: "auto" }, title), el("span", {}, under || words)));
}

function contact(content) {
  const name = [content.first_name, content.last_name].filter(Boolean).join(" ");
  return el("div", { class: "contact" }, el("span", { class: "contact-icon" }, icon("contact")), el("span", { class: "file-words" }, el("b", { dir: "auto" }, name), el("span", {}, content.phone_number)));
}

function poll(content, message, actions) {
  const total = content.total_voter_count || 0;
  const line = (option, index) => {
    const share = total ? Math.round((option.voter_count / total) * 100) : 0;
    const words = [el("span", { class: "poll-share" }, total ? `${share}%` : ""), el("span", { dir: "auto" }, renderEntities(option.text, option.text_entities, actions))];
    return el("li", { style: { "--share": `${share}%` } }, el("button", { type: "button", class: "poll-option", disabled: content.is_closed, "aria-pressed": String(option.voter_count > 0), data: { testid: "poll-option" }, on: { click: () => actions.vote(message, index) } }, words));
  };
  const nature = [content.is_anonymous === false ? "Public" : "Anonymous", content.type === "quiz" ? "quiz" : "poll"].join(" ");
  return el("div", { class: "poll" }, el("b", { dir: "auto" }, renderEntities(content.question, content.question_entities, actions)), el("span", { class: "poll-kind" }, content.is_closed ? `${nature} · closed` : nature),
    el("ul", {}, content.options.map(line)), el("span", { class: "poll-kind" }, total ? `${total} voted` : "No votes yet"));
}

function dice(content) {
  const face = content.emoji === "🎲" ? dieFace(content.value) : el("span", { class: "dice-emoji" }, content.emoji);
  return el("div", { class: "dice", role: "img", "aria-label": `${content.emoji} shows ${content.value}` }, face, content.emoji !== "🎲" && el("span", { class: "dice-value" }, content.value));
}

function invoice(content) {
  const price = content.currency === "XTR" ? `⭐ ${content.total_amount}` : `${(content.total_amount / 100).toFixed(2)} ${content.currency}`;
  return el("div", { class: "invoice" }, el("b", { dir: "auto" }, content.title), el("p", { dir: "auto" }, content.description), el("span", { class: "price" }, price));
}

function checklist(content, _message, actions) {
  return el("div", { class: "poll" }, el("b", { dir: "auto" }, renderEntities(content.title, content.title_entities, actions)), el("span", { class: "poll-kind" }, "Checklist"),
    el("ul", { class: "tasks" }, content.tasks.map((task) => el("li", { class: task.completion_date ? "done" : "" }, el("span", { dir: "auto" }, task.text)))));
}

const RENDERERS = {
  photo: (sizes, message, actions) => picture(largest(sizes), message, actions, "Photo"),
  live_photo: (content, message) => video(content, message, { loop: true, muted: true, autoplay: true }, "LIVE"),
  video: (content, message) => video(content, message, { controls: true }),
  animation, sticker, video_note: videoNote,
  voice: (content) => player(content, "the voice message", null, true),
  audio, document: document_, location: (place) => map(place, place.live_period ? "Live location" : "Location"),
  venue: (venue) => map(venue.location, venue.title, venue.address),
  contact, poll, dice, invoice, checklist,
};
