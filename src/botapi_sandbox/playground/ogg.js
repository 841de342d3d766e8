// Makes voice messages like Telegram's clients: Opus in an Ogg container (RFC 7845), encoded by the browser (WebCodecs).
// Browsers encode Opus but do not write Ogg, so this file does. Without an encoder the result is a WAV file.

const RATE = 48000;
const PRE_SKIP = 312; // samples that the encoder adds before the sound; libopus uses this value at 48 kHz

/** `samples`: Float32Array, mono, 48 kHz. Resolves to an audio/ogg File, or audio/wav if the browser cannot encode Opus. */
export async function voiceFile(samples, name = "voice") {
  const packets = await opusPackets(samples).catch(() => null);
  if (!packets?.length) return wavFile(samples, name);
  return new File(oggPages(packets, samples.length), `${name}.ogg`, { type: "audio/ogg" });
}

async function opusPackets(samples) {
  if (!("AudioEncoder" in globalThis)) return null;
  const config = { codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: 32000 };
  if (!(await AudioEncoder.isConfigSupported(config)).supported) return null;
  const packets = [];
  let failure = null;
  const encoder = new AudioEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      packets.push({ bytes, length: Math.round(((chunk.duration ?? 20000) * RATE) / 1e6) });
    },
    error: (error) => { failure = error; },
  });
  encoder.configure(config);
  encoder.encode(new AudioData({ format: "f32-planar", sampleRate: RATE, numberOfFrames: samples.length, numberOfChannels: 1, timestamp: 0, data: samples }));
  await encoder.flush();
  encoder.close();
  if (failure) throw failure;
  return packets;
}

function oggPages(packets, samples) {
  const serial = 0x50415353;
  const head = bytes((view) => {
    ascii(view, 0, "OpusHead");
    view.setUint8(8, 1);
    view.setUint8(9, 1);
    view.setUint16(10, PRE_SKIP, true);
    view.setUint32(12, RATE, true);
  }, 19);
  const tags = bytes((view) => {
    ascii(view, 0, "OpusTags");
    view.setUint32(8, 7, true);
    ascii(view, 12, "sandbox");
  }, 23);
  const pages = [page([head], 0, 2, serial, 0), page([tags], 0, 0, serial, 1)];
  const perPage = 40; // 0.8 s in each page; at 32 kbit/s far below the limit of 255 segments
  let position = 0;
  for (let at = 0; at < packets.length; at += perPage) {
    const part = packets.slice(at, at + perPage);
    position += part.reduce((sum, packet) => sum + packet.length, 0);
    const last = at + perPage >= packets.length;
    pages.push(page(part.map((packet) => packet.bytes), last ? Math.min(position, samples + PRE_SKIP) : position, last ? 4 : 0, serial, pages.length));
  }
  return pages;
}

function page(packets, position, flags, serial, number) {
  const lacing = packets.flatMap((packet) => [...Array(Math.floor(packet.length / 255)).fill(255), packet.length % 255]);
  const size = packets.reduce((sum, packet) => sum + packet.length, 0);
  const out = bytes((view) => {
    ascii(view, 0, "OggS");
    view.setUint8(5, flags);
    view.setBigInt64(6, BigInt(position), true);
    view.setUint32(14, serial, true);
    view.setUint32(18, number, true);
    view.setUint8(26, lacing.length);
  }, 27 + lacing.length + size);
  out.set(lacing, 27);
  let at = 27 + lacing.length;
  for (const packet of packets) {
    out.set(packet, at);
    at += packet.length;
  }
  new DataView(out.buffer).setUint32(22, checksum(out), true);
  return out;
}

// Ogg's CRC-32: polynomial 0x04c11db7, not reflected, starting from zero.
function checksum(data) {
  let crc = 0;
  for (const byte of data) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** `samples` as 16-bit PCM, 48 kHz, mono. */
export function wavFile(samples, name = "sound") {
  const data = bytes((view) => {
    ascii(view, 0, "RIFF");
    view.setUint32(4, 36 + samples.length * 2, true);
    ascii(view, 8, "WAVEfmt ");
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true);
    view.setUint16(22, 1, true);
    view.setUint32(24, RATE, true);
    view.setUint32(28, RATE * 2, true);
    view.setUint16(32, 2, true);
    view.setUint16(34, 16, true);
    ascii(view, 36, "data");
    view.setUint32(40, samples.length * 2, true);
    samples.forEach((sample, index) => view.setInt16(44 + index * 2, Math.max(-1, Math.min(1, sample)) * 32767, true));
  }, 44 + samples.length * 2);
  return new File([data], `${name}.wav`, { type: "audio/wav" });
}

function bytes(write, length) {
  const out = new Uint8Array(length);
  write(new DataView(out.buffer));
  return out;
}

function ascii(view, at, text) {
  [...text].forEach((character, index) => view.setUint8(at + index, character.charCodeAt(0)));
}
