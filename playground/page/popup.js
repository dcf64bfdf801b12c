// What opens above the page and closes again: popups, menus, dialogs, and short notes (toasts).

import { fragment, h, icon } from "./dom.js";

let openPopup = null;

export function closePopup(refocus = false) {
  const current = openPopup;
  openPopup = null;
  current?.close(refocus);
}

/**
 * Show `node` beside `anchor` (an element, or `{x, y}`), inside the window. One at a time: outside clicks, Escape,
 * resizing and another popup close it; `onClose` runs once. Focus returns to where it was on Escape.
 */
export function popup(anchor, node, { onClose = () => {}, place = "below" } = {}) {
  closePopup();
  const before = document.activeElement;
  const host = (anchor instanceof Element && anchor.closest("dialog")) || document.body;
  const layer = h("div", { class: "popup" }, node);
  host.append(layer);
  position(layer, anchor, place);
  const outside = (event) => {
    if (!layer.contains(event.target) && !(anchor instanceof Element && anchor.contains(event.target))) closePopup();
  };
  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    closePopup(true);
  };
  const away = () => closePopup();
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", escape, true);
  window.addEventListener("resize", away);
  openPopup = {
    close(refocus) {
      document.removeEventListener("pointerdown", outside, true);
      document.removeEventListener("keydown", escape, true);
      window.removeEventListener("resize", away);
      const held = layer.contains(document.activeElement);
      layer.remove();
      onClose();
      if ((refocus || held) && before?.isConnected) before.focus({ preventScroll: true });
    },
  };
  return layer;
}

function position(layer, anchor, place) {
  const box = anchor instanceof Element ? anchor.getBoundingClientRect() : { left: anchor.x, right: anchor.x, top: anchor.y, bottom: anchor.y, width: 0 };
  const { offsetWidth: width, offsetHeight: height } = layer;
  const below = box.bottom + 4;
  const fits = place === "above" ? box.top - height - 4 < 8 : below + height < innerHeight - 8;
  const top = fits ? below : Math.max(8, box.top - height - 4);
  const left = place === "beside" ? box.left - width - 8 : box.left;
  layer.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  layer.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`;
}

/** A menu of `{label, icon, danger, disabled, action}` items (null = separator; `items` = a nested group). Arrow keys move. */
export function menu(anchor, items, label, options = {}) {
  const list = h("div", { class: "menu", role: "menu", "aria-label": label, onkeydown: menuKeys });
  for (const item of items) list.append(menuEntry(item));
  const layer = popup(anchor, list, options);
  list.querySelector("[role=menuitem]")?.focus();
  return layer;
}

function menuEntry(item) {
  if (item === null) return h("div", { class: "menu-separator", role: "separator" });
  if (item.node) return item.node;
  if (item.items) {
    const inner = h("div", { class: "menu-group", role: "group", "aria-label": item.label, hidden: true }, item.items.map(menuEntry));
    const toggle = () => {
      inner.hidden = !inner.hidden;
      head.setAttribute("aria-expanded", String(!inner.hidden));
      if (!inner.hidden) inner.querySelector("[role=menuitem]")?.focus();
    };
    const head = h("button", { type: "button", class: "menu-item", role: "menuitem", tabindex: "-1", "aria-haspopup": "true", "aria-expanded": "false", onclick: toggle },
      h("span", {}, item.label), icon("right", 16));
    return fragment(head, inner);
  }
  const action = () => {
    closePopup(true);
    item.action();
  };
  const danger = item.danger ? " menu-danger" : "";
  return h("button", { type: "button", class: `menu-item${danger}`, role: "menuitem", tabindex: "-1", disabled: Boolean(item.disabled), onclick: action },
    h("span", {}, item.label), item.icon ? icon(item.icon, 18) : null);
}

function menuKeys(event) {
  const items = [...event.currentTarget.querySelectorAll("[role=menuitem]")].filter((item) => item.offsetParent && !item.disabled);
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "ArrowRight" && items[at]?.getAttribute("aria-expanded") === "false") items[at].click();
  else if (event.key === "Tab") closePopup(true);
  else if (next === undefined) return;
  else items.at(next % items.length).focus();
  event.preventDefault();
}

/** Open a modal `<dialog>`: the browser keeps focus inside and returns it; Escape asks `onCancel`. */
export function openDialog(dialog, onCancel = () => {}) {
  closePopup();
  document.body.append(dialog);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    onCancel();
    dialog.close();
  });
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target !== dialog || dialog.dataset.sticky) return;
    onCancel();
    dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  return dialog;
}

/** A short note in the corner; `bad` marks a failure. */
export function toast(text, bad = false) {
  const node = h("div", { class: bad ? "toast toast-bad" : "toast" }, icon(bad ? "warning" : "check", 18), text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 4500);
}
