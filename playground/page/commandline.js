// The slash command being written, in the place of the message box: its name, its options, and what they amount to.

import { OPTION, commandData } from "./commands.js";
import { h } from "./dom.js";
import { Field } from "./field.js";
import { menu } from "./popup.js";

export class CommandLine {
  /** `values` maps option names to text, or to `{choice}` / `{file}`; `composer` is told of keys and focus. */
  constructor(leaf, values, composer) {
    this.leaf = leaf;
    this.composer = composer;
    this.fields = [];
    this.more = h("button", { type: "button", class: "more", "aria-haspopup": "menu", "aria-describedby": "composer-hint", onclick: () => this.#moreMenu(), onkeydown: (event) => this.#moreKey(event) });
    this.el = h("div", { class: "command", role: "group", "aria-label": `Command /${leaf.name}: ${leaf.description}`, onclick: (event) => event.target === event.currentTarget && this.focus() },
      h("span", { class: "command-chip" }, `/${leaf.name}`), this.more);
    this.values = values;
  }

  /** Show the options that are required or given, and put the cursor where something is missing. */
  begin() {
    const wanted = this.leaf.options.filter((option) => option.required || this.values.has(option.name));
    for (const option of wanted) fill(this.#add(option), this.values.get(option.name));
    this.#paintMore();
    const first = this.fields.find((field) => !field.text) ?? this.fields.at(-1);
    (first?.input ?? this.more).focus();
    if (!first) this.composer.fieldHint(this.leaf.name, `${this.leaf.description} Press Enter to send.`, []);
  }

  focus() {
    (this.fields.at(-1)?.input ?? this.more).focus();
  }

  #add(option) {
    const field = new Field(option, this.composer);
    this.fields.push(field);
    this.more.before(field.el);
    field.resize();
    return field;
  }

  remove(field) {
    field.el.remove();
    this.fields = this.fields.filter((item) => item !== field);
    this.#paintMore();
    this.focus();
  }

  #left() {
    return this.leaf.options.filter((option) => !this.fields.some((field) => field.option === option));
  }

  #paintMore() {
    const left = this.#left().length;
    this.more.textContent = left ? `+${left} more` : "";
    this.more.setAttribute("aria-label", left ? `Add one of ${left} optional options` : `Send /${this.leaf.name}`);
    this.more.classList.toggle("quiet", !left);
    this.more.tabIndex = left || !this.fields.length ? 0 : -1;
  }

  #moreMenu() {
    const items = this.#left().map((option) => ({ label: `${option.name} — ${option.description}`, action: () => this.#addMore(option) }));
    if (items.length) menu(this.more, items, "Optional options", { place: "above" });
  }

  #addMore(option) {
    this.#add(option).input.focus();
    this.#paintMore();
  }

  /** Enter sends, Space opens the options, and a letter begins the first text option that is left. */
  #moreKey(event) {
    const letter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
    const text = letter && this.#left().find((option) => option.type === OPTION.string);
    if (event.key === "Escape" || (event.key === "Backspace" && !this.fields.length)) this.composer.leave(event);
    else if (event.key === "Enter") {
      event.preventDefault();
      this.composer.submit();
    } else if (text) this.#addMore(text); // the letter itself goes into the input, which has the focus by then
  }

  /** Mark what is wrong; the first wrong field, or undefined. */
  check() {
    for (const field of this.fields) field.error(field.check());
    return this.fields.find((field) => field.problem);
  }

  /** The interaction's data as it stands, and the files its attachment options point into by index. */
  answer() {
    const given = this.fields.filter((field) => field.text);
    const files = given.filter((field) => field.file).map((field) => field.file);
    const options = given.map((field) => (field.file ? { type: OPTION.attachment, name: field.option.name, value: String(files.indexOf(field.file)) } : optionOf(field)));
    return { data: commandData(this.leaf, options), files };
  }

  /** The interaction's data with which the choices for `field` are asked for. */
  question(field) {
    const others = this.fields.filter((item) => item !== field && item.text && item.option.type !== OPTION.attachment).map(optionOf);
    return commandData(this.leaf, [...others, { type: field.option.type, name: field.option.name, value: field.text, focused: true }]);
  }

  /** What it takes to write this command again. */
  snapshot() {
    const value = (field) => (field.file ? { file: field.file } : field.choice ? { choice: field.choice } : { text: field.text });
    return { leaf: this.leaf, values: new Map(this.fields.filter((field) => field.text).map((field) => [field.option.name, value(field)])) };
  }
}

const optionOf = (field) => ({ type: field.option.type, name: field.option.name, value: field.value() });

function fill(field, value) {
  if (value === undefined) return;
  if (value.file) field.setFile(value.file);
  else if (value.choice) field.setChoice(value.choice);
  else if (field.option.type !== OPTION.attachment) field.setText(String(value.text ?? value).replace(/\s*\n\s*/g, " "));
  const end = field.input.value?.length ?? 0;
  if (field.option.type !== OPTION.attachment) field.input.setSelectionRange(end, end);
}
