// Everything that opens over a phone: sheets (dialogs), toasts, the picture viewer and pop-up menus. They stay inside
// the phone, because on this page the phone is the screen.

import { append, el, iconButton } from "./dom.js";
import { icon } from "./icons.js";

const TOAST_MS = 3200;

export class Overlay {
  #open = null;

  /** `screen`: the phone's screen; `content`: the part that cannot be used while a sheet is open. */
  constructor(screen, content) {
    this.screen = screen;
    this.content = content;
    this.toasts = el("div", { class: "toasts", role: "status", "aria-live": "polite" });
    screen.append(this.toasts);
  }

  get isOpen() {
    return this.#open !== null;
  }

  tell(words) {
    const toast = el("div", { class: "toast", data: { testid: "toast" }, dir: "auto" }, words);
    this.toasts.replaceChildren(toast);
    setTimeout(() => toast.remove(), TOAST_MS);
  }

  hush() {
    this.toasts.replaceChildren();
  }

  close(result) {
    this.#open?.(result);
  }

  /**
   * Show a sheet. Resolves to the `value` of the chosen action, or to null if the sheet is dismissed.
   * `actions`: [{label, value, kind?: "main"|"danger"|"quiet"}]; `value` may be a function that reads the form
   * (returning undefined keeps the sheet open). `body(done)` returns nodes.
   */
  ask({ title, body, actions = [], testid, role = "dialog", wide = false }) {
    this.close(null);
    const before = document.activeElement;
    return new Promise((resolve) => {
      const done = (result) => {
        if (this.#open !== done) return;
        this.#open = null;
        shade.classList.add("leaving");
        setTimeout(() => shade.remove(), 160);
        this.content.inert = false;
        if (before?.isConnected && this.screen.contains(before)) before.focus({ preventScroll: true });
        resolve(result);
      };
      const choose = (action) => {
        const value = typeof action.value === "function" ? action.value() : action.value;
        if (value !== undefined) done(value);
      };
      const buttons = actions.map((action) => el("button", {
        type: action.kind === "main" ? "submit" : "button", class: `sheet-button ${action.kind ?? "quiet"}`, data: { testid: action.testid ?? `sheet-${action.label.toLowerCase().replaceAll(/\W+/g, "-")}` },
        on: action.kind === "main" ? {} : { click: () => choose(action) },
      }, action.label));
      const main = actions.find((action) => action.kind === "main");
      // Not aria-modal, because the other phones stay usable.
      const form = el("form", { class: "sheet-form", on: { submit: (event) => {
        event.preventDefault();
        if (main) choose(main);
      } } }, el("h2", { dir: "auto" }, title));
      append(form, [body?.(done), buttons.length > 0 && el("div", { class: "sheet-actions" }, buttons)]);
      const sheet = el("div", { class: `sheet${wide ? " wide" : ""}`, role, "aria-label": title, tabindex: "-1", data: { testid: testid ?? "sheet" } }, form);
      const shade = el("div", { class: "shade", on: {
        pointerdown: (event) => event.target === shade && done(null),
        keydown: (event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          done(null);
        },
      } }, sheet);
      this.#open = done;
      this.content.inert = true;
      this.screen.append(shade);
      (form.querySelector("[autofocus], input:not([type=hidden]), .sheet-button.main, button") ?? sheet).focus({ preventScroll: true });
    });
  }

  alert(words) {
    return this.ask({ title: words, role: "alertdialog", testid: "alert", actions: [{ label: "OK", value: true, kind: "main" }] });
  }

  picture(url, name) {
    const before = document.activeElement;
    const leave = () => {
      viewer.remove();
      this.content.inert = false;
      before?.focus?.({ preventScroll: true });
    };
    const viewer = el("div", { class: "viewer", role: "dialog", "aria-label": name, data: { testid: "viewer" }, on: { click: leave, keydown: (event) => event.key === "Escape" && leave() } },
      el("img", { src: url, alt: name }), iconButton(icon("close"), "Close", leave, { class: "icon-button viewer-close" }));
    this.content.inert = true;
    this.screen.append(viewer);
    viewer.querySelector("button").focus();
  }

  /**
   * Open a menu at a point of the window. `items`: [{label, run, image? or picture?, about?, kind?, danger?, testid?} | null]: `image` is the
   * name of an icon, `picture` a node, `about` a second line,
   * `kind` a class for its looks. `head`: nodes above them.
   * Arrow keys move, Escape closes. The menu stays inside the screen.
   */
  menu(items, { x, y, head, label = "Menu" }) {
    this.closeMenu?.();
    const before = document.activeElement;
    const close = (refocus) => {
      menu.remove();
      catcher.remove();
      if (this.closeMenu === close) this.closeMenu = null;
      if (refocus && before?.isConnected) before.focus({ preventScroll: true });
    };
    const entry = (item) => item && el("button", { type: "button", role: "menuitem", class: ["menu-item", item.danger && "danger", item.kind].filter(Boolean).join(" "), data: { testid: item.testid ?? "menu-item" }, on: { click: () => {
      close(true);
      item.run();
    } } }, item.picture ?? (item.image && icon(item.image, 19)), item.about
      ? el("span", { class: "menu-words" }, el("b", { dir: "auto" }, item.label), " ", el("span", { dir: "auto" }, item.about))
      : el("span", { dir: "auto" }, item.label));
    const menu = el("div", { class: "menu", role: "menu", "aria-label": label, data: { testid: "menu" }, on: { keydown: (event) => this.#walk(event, menu, close) } }, head?.(close), items.filter(Boolean).map(entry));
    const catcher = el("div", { class: "catcher", on: {
      pointerdown: (event) => {
        event.preventDefault();
        close(true);
      },
      contextmenu: (event) => event.preventDefault(),
    } });
    this.screen.append(catcher, menu);
    const frame = this.screen.getBoundingClientRect();
    const left = Math.min(Math.max(x - frame.left, 8), frame.width - menu.offsetWidth - 8);
    const below = y - frame.top;
    const top = below + menu.offsetHeight > frame.height - 8 ? Math.max(8, Math.min(below, frame.height - 8) - menu.offsetHeight) : below;
    menu.style.setProperty("left", `${left}px`);
    menu.style.setProperty("top", `${top}px`);
    this.closeMenu = close;
    menu.querySelector("button")?.focus({ preventScroll: true });
  }

  #walk(event, menu, close) {
    const buttons = [...menu.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      close(true);
    } else if (step) {
      event.preventDefault();
      buttons[(at + step + buttons.length) % buttons.length]?.focus();
    }
  }
}
