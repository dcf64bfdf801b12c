// The picture viewer.

import { h, icon } from "./dom.js";
import { openDialog } from "./popup.js";

/** Show the picture of `frame`: arrow keys go through the pictures of the channel, Escape closes. */
export function openPicture(frame) {
  const frames = [...document.getElementById("messages").querySelectorAll(".frame:not(.broken)")];
  let at = frames.indexOf(frame);
  const image = h("img", { class: "viewer-image", alt: "" });
  const caption = h("figcaption", {});
  const open = h("a", { class: "viewer-open", target: "_blank", rel: "noopener noreferrer" }, "Open original ", icon("external", 14));
  const arrow = (step, name, label) => h("button", { type: "button", class: `viewer-arrow viewer-${name}`, "aria-label": label, onclick: () => show(at + step) }, icon(name, 28));
  const previous = arrow(-1, "left", "Previous picture");
  const next = arrow(1, "right", "Next picture");
  const show = (index) => {
    if (index < 0 || index >= frames.length) return;
    at = index;
    const { src, name, alt } = frames[at].dataset;
    image.src = src;
    image.alt = alt || name;
    open.href = src;
    caption.textContent = frames.length > 1 ? `${name} · ${at + 1} of ${frames.length}` : name;
    previous.disabled = at === 0;
    next.disabled = at === frames.length - 1;
  };
  image.addEventListener("load", () => enlarge(image));
  const close = h("button", { type: "button", class: "icon-button viewer-close", "aria-label": "Close", onclick: () => dialog.close() }, icon("close", 26));
  const keys = (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    if (event.key === "ArrowRight") show(at + 1);
  };
  const outside = (event) => event.target.matches("dialog, figure") && dialog.close();
  const dialog = h("dialog", { class: "viewer", "aria-label": "Picture", onkeydown: keys, onclick: outside }, previous, h("figure", {}, image, h("div", { class: "viewer-line" }, caption, open)), next, close);
  show(at);
  openDialog(dialog);
  close.focus();
}

/** Small pictures grow to at most three times their size, so that zooming in shows more. */
function enlarge(image) {
  const scale = Math.min(3, (innerWidth * 0.86) / image.naturalWidth, (innerHeight * 0.82) / image.naturalHeight);
  image.style.width = `${Math.floor(image.naturalWidth * scale)}px`;
  image.style.aspectRatio = `${image.naturalWidth} / ${image.naturalHeight}`;
}
