// Builds DOM nodes. Text always becomes text nodes, so the words of bots and people are never parsed as HTML.

/**
 * Make an element: `el("button", {class: "x", "aria-label": "Send", on: {click: f}}, "Send", node)`.
 * Props: `on` has listeners, `data` dataset entries, `style` custom properties. True sets an empty attribute; null,
 * undefined and false set nothing. Children: nodes, strings, arrays. Null and false are skipped.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "style") for (const [key, part] of Object.entries(value)) node.style.setProperty(key, part);
    else node.setAttribute(name, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/** Words for screen readers only. They follow the visible words in the same name. */
export const aside = (words) => el("span", { class: "heard" }, words);

/** A button with only an icon. `name` is for screen readers. */
export function iconButton(image, label, onClick, props = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click: onClick }, ...props }, image);
}

// White text has a contrast of at least 4.5 on each of these.
const TINTS = ["#c9443d,#ae3348", "#a95c12,#8f4c0c", "#7a5bd6,#6342bd", "#2f8548,#22703c", "#1f7f9c,#156782", "#2f70cf,#2259b0", "#c4457f,#a63068"];

/** A round avatar with initials, tinted by id as Telegram does when there is no photo. */
export function avatar(id, name, size = 40) {
  const words = String(name || "?").trim().split(/\s+/);
  const initials = words.slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
  const [from, to] = TINTS[Math.abs(Number(id) || 0) % TINTS.length].split(",");
  return el("span", { class: "avatar", "aria-hidden": "true", style: { "--size": `${size}px`, "--from": from, "--to": to } }, initials);
}

export function plural(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}
