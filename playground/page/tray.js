// The files that wait in the message box to be sent with the message.

import { fileSize, h, icon } from "./dom.js";

const MOST_FILES = 10; // of one choice or drop

export class Tray {
  /** `onRemove()` runs when a person took a file out. */
  constructor(onRemove) {
    this.onRemove = onRemove;
    this.files = [];
    this.el = h("div", { class: "tray", hidden: true });
  }

  add(files) {
    this.files.push(...[...files].slice(0, MOST_FILES));
    this.#paint();
  }

  clear() {
    this.files = [];
    this.#paint();
  }

  #remove(file) {
    this.files = this.files.filter((item) => item !== file);
    this.#paint();
    this.onRemove();
  }

  #paint() {
    this.el.hidden = !this.files.length;
    this.el.replaceChildren(...this.files.map((file) => h("div", { class: "tray-item" }, icon("file", 28), h("span", {}, file.name), h("small", {}, fileSize(file.size)),
      h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${file.name}`, onclick: () => this.#remove(file) }, icon("trash", 16)))));
  }
}
