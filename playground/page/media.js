// Pictures, videos and files of a message; pictures of other machines are offered as links, never fetched.

import { fileSize, h, icon } from "./dom.js";
import { link } from "./markdown.js";

const isImage = (file) => (file.content_type ?? "").startsWith("image/") || /\.(png|jpe?g|webp|gif|avif)$/i.test(file.filename ?? "");
const isVideo = (file) => (file.content_type ?? "").startsWith("video/");

/**
 * A picture that opens the viewer. Frames keep `data-src` and `data-name` for it. A picture that is not on this
 * server is offered as a link: the page sends no request outside.
 */
export function frame(item, ctx, { width = 550, height = 350, cell = false } = {}) {
  const source = ctx.local(item.proxy_url) ?? ctx.local(item.url);
  if (!source) return h("p", { class: "outside-picture" }, icon("external", 16), link(item.url, item.url, ctx));
  const image = h("img", { src: source, alt: item.description ?? "", draggable: false, decoding: "async" });
  const name = item.description || item.filename || "picture";
  const node = h("button", { type: "button", class: cell ? "frame cell" : "frame", "data-src": source, "data-name": item.filename ?? name, "data-alt": item.description ?? "", "aria-label": `Open ${name}`, onclick: () => ctx.openPicture(node) }, image);
  if (!cell && item.width && item.height) fit(node, item, width, height);
  if (item.spoiler || /^SPOILER_/.test(item.filename ?? "")) hidePicture(node);
  // Loaded is not yet ready to paint: the old picture stays until the new one is decoded.
  image.addEventListener("load", () => image.decode().catch(() => null).then(() => settle(node)), { once: true });
  image.addEventListener("error", () => broken(node), { once: true });
  return node;
}

function fit(node, item, width, height) {
  const scale = Math.min(1, width / item.width, height / item.height);
  node.style.width = `${Math.round(item.width * scale)}px`;
  node.style.aspectRatio = `${item.width} / ${item.height}`;
}

function hidePicture(node) {
  node.classList.add("veiled");
  const reveal = (event) => {
    event.stopImmediatePropagation();
    node.classList.remove("veiled");
    node.removeEventListener("click", reveal, true);
  };
  node.addEventListener("click", reveal, true);
}

function settle(node) {
  node.classList.add("loaded");
  node.querySelector("img.stale")?.remove();
}

function broken(node) {
  if (node.querySelector("img.stale")) return;
  node.classList.add("broken");
  node.replaceChildren(icon("warning", 24), h("span", {}, "This picture could not be loaded."));
}

/** The picture on show moves into the frame that follows it and stays until the new one has loaded: no flicker. */
export function inheritPictures(before, after) {
  const old = before ? [...before.querySelectorAll(".frame")] : [];
  after?.querySelectorAll(".frame").forEach((node, index) => {
    const shown = old[index]?.querySelector("img.stale") ?? (old[index]?.classList.contains("loaded") ? old[index].querySelector("img") : null);
    if (!shown || node.classList.contains("loaded")) return;
    shown.classList.add("stale");
    shown.setAttribute("aria-hidden", "true");
    node.append(shown);
  });
}

export function mosaic(items, ctx) {
  if (items.length === 1) return h("div", { class: "media" }, frame(items[0], ctx));
  const shape = items.length > 4 ? "many" : String(items.length);
  return h("div", { class: "media mosaic", "data-count": shape }, items.map((item) => frame(item, ctx, { cell: true })));
}

export function fileCard(file, ctx) {
  const source = ctx.local(file.url);
  const name = source ? h("a", { href: source, target: "_blank", rel: "noopener noreferrer" }, file.filename) : file.filename;
  const save = source ? h("a", { class: "icon-button", href: source, download: file.filename, "aria-label": `Download ${file.filename}` }, icon("download")) : null;
  const size = file.size === undefined ? null : h("small", {}, fileSize(file.size));
  return h("div", { class: "file-card" }, icon("file", 30), h("div", { class: "file-name" }, name, size), save);
}

export function attachments(files, ctx) {
  if (!files?.length) return null;
  const pictures = files.filter(isImage);
  const videos = files.filter((file) => isVideo(file) && ctx.local(file.url));
  const rest = files.filter((file) => !pictures.includes(file) && !videos.includes(file));
  return h("div", { class: "attachments" },
    pictures.length ? mosaic(pictures, ctx) : null,
    videos.map((file) => h("video", { src: ctx.local(file.url), controls: true, "aria-label": file.filename })),
    rest.map((file) => fileCard(file, ctx)));
}
