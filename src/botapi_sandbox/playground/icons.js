// Line icons, 24 × 24, drawn for this page.

const PATHS = {
  attach: "M20 11.5 12.2 19.2a5 5 0 0 1-7.1-7.1l8.2-8.1a3.4 3.4 0 0 1 4.8 4.8l-8 8a1.7 1.7 0 0 1-2.5-2.4l7.2-7.2",
  back: "M15 5l-7 7 7 7",
  ban: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM6.2 6.2l11.6 11.6",
  bot: "M12 4v3.5M6.5 7.5h11a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM9.3 12v1.6M14.7 12v1.6M2.3 12v3M21.7 12v3M12 3.5v.2",
  check: "M4.5 12.5l5 5 10-11",
  close: "M6 6l12 12M18 6 6 18",
  code: "M8.5 7l-5 5 5 5M15.5 7l5 5-5 5",
  commands: "M7 4.5h10a2.5 2.5 0 0 1 2.5 2.5v10a2.5 2.5 0 0 1-2.5 2.5H7A2.5 2.5 0 0 1 4.5 17V7A2.5 2.5 0 0 1 7 4.5zM13.6 8l-3.2 8",
  contact: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c.6-3.6 3.6-5.5 7.5-5.5s6.9 1.9 7.5 5.5",
  copy: "M9 9h9a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5H10A1.5 1.5 0 0 1 8.5 18.5v-9zM5.5 15H5a1.5 1.5 0 0 1-1.5-1.5V5A1.5 1.5 0 0 1 5 3.5h8.5A1.5 1.5 0 0 1 15 5v.8",
  dice: "M6.5 4h11A2.5 2.5 0 0 1 20 6.5v11a2.5 2.5 0 0 1-2.5 2.5h-11A2.5 2.5 0 0 1 4 17.5v-11A2.5 2.5 0 0 1 6.5 4zM8.7 8.7v.01M15.3 8.7v.01M12 12v.01M8.7 15.3v.01M15.3 15.3v.01",
  dots: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  down: "M12 4.5v15M5.5 13l6.5 6.5 6.5-6.5",
  download: "M12 4v11M7 10.5l5 5 5-5M5 19.5h14",
  edit: "M4.5 19.5l.9-4L16.3 4.6a1.8 1.8 0 0 1 2.5 0l.6.6a1.8 1.8 0 0 1 0 2.5L8.5 18.6l-4 .9zM14.3 6.6l3.1 3.1",
  eye: "M3 12c2.2-4 5.2-6 9-6s6.8 2 9 6c-2.2 4-5.2 6-9 6s-6.8-2-9-6zM12 9.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4z",
  file: "M7 3.5h6.5L18.5 8.5V19A1.5 1.5 0 0 1 17 20.5H7A1.5 1.5 0 0 1 5.5 19V5A1.5 1.5 0 0 1 7 3.5zM13.2 3.7V8.5h5",
  forward: "M14 6.5 19.5 12 14 17.5M19 12h-8.5c-3.5 0-5.5 2-6 5.5",
  gif: "M5.5 5.5h13A2 2 0 0 1 20.5 7.5v9a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM10 10.3C9 9.2 6.7 9.7 6.7 12s2.3 2.8 3.3 1.7V12H8.8M12.7 9.5v5M15.3 14.5v-5h2.5M15.3 12h2",
  globe: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM3.7 12h16.6M12 3.7c2.6 2.4 3.7 5 3.7 8.3s-1.1 5.9-3.7 8.3c-2.6-2.4-3.7-5-3.7-8.3s1.1-5.9 3.7-8.3z",
  image: "M5.5 4.5h13A2 2 0 0 1 20.5 6.5v11a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM4 16.5l4.7-4.7 4 4 2.5-2.5 5 5M15.5 8.7v.01",
  keyboard: "M4.5 6.5h15A1.5 1.5 0 0 1 21 8v8a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 16V8a1.5 1.5 0 0 1 1.5-1.5zM7 10.3v.01M10.3 10.3v.01M13.7 10.3v.01M17 10.3v.01M8.5 14h7",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-.9.9M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l.9-.9",
  mic: "M12 3.5a2.7 2.7 0 0 1 2.7 2.7v5.6a2.7 2.7 0 0 1-5.4 0V6.2A2.7 2.7 0 0 1 12 3.5zM6 11.5a6 6 0 0 0 12 0M12 17.5v3",
  music: "M9.5 17.5V6l9.5-2v11.5M9.5 17.5a2.5 2.2 0 1 1-5 0 2.5 2.2 0 0 1 5 0zM19 15.5a2.5 2.2 0 1 1-5 0 2.5 2.2 0 0 1 5 0z",
  pause: "M8.5 5.5v13M15.5 5.5v13",
  pin: "M12 3.5a6.5 6.5 0 0 1 6.5 6.5c0 4.5-4.6 8.8-6.5 10.5-1.9-1.7-6.5-6-6.5-10.5A6.5 6.5 0 0 1 12 3.5zM12 7.7a2.3 2.3 0 1 0 0 4.6 2.3 2.3 0 0 0 0-4.6z",
  play: "M8 5.2v13.6l11-6.8z",
  plus: "M12 5v14M5 12h14",
  poll: "M6 20v-6M12 20V4M18 20v-9",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3l2.2 2.1M19.5 4v4.8h-4.8",
  reply: "M10 6.5 4.5 12 10 17.5M5 12h8.5c3.5 0 5.5 2 6 5.5",
  round: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM10.2 8.9v6.2l5-3.1z",
  send: "M4.5 5 20 12 4.5 19l2.3-7zM6.8 12H13",
  smile: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8.3 14c.8 1.6 2.1 2.4 3.7 2.4s2.9-.8 3.7-2.4M9 9.6v.6M15 9.6v.6",
  star: "M12 4l2.5 5.1 5.6.8-4 4 .9 5.6-5-2.7-5 2.7.9-5.6-4-4 5.6-.8z",
  sticker: "M20 12.5V8a4 4 0 0 0-4-4H8a4 4 0 0 0-4 4v8a4 4 0 0 0 4 4h4.5M20 12.5 12.5 20M20 12.5h-4a3.5 3.5 0 0 0-3.5 3.5v4",
  trash: "M5 7h14M10 7V5h4v2M6.7 7l.8 12h9l.8-12",
};

const NAMESPACE = "http://www.w3.org/2000/svg";

export function icon(name, size = 22) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  const attributes = { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", class: `icon icon-${name}` };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS(NAMESPACE, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

const PIPS = { 1: [[12, 12]], 2: [[7, 7], [17, 17]], 3: [[7, 7], [12, 12], [17, 17]], 4: [[7, 7], [17, 7], [7, 17], [17, 17]],
  5: [[7, 7], [17, 7], [12, 12], [7, 17], [17, 17]], 6: [[7, 6.5], [17, 6.5], [7, 12], [17, 12], [7, 17.5], [17, 17.5]] };

/** The face of a die that shows `value` (1 to 6). */
export function dieFace(value) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "die");
  svg.setAttribute("aria-hidden", "true");
  for (const [x, y] of PIPS[value] ?? []) {
    const pip = document.createElementNS(NAMESPACE, "circle");
    for (const [key, part] of Object.entries({ cx: x, cy: y, r: 2 })) pip.setAttribute(key, part);
    svg.append(pip);
  }
  return svg;
}
