// The list above the message box: commands or choices, moved through with the arrow keys while the box keeps the focus.

import { h } from "./dom.js";

export class Picker {
  /** `input` is the combobox that owns the list. */
  constructor(input) {
    this.input = input;
    this.items = []; // {node, choose}
    this.active = 0;
    this.moved = false; // whether a person moved through the list since it opened
    this.el = h("div", { class: "picker", id: "picker", hidden: true, onpointerdown: (event) => event.preventDefault() });
  }

  get open() {
    return !this.el.hidden;
  }

  /** Show `items` under a title, or under `head`; without items the note. */
  show(title, items, note, head = null) {
    this.items = items;
    this.moved = false;
    const options = items.map((item, index) => h("div", { class: "picker-item", role: "option", id: `pick-${index}`, "aria-selected": String(index === 0), onclick: () => this.items.includes(item) && item.choose(), onpointermove: () => this.items.includes(item) && this.#setActive(index) }, item.node));
    const list = options.length ? h("div", { class: "picker-list", role: "listbox", "aria-label": title ?? "Choices" }, options) : null;
    const top = head ?? (title ? h("div", { class: "picker-title" }, title) : null);
    this.el.replaceChildren(...[top, list, note && !items.length ? h("div", { class: "picker-note" }, note) : null].filter(Boolean));
    this.el.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.#setActive(0);
  }

  close() {
    this.items = [];
    this.el.hidden = true;
    this.el.replaceChildren();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  /** What is shown belongs to a text that was typed on: it stays to be seen, and is not chosen any more. */
  outdate() {
    this.items = [];
    this.el.querySelectorAll("[role=option]").forEach((node) => node.setAttribute("aria-disabled", "true"));
  }

  choose() {
    this.items[this.active].choose();
  }

  /**
   * Keys that belong to the open list; true when the key is used up. `settled`: Enter sends and Tab moves on, as the
   * option has its value. `inCommand`: Escape leaves the command unless there is something to choose.
   */
  key(event, { settled, inCommand }) {
    if (!this.open) return false;
    if (event.key === "Escape" && (!inCommand || this.items.length)) this.close();
    else if (!this.items.length) return false;
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#move(event.key === "ArrowDown" ? 1 : -1);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && (this.moved || !settled)) this.choose();
    else return false;
    event.preventDefault();
    return true;
  }

  #move(step) {
    this.moved = true;
    this.#setActive((this.active + step + this.items.length) % this.items.length);
  }

  #setActive(index) {
    this.active = index;
    this.el.querySelectorAll("[role=option]").forEach((node, at) => node.setAttribute("aria-selected", String(at === index)));
    const node = this.el.querySelector(`#pick-${index}`);
    node?.scrollIntoView({ block: "nearest" });
    if (node) document.activeElement?.setAttribute?.("aria-activedescendant", node.id);
  }
}
