// The facts that a real client sends with a file: sizes and lengths, as the browser measures them.

const PATIENCE_MS = 3000;

/** {width?, height?, length?, duration?} for `file` as `kind`; unknown ones are left out. Units: pixels, whole seconds. */
export async function measure(kind, file) {
  if (["video", "animation", "video_note"].includes(kind) && file.type.startsWith("video/")) {
    const video = await loaded(document.createElement("video"), file);
    if (!video?.videoWidth) return {};
    const size = kind === "video_note" ? { length: Math.min(video.videoWidth, video.videoHeight) } : { width: video.videoWidth, height: video.videoHeight };
    return { ...size, ...duration(video) };
  }
  if (kind === "audio" || kind === "voice") return duration(await loaded(new Audio(), file));
  return {};
}

// The browser reports an infinite duration for its own new recordings.
function duration(player) {
  return Number.isFinite(player?.duration) ? { duration: Math.max(1, Math.round(player.duration)) } : {};
}

function loaded(player, file) {
  return new Promise((resolve) => {
    const url = URL.createObjectURL(file);
    const done = (result) => {
      clearTimeout(timer);
      URL.revokeObjectURL(url);
      resolve(result);
    };
    const timer = setTimeout(() => done(null), PATIENCE_MS);
    player.preload = "metadata";
    player.onloadedmetadata = () => done(player);
    player.onerror = () => done(null);
    player.src = url;
  });
}
