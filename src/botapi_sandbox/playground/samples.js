// Samples to send without a file of one's own. They are drawn and composed here, so the package contains no media.

import { voiceFile, wavFile } from "./ogg.js";

const RATE = 48000;
const dieRoll = (sides) => Math.floor(Math.random() * sides);

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return [canvas, canvas.getContext("2d")];
}

const blobOf = (canvas, type, quality) => new Promise((resolve) => canvas.toBlob(resolve, type, quality));

/** A landscape at a random hour, as a JPEG. */
export async function samplePhoto() {
  const [canvas, draw] = canvasOf(1280, 860);
  landscape(draw, 1280, 860, dieRoll(360), 0.3 + Math.random() * 0.4);
  return new File([await blobOf(canvas, "image/jpeg", 0.86)], "landscape.jpg", { type: "image/jpeg" });
}

function landscape(draw, width, height, hue, sunAt) {
  const sky = draw.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, `hsl(${hue} 55% 52%)`);
  sky.addColorStop(0.62, `hsl(${(hue + 40) % 360} 75% 80%)`);
  draw.fillStyle = sky;
  draw.fillRect(0, 0, width, height);
  draw.fillStyle = "rgb(255 248 225 / .95)";
  draw.beginPath();
  draw.arc(width * sunAt, height * 0.42, height * 0.085, 0, 7);
  draw.fill();
  for (let layer = 0; layer < 4; layer += 1) {
    draw.fillStyle = `hsl(${(hue + 8 * layer) % 360} ${36 - layer * 3}% ${52 - layer * 12}%)`;
    draw.beginPath();
    draw.moveTo(0, height);
    for (let x = 0; x <= width; x += 8) {
      const t = x / width;
      const y = height * (0.5 + layer * 0.12) - height * 0.07 * (Math.sin(t * (5 + layer * 2) + hue + layer * 2) + 0.5 * Math.sin(t * (13 + layer) + layer));
      draw.lineTo(x, y);
    }
    draw.lineTo(width, height);
    draw.fill();
  }
}

/** Two seconds of a rising sun. `shape`: "wide" for videos and animations, "square" for video messages. */
export async function sampleVideo(name, shape = "wide") {
  const [width, height] = shape === "square" ? [384, 384] : [640, 360];
  const [canvas, draw] = canvasOf(width, height);
  const type = ["video/mp4;codecs=avc1.42E01E", "video/webm;codecs=vp8", "video/webm"].find((each) => MediaRecorder.isTypeSupported(each));
  const hue = dieRoll(360);
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: type, videoBitsPerSecond: 800000 });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  const began = performance.now();
  const drawing = setInterval(() => {
    const t = (performance.now() - began) / 2000;
    landscape(draw, width, height, hue, 0.15 + 0.7 * t);
    if (t >= 1) {
      clearInterval(drawing);
      recorder.stop();
    }
  }, 40);
  await stopped;
  const plain = type.split(";")[0];
  return new File(parts, `${name}.${plain === "video/mp4" ? "mp4" : "webm"}`, { type: plain });
}

// A short random tune. On a pentatonic scale, every tune sounds fine.
function tune(seconds) {
  const samples = new Float32Array(RATE * seconds);
  const scale = [0, 2, 4, 7, 9, 12, 14];
  const step = Math.floor(RATE * 0.25);
  for (let start = 0; start < samples.length; start += step) {
    const pitch = 330 * 2 ** (scale[dieRoll(scale.length)] / 12);
    for (let i = 0; i < step * 2 && start + i < samples.length; i += 1) {
      const t = i / RATE;
      samples[start + i] += 0.22 * Math.exp(-5 * t) * Math.min(1, i / 240) * (Math.sin(2 * Math.PI * pitch * t) + 0.3 * Math.sin(4 * Math.PI * pitch * t));
    }
  }
  return samples;
}

export const sampleVoice = () => voiceFile(tune(3));
export const sampleAudio = async () => wavFile(tune(5), "pentatonic");
export const sampleFile = async () => new File([`A note from the playground.\n\nWritten at ${new Date().toLocaleString()}.\n`], "note.txt", { type: "text/plain" });

/** Record from the microphone until `stop` resolves, as a voice message. Throws if there is no microphone or no permission. */
export async function recordVoice(stop) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  await stop;
  recorder.stop();
  await stopped;
  stream.getTracks().forEach((track) => track.stop());
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(await new Blob(parts).arrayBuffer());
  return voiceFile(sound.getChannelData(0));
}

const FACES = [
  ["😀", "#ffd54a", (pen) => { pen.eyes(); pen.smile(0.3); }],
  ["😍", "#ffd54a", (pen) => { pen.heart(-62, -30, 34); pen.heart(62, -30, 34); pen.smile(0.3); }],
  ["😢", "#8ec8ff", (pen) => { pen.eyes(); pen.smile(-0.3); pen.drop(-78, 40); }],
  ["😎", "#ffb84a", (pen) => { pen.glasses(); pen.smile(0.25); }],
  ["😮", "#ffd54a", (pen) => { pen.eyes(); pen.mouth(); }],
  ["😡", "#ff7a66", (pen) => { pen.brows(); pen.eyes(); pen.smile(-0.25); }],
  ["😺", "#c4b3f2", (pen) => { pen.ears(); pen.eyes(); pen.whiskers(); pen.smile(0.2); }],
  ["❤️", null, (pen) => pen.heart(0, 0, 170)],
];

/** The built-in stickers: [{emoji, file()}], 512 × 512 WebP with a white outline, like real ones. */
export const STICKERS = FACES.map(([emoji, colour, features], index) => ({ emoji, file: () => drawSticker(colour, features, `sticker-${index + 1}`) }));

async function drawSticker(colour, features, name) {
  const [canvas, draw] = canvasOf(512, 512);
  draw.translate(256, 256);
  draw.lineCap = "round";
  draw.lineJoin = "round";
  const pen = new Pen(draw, colour ?? "#f2536b");
  pen.rim = true;
  if (colour) pen.disc();
  features(pen);
  pen.rim = false;
  if (colour) pen.disc();
  features(pen);
  return new File([await blobOf(canvas, "image/webp", 0.92)], `${name}.webp`, { type: "image/webp" });
}

/** Draws the parts of a face around the middle. With `rim`, draws only the white outline of parts beyond the edge. */
class Pen {
  rim = false;

  constructor(draw, colour) {
    Object.assign(this, { draw, colour });
  }

  #fill(path, colour) {
    this.draw.beginPath();
    path(this.draw);
    this.draw.strokeStyle = "#fff";
    this.draw.lineWidth = 36;
    if (this.rim) this.draw.stroke();
    this.draw.fillStyle = this.rim ? "#fff" : colour;
    this.draw.fill();
  }

  #line(path, width = 18) {
    if (this.rim) return;
    this.draw.beginPath();
    path(this.draw);
    this.draw.strokeStyle = "#3b2c1a";
    this.draw.lineWidth = width;
    this.draw.stroke();
  }

  disc() { this.#fill((d) => d.arc(0, 0, 190, 0, 7), this.colour); }
  eyes() { for (const x of [-62, 62]) this.#line((d) => { d.moveTo(x, -42); d.lineTo(x, -18); }, 30); }
  smile(bend) { this.#line((d) => { d.moveTo(-84, 66); d.quadraticCurveTo(0, 66 + bend * 260, 84, 66); }); }
  mouth() { if (!this.rim) this.#fill((d) => d.ellipse(0, 84, 34, 44, 0, 0, 7), "#3b2c1a"); }
  drop(x, y) { if (!this.rim) this.#fill((d) => { d.moveTo(x, y - 30); d.quadraticCurveTo(x + 34, y + 24, x, y + 34); d.quadraticCurveTo(x - 34, y + 24, x, y - 30); }, "#2f7fe0"); }
  brows() { for (const side of [-1, 1]) this.#line((d) => { d.moveTo(side * 96, -92); d.lineTo(side * 38, -70); }); }
  glasses() { if (!this.rim) for (const x of [-66, 66]) this.#fill((d) => d.roundRect(x - 58, -66, 116, 74, 30), "#2c2f38"); this.#line((d) => { d.moveTo(-20, -44); d.lineTo(20, -44); }); }
  ears() { for (const side of [-1, 1]) this.#fill((d) => { d.moveTo(side * 178, -70); d.lineTo(side * 150, -214); d.lineTo(side * 50, -180); d.closePath(); }, this.colour); }
  whiskers() { for (const side of [-1, 1]) for (const dy of [-8, 20]) this.#line((d) => { d.moveTo(side * 112, 26 + dy / 2); d.lineTo(side * 168, 26 + dy); }, 8); }
  heart(x, y, size) {
    this.#fill((d) => {
      d.moveTo(x, y + size);
      d.bezierCurveTo(x - size * 1.7, y - size * 0.1, x - size * 0.9, y - size * 1.2, x, y - size * 0.45);
      d.bezierCurveTo(x + size * 0.9, y - size * 1.2, x + size * 1.7, y - size * 0.1, x, y + size);
    }, "#f2536b");
  }
}
