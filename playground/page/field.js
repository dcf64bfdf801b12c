// One option of the command being written: its input, its choices, and what is wrong with its value.

import { OPTION } from "./commands.js";
import { fileSize, h, icon } from "./dom.js";

const SIZES_ITSELF = CSS.supports("field-sizing", "content");

export class Field {
  constructor(option, composer) {
    this.option = option;
    this.composer = composer;
    this.choice = null;
    this.file = null;
    this.serial = 0;
    const id = `option-${option.name}`;
    this.input = option.type === OPTION.attachment ? this.#fileInput(id) : this.#textInput(id);
    const remove = option.required ? null : h("button", { type: "button", class: "pill-remove", tabindex: "-1", "aria-label": `Remove ${option.name}`, onclick: () => composer.command.remove(this) }, icon("close", 14));
    this.el = h("span", { class: "pill" }, h("label", { for: id }, option.name), this.control ?? this.input, remove);
  }

  #textInput(id) {
    const { composer } = this;
    return h("textarea", {
      id, class: "pill-input", rows: "1", spellcheck: "false", autocomplete: "off", "aria-required": String(Boolean(this.option.required)), "aria-describedby": "composer-hint",
      oninput: () => this.#changed(), onfocus: () => composer.fieldFocused(this), onblur: () => composer.fieldLeft(), onkeydown: (event) => composer.fieldKey(event, this),
    });
  }

  #fileInput(id) {
    const { composer } = this;
    const input = h("input", { id, type: "file", class: "sr-only", onchange: () => this.setFile(input.files[0] ?? null), onfocus: () => composer.fieldFocused(this), onkeydown: (event) => composer.fieldKey(event, this) });
    this.fileLabel = h("span", {}, "Choose or drop a file");
    this.control = h("label", { class: "pill-file", for: id }, icon("upload", 16), this.fileLabel, input);
    return input;
  }

  #changed() {
    this.input.value = this.input.value.replace(/\s*\n\s*/g, " ");
    this.choice = null;
    this.error(null);
    this.composer.fail(null);
    this.resize();
    this.composer.fieldFocused(this);
  }

  resize() {
    if (this.option.type === OPTION.attachment) return;
    const { input } = this;
    if (SIZES_ITSELF) return;
    input.style.width = "auto";
    input.style.width = `${Math.max(2, [...input.value].length + 1)}ch`;
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  }

  setFile(file) {
    this.file = file;
    this.fileLabel.textContent = file ? `${file.name} (${fileSize(file.size)})` : "Choose or drop a file";
    this.error(null);
  }

  setText(text) {
    this.input.value = text;
    this.resize();
  }

  setChoice(choice) {
    this.choice = choice;
    this.input.value = choice.name;
    this.error(null);
    this.resize();
  }

  get text() {
    return this.option.type === OPTION.attachment ? this.file?.name ?? "" : this.input.value.trim();
  }

  error(text) {
    this.problem = text;
    this.el.classList.toggle("wrong", Boolean(text));
    this.input.setAttribute("aria-invalid", String(Boolean(text)));
  }

  /** What is wrong with the value as typed, or null. */
  check() {
    const { option } = this;
    if (!this.text) return option.required ? `${option.name}: this option is required. Specify a value.` : null;
    if (this.choices() && !option.autocomplete && !this.matched()) return `${option.name}: choose one of the list.`;
    if (option.type === OPTION.integer && !this.choice && !/^[+-]?\d+$/.test(this.text)) return `${option.name}: enter a whole number.`;
    if (option.type === OPTION.number && !this.choice && !Number.isFinite(Number(this.text))) return `${option.name}: enter a number.`;
    return this.#range();
  }

  #range() {
    const { option } = this;
    const value = this.value();
    if (typeof value === "number" && option.min_value !== undefined && value < option.min_value) return `${option.name}: at least ${option.min_value}.`;
    if (typeof value === "number" && option.max_value !== undefined && value > option.max_value) return `${option.name}: at most ${option.max_value}.`;
    if (typeof value === "string" && option.min_length && value.length < option.min_length) return `${option.name}: at least ${option.min_length} characters.`;
    if (typeof value === "string" && option.max_length && value.length > option.max_length) return `${option.name}: at most ${option.max_length} characters.`;
    return null;
  }

  matched() {
    return this.choice ?? this.choices()?.find((choice) => choice.name.toLowerCase() === this.text.toLowerCase()) ?? null;
  }

  value() {
    const fixed = this.choices() ? this.matched() : this.choice;
    if (fixed) return fixed.value;
    if (this.option.type === OPTION.integer || this.option.type === OPTION.number) return Number(this.text);
    return this.text;
  }

  /** The fixed list to choose from, or null for free text and autocomplete. */
  choices() {
    const { option, composer: { ctx } } = this;
    const people = () => ctx.members().map((user) => ({ name: ctx.name(user), value: user.id }));
    const roles = () => ctx.roles().map((role) => ({ name: `@${role.name}`, value: role.id }));
    if (option.choices?.length) return option.choices;
    if (option.type === OPTION.boolean) return [{ name: "True", value: true }, { name: "False", value: false }];
    if (option.type === OPTION.user) return people();
    if (option.type === OPTION.role) return roles();
    if (option.type === OPTION.mentionable) return [...people(), ...roles()];
    if (option.type === OPTION.channel) return ctx.channels().map((channel) => ({ name: `#${channel.name}`, value: channel.id }));
    return null;
  }
}
