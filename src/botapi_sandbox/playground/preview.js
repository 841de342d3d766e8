// The card below a text with a link. Telegram shows the page's title and picture; this card shows only the address,
// because nothing is loaded from the link.

import { el } from "./dom.js";
import { safeUrl } from "./entities.js";

/** The URL for the card of `message`, or null: from its options, else the first web link in its text. */
export function previewedUrl(message) {
  const options = message.link_preview_options ?? {};
  if (options.is_disabled || message.text === undefined) return null;
  const links = (message.entities ?? []).filter((entity) => entity.type === "url" || entity.type === "text_link").sort((a, b) => a.offset - b.offset)
    .map((entity) => entity.url ?? message.text.slice(entity.offset, entity.offset + entity.length));
  const addresses = [options.url, ...links].filter(Boolean).map(safeUrl);
  return addresses.find((url) => url && /^https?:/.test(url)) ?? null;
}

/** The card, or null. `actions`: {openLink(url, label)}. */
export function linkPreview(message, actions) {
  const url = previewedUrl(message);
  if (!url) return null;
  const { host, pathname, search } = new URL(url);
  const path = pathname === "/" && !search ? "" : readable(pathname + search);
  const follow = (event) => {
    event.preventDefault();
    actions.openLink(url, null);
  };
  return el("a", { class: "link-preview", href: url, target: "_blank", rel: "noopener noreferrer", data: { testid: "link-preview" }, on: { click: follow } },
    el("b", { dir: "ltr" }, host.replace(/^www\./, "")), path && el("span", { dir: "ltr" }, path));
}

function readable(path) {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
