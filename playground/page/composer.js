// Writing: the message box, the slash-command picker with its options, and the forms (modals) a bot opens.

import { selectMenu, markdown } from "./message.js";
import { avatar, fileSize, h, icon, menu, openDialog, popup, closePopup } from "./dom.js";

const OPTION = { sub: 1, group: 2, string: 3, integer: 4, boolean: 5, user: 6, channel: 7, role: 8, mentionable: 9, number: 10, attachment: 11 };
const HISTORY = 30;
const MESSAGE_LIMIT = 2000;
const SIZES_ITSELF = CSS.supports("field-sizing", "content");
export const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🔥", "🎉", "✨", "👀", "🙏", "💯", "⭐", "✅", "❌", "✉️", "❓"];

// Commands --------------------------------------------------------------------------------------------------------

/** The leaves of the command tree: `/prefer option set` is one, `/prefer` itself is none. */
export function leaves(index) {
  const applications = new Map((index.applications ?? []).map((item) => [item.id, item]));
  const slash = (index.application_commands ?? []).filter((command) => (command.type ?? 1) === 1);
  return slash.flatMap((root) => descend(root, root, [], applications.get(root.application_id)));
}

function descend(root, node, path, application) {
  const nested = (node.options ?? []).filter((option) => option.type === OPTION.sub || option.type === OPTION.group);
  if (!nested.length) return [{ root, path, application, name: [root.name, ...path.map((part) => part.name)].join(" "), description: node.description, options: node.options ?? [] }];
  return nested.flatMap((child) => descend(root, child, [...path, child], application));
}

/** The `data` of an interaction: the leaf's options wrapped in its subcommand and group. */
function commandData(leaf, options) {
  const wrapped = [...leaf.path].reverse().reduce((inner, part) => [{ type: part.type, name: part.name, options: inner }], options);
  const { root } = leaf;
  return { version: root.version, id: root.id, guild_id: root.guild_id, name: root.name, type: 1, options: wrapped, application_command: root, attachments: [] };
}

/** Split `prompt: a fox size: big` at the names of the options; text without a name goes to the first text option. */
export function splitArguments(leaf, text) {
  const found = new Map();
  const names = leaf.options.map((option) => option.name.replace(/[^\w-]/g, "\\$&"));
  const first = leaf.options.find((option) => option.type === OPTION.string) ?? leaf.options[0];
  let current = first?.name;
  let from = 0;
  const take = (until) => {
    const value = text.slice(from, until).trim();
    if (current && value) found.set(current, value);
  };
  const marks = names.length ? text.matchAll(new RegExp(`(?<=^|\\s)(${names.join("|")}):`, "g")) : [];
  for (const mark of marks) {
    if (found.has(mark[1]) || (mark[1] === current && from > 0)) continue;
    take(mark.index);
    current = mark[1];
    from = mark.index + mark[0].length;
  }
  take(text.length);
  return found;
}

// One option of the command being written ---------------------------------------------------------------------------

class Field {
  constructor(option, composer) {
    this.option = option;
    this.composer = composer;
    this.choice = null;
    this.file = null;
    this.serial = 0;
    const id = `option-${option.name}`;
    this.input = option.type === OPTION.attachment ? this.#fileInput(id) : this.#textInput(id);
    const remove = option.required ? null : h("button", { type: "button", class: "pill-remove", tabindex: "-1", "aria-label": `Remove ${option.name}`, onclick: () => composer.removeField(this) }, icon("close", 14));
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

// The composer ----------------------------------------------------------------------------------------------------

export class Composer {
  constructor(host, ctx) {
    this.ctx = ctx;
    this.commands = [];
    this.command = null;
    this.history = [];
    this.recalled = -1;
    this.files = [];
    this.reply = null;
    this.items = [];
    this.active = 0;
    this.#build(host);
  }

  #build(host) {
    this.input = h("textarea", {
      id: "composer-input", rows: "1", role: "combobox", "aria-label": "Message", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "picker", maxlength: "4000",
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onpaste: (event) => this.#paste(event), onblur: () => this.fieldLeft(), onfocus: () => this.#typed(),
    });
    this.commandRow = h("div", { class: "command", role: "group", hidden: true, onclick: (event) => event.target === event.currentTarget && this.#lastField()?.input.focus() });
    this.fileInput = h("input", { type: "file", multiple: true, class: "sr-only", tabindex: "-1", "aria-hidden": "true", onchange: () => this.addFiles(this.fileInput.files) });
    this.plus = h("button", { type: "button", class: "icon-button", "aria-label": "Add a file or use a command", "aria-haspopup": "menu", onclick: () => this.#plusMenu() }, icon("plus", 22));
    this.smile = h("button", { type: "button", class: "icon-button", "aria-label": "Insert an emoji", onclick: () => this.#emoji() }, icon("smile", 22));
    this.send = h("button", { type: "submit", class: "icon-button send", "aria-label": "Send" }, icon("send", 22));
    this.replyBar = h("div", { class: "reply-bar", hidden: true });
    this.tray = h("div", { class: "tray", hidden: true });
    this.picker = h("div", { class: "picker", id: "picker", hidden: true, onpointerdown: (event) => event.preventDefault() });
    this.error = h("div", { class: "composer-error", role: "alert", hidden: true });
    this.hint = h("div", { class: "sr-only", id: "composer-hint" });
    const submit = (event) => {
      event.preventDefault();
      this.submit();
    };
    this.form = h("form", { class: "composer", onsubmit: submit, ondragover: (event) => event.preventDefault(), ondrop: (event) => this.#drop(event) },
      this.picker, this.error, this.replyBar,
      h("div", { class: "composer-box" }, this.tray, h("div", { class: "composer-row" }, this.plus, this.input, this.commandRow, this.smile, this.send)), this.fileInput, this.hint);
    host.replaceChildren(this.form);
  }

  /** Called when the channel changes: its drafts are not kept, its name is in the placeholder. */
  open(placeholder, disabled = false) {
    this.#toText("");
    this.setReply(null);
    this.files = [];
    this.#paintTray();
    this.input.placeholder = placeholder;
    this.input.setAttribute("aria-label", placeholder);
    this.input.disabled = disabled;
  }

  setCommands(commands) {
    const changed = JSON.stringify(commands) !== JSON.stringify(this.commands);
    this.commands = commands;
    if (changed && !this.command && document.activeElement === this.input) this.#typed();
  }

  focus() {
    (this.#lastField()?.input ?? this.input).focus();
  }

  get empty() {
    return !this.command && !this.input.value.trim();
  }

  #lastField() {
    return this.command?.fields.at(-1) ?? null;
  }

  fail(text) {
    this.error.hidden = !text;
    this.error.replaceChildren(...(text ? [icon("warning", 16), h("span", {}, text)] : []));
  }

  // Text mode

  #typed() {
    const { input } = this;
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, innerHeight / 2)}px`;
    this.warned = null;
    if (input.value) this.fail(null);
    if (!input.value.startsWith("/") || this.files.length) {
      if (input.value && document.activeElement === input) this.ctx.typing();
      return this.#closePicker();
    }
    this.ctx.refreshCommands();
    const leaf = this.#leafAt(input.value);
    if (leaf) return this.enter(leaf, splitArguments(leaf, input.value.slice(leaf.name.length + 1)));
    return this.#offerCommands(input.value.slice(1));
  }

  /** The command that `text` begins with, once a space ends its name. Longest name first. */
  #leafAt(text) {
    const fits = this.commands.filter((leaf) => text.startsWith(`/${leaf.name}`) && /\s/.test(text[leaf.name.length + 1] ?? ""));
    return fits.sort((a, b) => b.name.length - a.name.length)[0] ?? null;
  }

  #offerCommands(query) {
    const word = query.toLowerCase().trimEnd();
    const rank = (leaf) => (leaf.name.startsWith(word) ? 0 : leaf.name.split(" ").some((part) => part.startsWith(word)) ? 1 : leaf.name.includes(word) ? 2 : 3);
    const found = this.commands.filter((leaf) => rank(leaf) < 3).sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
    const items = found.map((leaf) => ({ node: this.#commandItem(leaf), choose: () => this.enter(leaf) }));
    const none = this.commands.length ? "No command has that name." : "No commands yet. They appear here as soon as the bot is connected.";
    this.#openPicker(word ? `Commands matching /${word}` : "Commands", items, none);
  }

  #commandItem(leaf) {
    const owner = { id: leaf.application?.id ?? "0", username: leaf.application?.name ?? "app", bot: true };
    const options = leaf.options.map((option) => h("span", { class: "option-pill" }, option.name, option.required ? null : h("i", {}, "?")));
    return [avatar(owner, this.ctx.avatar(leaf.application?.bot ?? owner), 32),
      h("span", { class: "picker-main" }, h("span", { class: "picker-name" }, `/${leaf.name}`, options), h("span", { class: "picker-description" }, leaf.description)),
      h("span", { class: "picker-owner" }, leaf.application?.name ?? "")];
  }

  #key(event) {
    if (event.isComposing) return;
    if (this.#pickerKey(event)) return;
    const { input } = this;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") {
      if (this.reply) this.setReply(null);
      else this.ctx.toPresent();
    } else if (event.key === "ArrowUp" && (this.empty || this.recalled >= 0) && input.selectionStart === input.selectionEnd) this.#recall(1, event);
    else if (event.key === "ArrowDown" && this.recalled >= 0) this.#recall(-1, event);
  }

  #recall(step, event) {
    const next = this.recalled + step;
    if (next >= this.history.length) return;
    event.preventDefault();
    this.recalled = Math.max(-1, next);
    const entry = this.history[this.recalled];
    if (entry?.leaf) this.restore(entry);
    else {
      const at = this.recalled;
      this.#toText(entry ?? "");
      this.recalled = at;
      this.input.focus();
    }
  }

  #remember(entry) {
    this.history.unshift(entry);
    this.history.length = Math.min(this.history.length, HISTORY);
    this.recalled = -1;
  }

  // Command mode

  /** Begin writing `leaf`; `values` maps option names to text (or to `{choice}` / `{file}`). */
  enter(leaf, values = new Map()) {
    const wanted = leaf.options.filter((option) => option.required || values.has(option.name));
    this.command = { leaf, fields: [] };
    this.#closePicker();
    this.fail(null);
    this.input.value = "";
    this.input.hidden = true;
    this.smile.hidden = true;
    this.commandRow.hidden = false;
    this.commandRow.setAttribute("aria-label", `Command /${leaf.name}: ${leaf.description}`);
    this.commandRow.replaceChildren(h("span", { class: "command-chip" }, `/${leaf.name}`));
    this.more = h("button", { type: "button", class: "more", "aria-haspopup": "menu", onclick: () => this.#moreMenu(), onkeydown: (event) => this.#moreKey(event) });
    this.commandRow.append(this.more);
    for (const option of wanted) this.#fill(this.#addField(option), values.get(option.name));
    this.#paintMore();
    const first = this.command.fields.find((field) => !field.text) ?? this.#lastField();
    (first?.input ?? this.more).focus();
    if (!first) this.fieldHint(leaf.name, leaf.description, []);
  }

  #fill(field, value) {
    if (value === undefined) return;
    if (value.file) field.setFile(value.file);
    else if (value.choice) field.setChoice(value.choice);
    else if (field.option.type !== OPTION.attachment) field.setText(String(value.text ?? value).replace(/\s*\n\s*/g, " "));
    const end = field.input.value?.length ?? 0;
    if (field.option.type !== OPTION.attachment) field.input.setSelectionRange(end, end);
  }

  #addField(option) {
    const field = new Field(option, this);
    this.command.fields.push(field);
    this.more.before(field.el);
    field.resize();
    return field;
  }

  removeField(field) {
    field.el.remove();
    this.command.fields = this.command.fields.filter((item) => item !== field);
    this.#paintMore();
    (this.#lastField()?.input ?? this.more).focus();
  }

  #left() {
    return this.command.leaf.options.filter((option) => !this.command.fields.some((field) => field.option === option));
  }

  #paintMore() {
    const left = this.#left().length;
    this.more.textContent = left ? `+${left} more` : "";
    this.more.setAttribute("aria-label", left ? `Add one of ${left} optional options` : `Send /${this.command.leaf.name}`);
    this.more.classList.toggle("quiet", !left);
    this.more.tabIndex = left || !this.command.fields.length ? 0 : -1;
  }

  #moreMenu() {
    const items = this.#left().map((option) => ({ label: `${option.name} — ${option.description}`, action: () => this.#addMore(option) }));
    if (items.length) menu(this.more, items, "Optional options", { place: "above" });
  }

  #addMore(option) {
    this.#addField(option).input.focus();
    this.#paintMore();
  }

  #moreKey(event) {
    const left = this.#left().length;
    if (event.key === "Escape" || (event.key === "Backspace" && !this.command.fields.length)) this.#leave(event);
    else if (event.key === "Enter" && !left) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Enter" && !this.command.fields.some((field) => field.problem) && event.ctrlKey) this.submit();
  }

  #leave(event) {
    event?.preventDefault();
    const text = event?.key === "Backspace" ? `/${this.command.leaf.name}` : "";
    this.#toText(text);
    this.input.focus();
  }

  #toText(text) {
    this.command = null;
    this.commandRow.hidden = true;
    this.commandRow.replaceChildren();
    this.input.hidden = false;
    this.smile.hidden = false;
    this.input.value = text;
    this.recalled = -1;
    this.fail(null);
    this.#typed();
  }

  fieldKey(event, field) {
    if (event.isComposing || this.#pickerKey(event)) return;
    const { fields } = this.command;
    if (event.key === "Enter" && field.option.type !== OPTION.attachment) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") this.#leave(event);
    else if (event.key === "Backspace" && !field.text) {
      const before = fields[fields.indexOf(field) - 1];
      event.preventDefault();
      if (!field.option.required) this.removeField(field);
      else if (before) before.input.focus();
      else if (fields.every((item) => !item.text)) this.#leave(event);
    } else if (event.key === "ArrowUp" && this.recalled >= 0 && field.input.selectionStart === 0) this.#recall(1, event);
    else if (event.key === "ArrowDown" && this.recalled >= 0 && field.input.selectionStart === field.text.length) this.#recall(-1, event);
  }

  /** Show what the option is for, and its choices that fit what is typed. */
  fieldFocused(field) {
    const { option } = field;
    if (option.autocomplete) return this.#autocomplete(field);
    const word = field.choice ? "" : field.text.toLowerCase();
    const items = (field.choices() ?? []).filter((choice) => choice.name.toLowerCase().includes(word)).slice(0, 25);
    return this.#offerChoices(field, items, field.choices() ? "Nothing fits." : null);
  }

  fieldLeft() {
    setTimeout(() => {
      if (!this.form.contains(document.activeElement)) this.#closePicker();
    });
  }

  fieldHint(name, description, items, note = null) {
    this.hint.textContent = description;
    this.#openPicker(null, items, note, h("div", { class: "picker-hint" }, h("strong", {}, name), h("span", {}, description)));
  }

  #offerChoices(field, choices, note) {
    const { option } = field;
    const items = choices.map((choice) => ({
      node: [h("span", { class: "picker-main" }, h("span", { class: "picker-name" }, choice.name))],
      choose: () => {
        field.setChoice(choice);
        this.#nextField(field);
      },
    }));
    this.fieldHint(option.required ? `${option.name} *` : option.name, option.description, items, items.length ? null : note);
  }

  #nextField(field) {
    const next = this.command.fields.find((item) => item !== field && !item.text);
    if (next) next.input.focus();
    else {
      field.input.focus();
      this.fieldHint(field.option.name, field.option.description, []);
    }
  }

  async #autocomplete(field) {
    const serial = ++field.serial;
    const focused = { type: field.option.type, name: field.option.name, value: field.text, focused: true };
    if (!this.picker.querySelector("[role=option]")) this.#offerChoices(field, [], "Loading options…");
    await new Promise((done) => setTimeout(done, 120));
    if (serial !== field.serial || !this.command) return;
    const others = this.command.fields.filter((item) => item !== field && item.text && item.option.type !== OPTION.attachment).map((item) => this.#option(item));
    const choices = await this.ctx.autocomplete(commandData(this.command.leaf, [...others, focused]));
    if (serial !== field.serial || document.activeElement !== field.input) return;
    this.#offerChoices(field, choices ?? [], choices ? (choices.length ? null : "No options match your search.") : "Loading options failed.");
  }

  #option(field) {
    return { type: field.option.type, name: field.option.name, value: field.value() };
  }

  // The list above the box

  #openPicker(title, items, note, head = null) {
    this.items = items;
    this.active = 0;
    this.moved = false;
    const options = items.map((item, index) => h("div", { class: "picker-item", role: "option", id: `pick-${index}`, "aria-selected": String(index === 0), onclick: () => item.choose(), onpointermove: () => this.#setActive(index) }, item.node));
    const list = options.length ? h("div", { class: "picker-list", role: "listbox", "aria-label": title ?? "Choices" }, options) : null;
    this.picker.replaceChildren(...[head ?? (title ? h("div", { class: "picker-title" }, title) : null), list, note && !items.length ? h("div", { class: "picker-note" }, note) : null].filter(Boolean));
    this.picker.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.#setActive(0);
  }

  #setActive(index) {
    this.active = index;
    this.picker.querySelectorAll("[role=option]").forEach((node, at) => node.setAttribute("aria-selected", String(at === index)));
    const node = this.picker.querySelector(`#pick-${index}`);
    node?.scrollIntoView({ block: "nearest" });
    if (node) document.activeElement?.setAttribute?.("aria-activedescendant", node.id);
  }

  #closePicker() {
    this.items = [];
    this.picker.hidden = true;
    this.picker.replaceChildren();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  /** Keys that belong to the open list. True when the key is used up. */
  #pickerKey(event) {
    if (this.picker.hidden) return false;
    if (event.key === "Escape" && (!this.command || this.items.length)) this.#closePicker();
    else if (!this.items.length) return false;
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#move(event.key === "ArrowDown" ? 1 : -1);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && !this.#settled()) this.items[this.active].choose();
    else return false;
    event.preventDefault();
    return true;
  }

  #move(step) {
    this.moved = true;
    this.#setActive((this.active + step + this.items.length) % this.items.length);
  }

  /** Whether the focused option already has a value, so that Enter sends and Tab moves on. */
  #settled() {
    const field = this.command?.fields.find((item) => item.input === document.activeElement);
    return Boolean(field && !this.moved && (field.choice || (!field.text && !field.option.required) || (field.option.autocomplete && !field.text)));
  }

  // Sending

  submit() {
    if (this.command) return this.#submitCommand();
    if (!this.picker.hidden && this.items.length) return this.items[this.active].choose();
    return this.#submitText();
  }

  async #submitText() {
    const text = this.input.value.trim();
    if (!text && !this.files.length) return;
    if (text.length > MESSAGE_LIMIT) return this.fail(`A message has at most ${MESSAGE_LIMIT} characters; this one has ${text.length}.`);
    if (/^\/\w/.test(text) && this.warned !== text) {
      this.fail(`There is no command ${text.split(/\s/)[0]} here. Press Enter again to send it as a message.`);
      this.warned = text;
      return;
    }
    const { files, reply } = this;
    this.#remember(text);
    this.#toText("");
    this.files = [];
    this.#paintTray();
    this.setReply(null);
    const failure = await this.ctx.sendMessage(text, files, reply);
    if (!failure) return;
    if (this.empty) this.#toText(text);
    this.fail(failure);
  }

  async #submitCommand() {
    const { leaf, fields } = this.command;
    for (const field of fields) field.error(field.check());
    const wrong = fields.find((field) => field.problem);
    if (wrong) {
      this.fail(wrong.problem);
      wrong.input.focus();
      return;
    }
    const entry = this.#snapshot();
    const given = fields.filter((field) => field.text);
    const files = given.filter((field) => field.file).map((field) => field.file);
    const options = given.map((field) => (field.file ? { type: OPTION.attachment, name: field.option.name, value: String(files.indexOf(field.file)) } : this.#option(field)));
    this.#remember(entry);
    this.#toText("");
    this.input.focus();
    const failure = await this.ctx.runCommand(leaf, commandData(leaf, options), files);
    if (!failure) return;
    if (this.empty) this.restore(entry);
    this.#closePicker(); // it would cover the very message that tells of the failure
    this.fail(`${failure.replace(/\.?$/, ".")} Your command is kept: press Enter to try again.`);
  }

  #snapshot() {
    const value = (field) => (field.file ? { file: field.file } : field.choice ? { choice: field.choice } : { text: field.text });
    return { leaf: this.command.leaf, values: new Map(this.command.fields.filter((field) => field.text).map((field) => [field.option.name, value(field)])) };
  }

  /** Bring back a command that was sent before, with everything that was typed. */
  restore(entry) {
    const at = this.recalled;
    const leaf = this.commands.find((item) => item.name === entry.leaf.name) ?? entry.leaf;
    this.enter(leaf, entry.values);
    this.recalled = at;
  }

  // Files, replies, menus

  addFiles(list) {
    const files = [...list].slice(0, 10);
    const field = this.command?.fields.find((item) => item.option.type === OPTION.attachment && !item.file);
    if (this.command && field && files[0]) field.setFile(files[0]);
    else if (!this.command) this.files.push(...files);
    this.fileInput.value = "";
    this.#paintTray();
    this.focus();
  }

  #paintTray() {
    this.tray.hidden = !this.files.length;
    this.tray.replaceChildren(...this.files.map((file) => h("div", { class: "tray-item" }, icon("file", 28), h("span", {}, file.name), h("small", {}, fileSize(file.size)),
      h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${file.name}`, onclick: () => this.#removeFile(file) }, icon("trash", 16)))));
  }

  #removeFile(file) {
    this.files = this.files.filter((item) => item !== file);
    this.#paintTray();
    this.input.focus();
  }

  #paste(event) {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    this.addFiles(event.clipboardData.files);
  }

  #drop(event) {
    event.preventDefault();
    if (event.dataTransfer?.files.length) this.addFiles(event.dataTransfer.files);
  }

  setReply(message) {
    this.reply = message;
    this.replyBar.hidden = !message;
    if (!message) return this.replyBar.replaceChildren();
    this.replyBar.replaceChildren(h("span", {}, "Replying to ", h("strong", {}, this.ctx.name(message.author))),
      h("button", { type: "button", class: "icon-button", "aria-label": "Do not reply", onclick: () => this.setReply(null) }, icon("close", 16)));
    return this.focus();
  }

  #plusMenu() {
    menu(this.plus, [
      { label: "Upload a File", icon: "upload", action: () => this.fileInput.click() },
      { label: "Use a Command", icon: "slash", action: () => this.startCommand("") },
    ], "Add", { place: "above" });
  }

  /** Put `/name` into the box, as the user would. */
  startCommand(name) {
    this.#toText(`/${name}`);
    this.input.focus();
    this.#typed();
  }

  #emoji() {
    popup(this.smile, emojiGrid((emoji) => {
      closePopup();
      this.input.focus();
      this.input.setRangeText(emoji, this.input.selectionStart, this.input.selectionEnd, "end");
      this.#typed();
    }), { place: "above" });
  }
}

/** A small grid of emoji; `onPick` gets the character. */
export function emojiGrid(onPick) {
  const buttons = EMOJI.map((emoji) => h("button", { type: "button", class: "emoji-choice", "aria-label": emoji, onclick: () => onPick(emoji) }, emoji));
  const keys = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key];
    if (!step) return;
    event.preventDefault();
    buttons.at((buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length).focus();
  };
  return h("div", { class: "emoji-grid", role: "group", "aria-label": "Emoji", onkeydown: keys }, buttons);
}

// Forms a bot opens (modals) ----------------------------------------------------------------------------------------

/** Show a modal of the API; `submit(components)` resolves to null, or to the words for a failure. */
export function openModal(modal, ctx, submit) {
  const inputs = [];
  const rows = modal.components.map((row) => modalRow(row, ctx, inputs));
  const problem = h("div", { class: "modal-error", role: "alert", hidden: true });
  const cancel = h("button", { type: "button", class: "btn btn-plain", onclick: () => dialog.close() }, "Cancel");
  const confirm = h("button", { type: "submit", class: "btn btn-1" }, "Submit");
  const send = async (event) => {
    event.preventDefault();
    const wrong = inputs.filter((input) => input.complain());
    if (wrong.length) return wrong[0].node.focus();
    confirm.disabled = true;
    const failure = await submit(rows.map((row) => row.answer()).filter(Boolean));
    confirm.disabled = false;
    problem.hidden = !failure;
    problem.textContent = failure ?? "";
    return failure ? undefined : dialog.close();
  };
  const owner = { id: modal.application?.id ?? "0", username: modal.application?.name ?? "App", bot: true };
  const form = h("form", { class: "modal-card", onsubmit: send, novalidate: true },
    h("header", {}, avatar(owner, ctx.avatar(modal.application?.bot ?? owner), 24), h("h2", { id: "modal-title" }, modal.title),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))),
    h("div", { class: "modal-body" }, problem, rows.map((row) => row.el),
      h("p", { class: "modal-warning" }, `This form will be submitted to ${owner.username}. Do not share passwords or other sensitive information.`)),
    h("footer", {}, cancel, confirm));
  const dialog = h("dialog", { class: "modal", "aria-labelledby": "modal-title", "data-sticky": "true" }, form);
  openDialog(dialog);
  const first = inputs[0]?.node;
  first?.focus();
  if (first?.setSelectionRange) first.setSelectionRange(first.value.length, first.value.length);
  return dialog;
}

function modalRow(row, ctx, inputs) {
  if (row.type === 10) return { el: h("div", { class: "markup" }, markdown(row.content, ctx)), answer: () => null };
  if (row.type === 18) {
    const input = modalInput(row.component, row.label, row.description, ctx);
    inputs.push(input);
    return { el: input.el, answer: () => ({ type: 18, id: row.id, component: input.answer() }) };
  }
  const items = (row.components ?? []).map((item) => modalInput(item, item.label ?? "", null, ctx));
  inputs.push(...items);
  return { el: h("div", {}, items.map((item) => item.el)), answer: () => ({ type: 1, id: row.id, components: items.map((item) => item.answer()) }) };
}

function modalInput(item, label, description, ctx) {
  const id = `field-${item.custom_id}`;
  const required = item.required !== false;
  const control = item.type === 4 ? textControl(item, id) : choiceControl(item, ctx);
  const error = h("span", { class: "field-error", id: `${id}-error` });
  const title = h("label", { for: id }, label, required ? h("span", { class: "required", "aria-hidden": "true" }, " *") : null, error);
  control.node.setAttribute("aria-describedby", `${id}-error`);
  if (required) control.node.setAttribute("aria-required", "true");
  if (!control.node.id) control.node.setAttribute("aria-label", label);
  const complain = () => {
    const text = control.check(required);
    error.textContent = text ? ` — ${text}` : "";
    control.node.setAttribute("aria-invalid", String(Boolean(text)));
    return text;
  };
  return { node: control.node, complain, answer: () => ({ type: item.type, id: item.id, custom_id: item.custom_id, ...control.answer() }), el: h("div", { class: "field" }, title, description ? h("p", { class: "field-description" }, description) : null, control.node, control.extra) };
}

function textControl(item, id) {
  const props = { id, name: item.custom_id, placeholder: item.placeholder, maxlength: item.max_length ?? 4000, value: item.value ?? "", autocomplete: "off" };
  const node = item.style === 2 ? h("textarea", { ...props, rows: "6" }) : h("input", { ...props, type: "text" });
  const most = item.max_length ?? 4000;
  const left = h("span", { class: "counter", "aria-hidden": "true" });
  const count = () => {
    left.textContent = `${node.value.length} / ${most}`;
  };
  node.addEventListener("input", count);
  count();
  const check = (required) => {
    if (!node.value.trim()) return required ? "this field is required" : null;
    if (item.min_length && node.value.length < item.min_length) return `at least ${item.min_length} characters`;
    return null;
  };
  return { node, check, extra: left, answer: () => ({ value: node.value }) };
}

function choiceControl(item, ctx) {
  if (item.type === 19) return fileControl(item);
  let values = (item.options ?? []).filter((option) => option.default).map((option) => option.value);
  const node = selectMenu(item, ctx, (chosen) => {
    values = chosen;
  });
  return { node, extra: null, check: (required) => (required && !values.length ? "choose something" : null), answer: () => ({ values }) };
}

function fileControl(item) {
  const node = h("input", { type: "file", multiple: (item.max_values ?? 1) > 1, disabled: true, title: "Files in forms are not supported by this page." });
  return { node, extra: null, check: () => (item.min_values === 0 ? null : "files in forms are not supported by this page"), answer: () => ({ values: [] }) };
}
