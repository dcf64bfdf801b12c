// Writing: the message box, and the slash command with its options that it turns into.

import { CommandLine } from "./commandline.js";
import { OPTION, splitArguments } from "./commands.js";
import { avatar, h, icon } from "./dom.js";
import { emojiGrid } from "./emoji.js";
import { Picker } from "./picker.js";
import { closePopup, menu, popup } from "./popup.js";
import { Tray } from "./tray.js";

const HISTORY = 30;
const MESSAGE_LIMIT = 2000;

export class Composer {
  constructor(host, ctx) {
    this.ctx = ctx;
    this.commands = [];
    this.command = null;
    this.history = [];
    this.recalled = -1;
    this.reply = null;
    this.#build(host);
  }

  #build(host) {
    this.input = h("textarea", {
      id: "composer-input", rows: "1", role: "combobox", "aria-label": "Message", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "picker", maxlength: "4000",
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onpaste: (event) => this.#paste(event), onblur: () => this.fieldLeft(), onfocus: () => this.#typed(),
    });
    this.fileInput = h("input", { type: "file", multiple: true, class: "sr-only", tabindex: "-1", "aria-hidden": "true", onchange: () => this.addFiles(this.fileInput.files) });
    this.plus = h("button", { type: "button", class: "icon-button", "aria-label": "Add a file or use a command", "aria-haspopup": "menu", onclick: () => this.#plusMenu() }, icon("plus", 22));
    this.smile = h("button", { type: "button", class: "icon-button", "aria-label": "Insert an emoji", onclick: () => this.#emoji() }, icon("smile", 22));
    this.send = h("button", { type: "submit", class: "icon-button send", "aria-label": "Send" }, icon("send", 22));
    this.replyBar = h("div", { class: "reply-bar", hidden: true });
    this.tray = new Tray(() => this.input.focus());
    this.picker = new Picker(this.input);
    this.error = h("div", { class: "composer-error", role: "alert", hidden: true });
    this.hint = h("div", { class: "sr-only", id: "composer-hint" });
    const submit = (event) => {
      event.preventDefault();
      this.submit();
    };
    this.form = h("form", { class: "composer", onsubmit: submit, ondragover: (event) => event.preventDefault(), ondrop: (event) => this.#drop(event) },
      this.picker.el, this.error, this.replyBar,
      h("div", { class: "composer-box" }, this.tray.el, h("div", { class: "composer-row" }, this.plus, this.input, this.smile, this.send)), this.fileInput, this.hint);
    host.replaceChildren(this.form);
  }

  /** Called when the channel changes: its drafts are not kept, its name is in the placeholder. */
  open(placeholder, disabled = false) {
    this.#toText("");
    this.setReply(null);
    this.tray.clear();
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
    if (this.command) this.command.focus();
    else this.input.focus();
  }

  get empty() {
    return !this.command && !this.input.value.trim();
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
    if (!input.value.startsWith("/") || this.tray.files.length) {
      if (input.value && document.activeElement === input) this.ctx.typing();
      return this.picker.close();
    }
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
    this.picker.show(word ? `Commands matching /${word}` : "Commands", items, none);
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
    this.picker.close();
    this.fail(null);
    this.input.value = "";
    this.input.hidden = true;
    this.smile.hidden = true;
    this.command?.el.remove();
    this.command = new CommandLine(leaf, values, this);
    this.input.after(this.command.el);
    this.command.begin();
  }

  /** Back to plain text: with Backspace the command's name stays, to be changed. */
  leave(event) {
    event?.preventDefault();
    const text = event?.key === "Backspace" ? `/${this.command.leaf.name}` : "";
    this.#toText(text);
    this.input.focus();
  }

  #toText(text) {
    this.command?.el.remove();
    this.command = null;
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
    } else if (event.key === "Escape") this.leave(event);
    else if (event.key === "Backspace" && !field.text) {
      const before = fields[fields.indexOf(field) - 1];
      event.preventDefault();
      if (!field.option.required) this.command.remove(field);
      else if (before) before.input.focus();
      else if (fields.every((item) => !item.text)) this.leave(event);
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
      if (!this.form.contains(document.activeElement)) this.picker.close();
    });
  }

  fieldHint(name, description, items, note = null) {
    this.hint.textContent = description;
    this.picker.show(null, items, note, h("div", { class: "picker-hint" }, h("strong", {}, name), h("span", {}, description)));
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
    if (this.picker.el.querySelector("[role=option]")) this.picker.outdate(); // Enter sends what was typed since
    else this.#offerChoices(field, [], "Loading options…");
    await new Promise((done) => setTimeout(done, 120));
    if (serial !== field.serial || !this.command) return;
    const choices = await this.ctx.autocomplete(this.command.question(field));
    if (serial !== field.serial || document.activeElement !== field.input) return;
    this.#offerChoices(field, choices ?? [], choices ? (choices.length ? null : "No options match your search.") : "Loading options failed.");
  }

  #pickerKey(event) {
    return this.picker.key(event, { settled: this.#settled(), inCommand: Boolean(this.command) });
  }

  /** Whether the focused option already has a value, so that Enter sends and Tab moves on. */
  #settled() {
    const field = this.command?.fields.find((item) => item.input === document.activeElement);
    return Boolean(field && (field.choice || (!field.text && !field.option.required) || (field.option.autocomplete && !field.text)));
  }

  // Sending

  submit() {
    if (this.command) return this.#submitCommand();
    if (this.picker.open && this.picker.items.length) return this.picker.choose();
    return this.#submitText();
  }

  async #submitText() {
    const text = this.input.value.trim();
    if (!text && !this.tray.files.length) return;
    if (text.length > MESSAGE_LIMIT) return this.fail(`A message has at most ${MESSAGE_LIMIT} characters; this one has ${text.length}.`);
    if (/^\/\w/.test(text) && this.warned !== text) {
      this.fail(`There is no command ${text.split(/\s/)[0]} here. Press Enter again to send it as a message.`);
      this.warned = text;
      return;
    }
    const { reply, tray: { files } } = this;
    this.#remember(text);
    this.#toText("");
    this.tray.clear();
    this.setReply(null);
    const failure = await this.ctx.sendMessage(text, files, reply);
    if (!failure) return;
    if (this.empty) this.#toText(text);
    this.fail(failure);
  }

  async #submitCommand() {
    const { leaf } = this.command;
    const wrong = this.command.check();
    if (wrong) {
      this.fail(wrong.problem);
      wrong.input.focus();
      return;
    }
    const entry = this.command.snapshot();
    const { data, files } = this.command.answer();
    this.#remember(entry);
    this.#toText("");
    this.input.focus();
    const failure = await this.ctx.runCommand(leaf, data, files);
    if (!failure) return;
    if (this.empty) this.restore(entry);
    this.picker.close(); // it would cover the very message that tells of the failure
    this.fail(`${failure.replace(/\.?$/, ".")} Your command is kept: press Enter to try again.`);
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
    const [first] = list;
    const field = this.command?.fields.find((item) => item.option.type === OPTION.attachment && !item.file);
    if (this.command && field && first) field.setFile(first);
    else if (!this.command) this.tray.add(list);
    this.fileInput.value = "";
    this.focus();
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
