// Formatted text in both directions: Bot API entities to DOM nodes, and an edited DOM back to text with entities.
// Offsets are UTF-16 units, as in JavaScript strings.

import { el } from "./dom.js";

const TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", expandable_blockquote: "blockquote" };
const SAFE_PROTOCOLS = new Set(["http:", "https:", "tg:", "mailto:", "tel:", "ton:"]);

/** The URL if a link to it is safe, else null: schemes such as `javascript:` never become an href. */
export function safeUrl(text) {
  const candidate = /^[a-z][a-z0-9+.-]*:/i.test(text) ? text : `https://${text}`;
  try {
    const url = new URL(candidate);
    return SAFE_PROTOCOLS.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * Nodes for `text` with `entities`. `actions`: {openLink(url, label), sendCommand(text), copy(text)};
 * without actions, for the editor, the result is plain formatting that `readEditor` can read.
 */
export function renderEntities(text, entities, actions) {
  const sorted = (entities ?? []).map((entity) => ({ ...entity, end: entity.offset + entity.length }))
    .filter((entity) => entity.length > 0 && entity.offset >= 0 && entity.end <= text.length)
    .sort((a, b) => a.offset - b.offset || b.end - a.end);
  return build(text, 0, text.length, sorted, actions);
}

// Entities are nested by offset. One that goes beyond its parent is split at the parent's end, as in Telegram's clients.
function build(text, start, end, entities, actions) {
  const nodes = [];
  let position = start;
  let rest = entities;
  while (rest.length > 0) {
    const [first, ...others] = rest;
    if (first.offset > position) nodes.push(between(text.slice(position, first.offset), nodes));
    const inside = [];
    const after = [];
    for (const entity of others) {
      if (entity.offset >= first.end) after.push(entity);
      else if (entity.end <= first.end) inside.push(entity);
      else {
        inside.push({ ...entity, end: first.end });
        after.push({ ...entity, offset: first.end });
      }
    }
    nodes.push(wrap(first, text.slice(first.offset, first.end), build(text, first.offset, first.end, inside, actions), actions));
    position = first.end;
    rest = after;
  }
  if (position < end) nodes.push(between(text.slice(position, end), nodes));
  return nodes;
}

// A block ends its own line, so a line break after it would show as an empty line.
function between(text, before) {
  const last = before.at(-1);
  return last instanceof HTMLElement && /^(BLOCKQUOTE|FIGURE|PRE)$/.test(last.nodeName) ? text.replace(/^\n/, "") : text;
}

function wrap(entity, covered, children, actions) {
  const { type } = entity;
  if (type === "spoiler") return spoiler(children, actions);
  if (type === "pre") return pre(entity, covered, children, actions);
  if (type === "code") return el("code", actions && { title: "Copy", class: "copyable", on: { click: () => actions.copy(covered) } }, children);
  if (type === "expandable_blockquote" && actions) return expandable(children);
  if (TAGS[type]) return el(TAGS[type], {}, children);
  if (type === "text_link") return link(entity.url, covered, children, actions);
  if (!actions) return el("span", {}, children);
  if (type === "url") return link(covered, covered, children, actions);
  if (type === "email") return link(`mailto:${covered}`, covered, children, actions);
  if (type === "phone_number") return link(`tel:${covered}`, covered, children, actions);
  if (type === "mention") return link(`https://t.me/${covered.slice(1)}`, covered, children, actions);
  if (type === "bot_command") {
    return el("button", { type: "button", class: "inline-link", dir: "ltr", on: { click: () => actions.sendCommand(covered) } }, children);
  }
  if (type === "text_mention") return el("span", { class: "mention", title: `Mentions the person ${entity.user?.first_name ?? ""} (id ${entity.user?.id})` }, children);
  if (type === "custom_emoji") return el("span", { class: "custom-emoji", title: `Custom emoji ${entity.custom_emoji_id}` }, children);
  if (type === "hashtag" || type === "cashtag") return el("span", { class: "hashtag" }, children);
  if (type === "date_time") return el("time", { title: new Date(entity.unix_time * 1000).toLocaleString() }, children);
  return el("span", {}, children);
}

function link(target, label, children, actions) {
  const href = safeUrl(target);
  if (!href) return el("span", { class: "bad-link", title: "This link leads nowhere" }, children);
  if (!actions) return el("a", { href }, children);
  const follow = (event) => {
    event.preventDefault();
    actions.openLink(href, label);
  };
  return el("a", { href, target: "_blank", rel: "noopener noreferrer", on: { click: follow } }, children);
}

function spoiler(children, actions) {
  if (!actions) return el("span", { class: "spoiler revealed", data: { entity: "spoiler" } }, children);
  const reveal = (event) => {
    if (node.classList.contains("revealed")) return;
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    node.classList.add("revealed");
    node.removeAttribute("role");
    node.removeAttribute("aria-label");
  };
  const node = el("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": "Hidden text: reveal", on: { click: reveal, keydown: reveal } }, el("span", {}, children));
  return node;
}

function pre(entity, covered, children, actions) {
  if (!actions) return el("pre", {}, children);
  const copy = el("button", { type: "button", class: "pre-copy", on: { click: () => actions.copy(covered) } }, "Copy");
  return el("figure", { class: "pre" }, el("figcaption", {}, entity.language || "code", copy), el("pre", {}, children));
}

function expandable(children) {
  const quote = el("blockquote", { class: "folded" }, children);
  const toggle = el("button", { type: "button", class: "unfold", "aria-expanded": "false", on: { click: () => {
    const folded = quote.classList.toggle("folded");
    toggle.textContent = folded ? "Show more" : "Show less";
    toggle.setAttribute("aria-expanded", String(!folded));
  } } }, "Show more");
  quote.append(toggle);
  return quote;
}

const TYPES = { B: "bold", STRONG: "bold", I: "italic", EM: "italic", U: "underline", S: "strikethrough", STRIKE: "strikethrough",
  DEL: "strikethrough", CODE: "code", PRE: "pre", BLOCKQUOTE: "blockquote", A: "text_link" };
const BLOCKS = new Set(["DIV", "P", "PRE", "BLOCKQUOTE", "LI"]);

/** The content of an editor: {text, entities}, trimmed as Telegram trims a message. */
export function readEditor(root) {
  let text = "";
  const entities = [];
  let blockEnded = false;
  const walk = (node) => {
    const block = node !== root && BLOCKS.has(node.nodeName);
    if ((block || (blockEnded && (node.data || node.nodeName === "BR"))) && text && !text.endsWith("\n")) text += "\n";
    if (block || node.data || node.nodeName === "BR") blockEnded = false;
    if (node.nodeType === Node.TEXT_NODE) {
      text += node.data.replaceAll("\u00a0", " ").replaceAll("\u200b", "");
      return;
    }
    if (node.nodeName === "BR") {
      text += "\n";
      return;
    }
    const offset = text.length;
    for (const child of node.childNodes) walk(child);
    const type = node.dataset?.entity ?? TYPES[node.nodeName];
    if (node !== root && type && text.length > offset) {
      entities.push({ type, offset, length: text.length - offset, ...(type === "text_link" && { url: node.href }) });
    }
    if (block) blockEnded = true;
  };
  walk(root);
  return trim(text, merge(entities));
}

function merge(entities) {
  const merged = [];
  for (const entity of entities.sort((a, b) => a.offset - b.offset || b.length - a.length)) {
    const before = merged.findLast((other) => other.type === entity.type && other.url === entity.url);
    if (before && before.offset + before.length >= entity.offset) {
      before.length = Math.max(before.length, entity.offset + entity.length - before.offset);
    } else merged.push(entity);
  }
  return merged;
}

function trim(text, entities) {
  const trimmed = text.trim();
  const cut = text.length - text.trimStart().length;
  const kept = entities.map((entity) => {
    const start = Math.max(entity.offset - cut, 0);
    const end = Math.min(entity.offset + entity.length - cut, trimmed.length);
    return { ...entity, offset: start, length: end - start };
  });
  return { text: trimmed, entities: kept.filter((entity) => entity.length > 0) };
}
