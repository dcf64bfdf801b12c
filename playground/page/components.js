// The components of a message: buttons, selects, and the layout of Discord's second version of components.
// `view` is the MessageView that holds them: its `ctx`, its `press`, and the clicks that wait for an answer.

import { colour, dots, emojiNode, h, icon } from "./dom.js";
import { markdown, spoiler } from "./markdown.js";
import { fileCard, frame, mosaic } from "./media.js";
import { closePopup, popup } from "./popup.js";

const SELECTS = { 3: "string", 5: "user", 6: "role", 7: "mentionable", 8: "channel" };
const COMPONENTS = {
  1: (item, view) => h("div", { class: "action-row" }, item.components.map((child) => componentNode(child, view))),
  2: button,
  9: section,
  10: (item, view) => h("div", { class: "text-display markup" }, markdown(item.content, view.ctx)),
  11: (item, view) => h("div", { class: "section-thumbnail" }, frame(mediaItem(item), view.ctx, { width: 85, height: 85 })),
  12: (item, view) => mosaic(item.items.map(mediaItem), view.ctx),
  13: (item, view) => fileCard({ ...item.file, filename: item.name ?? fileName(item.file.url), size: item.size }, view.ctx),
  14: (item) => h("div", { class: `separator spacing-${item.spacing ?? 1}${item.divider === false ? " blank" : ""}`, role: item.divider === false ? "presentation" : "separator" }),
  17: container,
};

const fileName = (url) => decodeURIComponent(url.split("?")[0].split("/").at(-1));
const mediaItem = (item) => ({ ...item.media, filename: fileName(item.media.url), description: item.description, spoiler: item.spoiler });

export function componentNode(item, view) {
  if (item.type in SELECTS) return messageSelect(item, view);
  const build = COMPONENTS[item.type];
  return build ? build(item, view) : h("p", { class: "subtext" }, `A component of type ${item.type}, which this page does not draw.`);
}

function button(item, view) {
  const label = [emojiNode(item.emoji), item.label ? h("span", { class: "btn-label" }, item.label) : null];
  const name = item.label ?? item.emoji?.name ?? "button";
  if (item.style === 5) return h("a", { class: "btn btn-5", href: /^(https?|discord):/.test(item.url) ? item.url : "#", target: "_blank", rel: "noopener noreferrer" }, label, icon("external", 16));
  const waiting = view.waiting.has(item.custom_id);
  const node = h("button", { type: "button", class: `btn btn-${item.style}`, "data-custom-id": item.custom_id, disabled: Boolean(item.disabled), "aria-label": name, "aria-busy": String(waiting), onclick: () => view.press(item) },
    h("span", { class: "btn-content" }, label), dots());
  return node;
}

function section(item, view) {
  return h("div", { class: "section" },
    h("div", { class: "section-text" }, item.components.map((child) => componentNode(child, view))),
    item.accessory ? componentNode(item.accessory, view) : null);
}

function container(item, view) {
  const style = item.accent_color === undefined || item.accent_color === null ? {} : { "border-left": `4px solid ${colour(item.accent_color)}` };
  const node = h("div", { class: "container", style }, item.components.map((child) => componentNode(child, view)));
  return item.spoiler ? spoiler([node]) : node;
}

function messageSelect(item, view) {
  const node = selectMenu(item, view.ctx, (values) => view.press(item, values));
  node.setAttribute("aria-busy", String(view.waiting.has(item.custom_id)));
  return node;
}

/** Choices of a select of any type: `{value, label, description, emoji, default}`. */
function choicesOf(item, ctx) {
  const preset = new Set((item.default_values ?? []).map((entry) => entry.id));
  const choice = (entry, label, mark) => ({ value: entry.id, label: `${mark}${label}`, default: preset.has(entry.id) });
  const kind = SELECTS[item.type];
  if (kind === "string") return item.options;
  if (kind === "channel") return ctx.channels().filter((channel) => !item.channel_types?.length || item.channel_types.includes(channel.type)).map((entry) => choice(entry, entry.name, "#"));
  const people = kind === "role" ? [] : ctx.members().map((entry) => choice(entry, ctx.name(entry), ""));
  const roles = kind === "user" ? [] : ctx.roles().map((entry) => choice(entry, entry.name, "@"));
  return [...people, ...roles];
}

/** A select as a listbox. `onDone(values)` runs when a choice is made: at once for one value, on closing for several. */
export function selectMenu(item, ctx, onDone) {
  const choices = choicesOf(item, ctx);
  const many = (item.max_values ?? 1) > 1;
  let chosen = choices.filter((choice) => choice.default).map((choice) => choice.value);
  const shown = h("span", { class: "select-value" });
  const toggle = h("button", { type: "button", class: "select", "data-custom-id": item.custom_id, disabled: Boolean(item.disabled), "aria-haspopup": "listbox", "aria-expanded": "false", "aria-label": item.placeholder ?? "Select" }, shown, icon("chevron", 20));
  const paint = () => {
    const names = choices.filter((choice) => chosen.includes(choice.value));
    shown.classList.toggle("placeholder", !names.length);
    shown.replaceChildren(...(names.length ? names.map((choice) => h("span", { class: many ? "chip" : "" }, emojiNode(choice.emoji), " ", choice.label)) : [item.placeholder ?? "Make a selection"]));
  };
  const open = () => {
    const before = chosen;
    const finish = () => {
      toggle.setAttribute("aria-expanded", "false");
      if (many && String(before) !== String(chosen) && chosen.length >= (item.min_values ?? 1)) onDone(chosen);
    };
    const pick = (value) => {
      chosen = many ? toggled(chosen, value, item.max_values) : [value];
      paint();
      if (many) return chosen;
      closePopup(true);
      onDone(chosen);
      return chosen;
    };
    toggle.setAttribute("aria-expanded", "true");
    const box = listbox(choices, chosen, many, pick);
    box.style.width = `${toggle.offsetWidth}px`;
    popup(toggle, box, { onClose: finish });
    (box.querySelector("[aria-selected=true]") ?? box.firstElementChild)?.focus();
  };
  toggle.addEventListener("click", () => (toggle.getAttribute("aria-expanded") === "true" ? closePopup(true) : open()));
  toggle.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    open();
  });
  paint();
  return toggle;
}

const toggled = (values, value, most) => (values.includes(value) ? values.filter((item) => item !== value) : values.length < most ? [...values, value] : values);

function listbox(choices, chosen, many, pick) {
  const options = choices.map((choice) => h("div", { class: "option", role: "option", tabindex: "-1", "aria-selected": String(chosen.includes(choice.value)), "data-value": choice.value },
    emojiNode(choice.emoji), h("span", { class: "option-text" }, h("span", {}, choice.label), choice.description ? h("small", {}, choice.description) : null), icon("check", 18)));
  const choose = (option) => {
    const now = pick(option.dataset.value);
    for (const node of options) node.setAttribute("aria-selected", String(now.includes(node.dataset.value)));
  };
  const keys = (event) => {
    const at = options.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[event.key];
    if (event.key === "Tab") closePopup(true);
    else if ((event.key === "Enter" || event.key === " ") && at >= 0) choose(options[at]);
    else if (next !== undefined) options.at(next % options.length)?.focus();
    else if (event.key.length === 1) options.find((option) => option.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    else return;
    event.preventDefault();
  };
  const click = (event) => {
    const option = event.target.closest(".option");
    if (option) choose(option);
  };
  return h("div", { class: "listbox", role: "listbox", "aria-multiselectable": String(many), onkeydown: keys, onclick: click }, options.length ? options : h("div", { class: "option empty" }, "Nothing to choose"));
}
