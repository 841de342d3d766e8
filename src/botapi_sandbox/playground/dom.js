// Building DOM nodes. Text only ever becomes text nodes: nothing that a bot or a person wrote is parsed as HTML.

/**
 * Make an element: `el("button", {class: "x", "aria-label": "Send", on: {click: f}}, "Send", node)`.
 * Props: `on` holds listeners, `data` dataset entries, `style` custom properties; true sets an empty attribute;
 * null, undefined and false set nothing. Children: nodes, strings, arrays; null and false are skipped.
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

/** A button that is only an icon needs a name for those who do not see it. */
export function iconButton(image, label, onClick, props = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click: onClick }, ...props }, image);
}

const TINTS = ["#e8615a,#d14a62", "#f2a44b,#e2812f", "#9a7bea,#7a5bd6", "#63bd5c,#3f9d57", "#4fb6cf,#2f93bb", "#549ff0,#3377d6", "#ee7ab0,#d65593"];

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
