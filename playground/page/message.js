// One message as a document node: markdown, embeds, attachments, components, reactions.
// `ctx` (made in page.js) answers what a message cannot know: people, roles, channels, and what a click does.

import { avatar, closePopup, emojiNode, fileSize, fragment, fullDate, h, icon, popup, clockTime, snowflakeDate, stamp, timestampNode } from "./dom.js";

export const FLAG = { ephemeral: 64, loading: 128, componentsV2: 1 << 15 };
const GROUP_WINDOW = 7 * 60_000;

// Markdown --------------------------------------------------------------------------------------------------------

const FENCE = /(?<!\\)```([\s\S]+?)```/g;
const DEEPEST = 12; // nesting beyond this is shown as typed: bounds the work on hostile text

/** Discord's markdown as nodes. `inline`: titles and names, where headings, lists and quotes do not exist. */
export function markdown(text, ctx, { inline = false } = {}) {
  if (inline) return fragment(inlineNodes(text, ctx));
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(FENCE)) {
    const quote = text.slice(from, match.index).search(/^>>> /m);
    if (quote >= 0) break;
    nodes.push(...blockNodes(trimBreak(text.slice(from, match.index)), ctx));
    nodes.push(codeBlock(match[1]));
    from = match.index + match[0].length;
    if (text[from] === "\n") from += 1;
  }
  nodes.push(...blockNodes(text.slice(from), ctx));
  return fragment(nodes);
}

function codeBlock(text) {
  const language = /^([a-z0-9_+\-.#]{1,20})\n(?=[\s\S]*\S)/i.exec(text);
  const body = language ? text.slice(language[0].length) : text;
  const lines = body.split("\n");
  while (lines.length > 1 && !lines[0].trim()) lines.shift();
  while (lines.length > 1 && !lines.at(-1).trim()) lines.pop();
  return h("pre", {}, h("code", language ? { "data-language": language[1] } : {}, lines.join("\n")));
}

const trimBreak = (text) => (text.endsWith("\n") ? text.slice(0, -1) : text);

const BLOCKS = [
  [/^>>> ?/, longQuote],
  [/^> /, quote],
  [/^#{1,3} +\S/, heading],
  [/^-# +\S/, smallText],
  [/^ *(?:[-*]|\d+\.) +\S/, list],
];

function blockNodes(text, ctx) {
  if (!text) return [];
  const lines = text.split("\n");
  const nodes = [];
  let plain = [];
  const flush = () => {
    if (plain.length) nodes.push(h("span", { class: "text" }, inlineNodes(plain.join("\n"), ctx)));
    plain = [];
  };
  while (lines.length) {
    const block = BLOCKS.find(([pattern]) => pattern.test(lines[0]));
    if (!block) plain.push(lines.shift());
    else {
      flush();
      nodes.push(block[1](lines, ctx));
    }
  }
  flush();
  return nodes;
}

function takeWhile(lines, pattern) {
  const taken = [];
  while (lines.length && pattern.test(lines[0])) taken.push(lines.shift());
  return taken;
}

function longQuote(lines, ctx) {
  const rest = lines.splice(0).join("\n").replace(/^>>> ?/, "");
  return h("blockquote", {}, blockNodes(rest, ctx));
}

function quote(lines, ctx) {
  const inner = takeWhile(lines, /^> /).map((line) => line.slice(2));
  return h("blockquote", {}, blockNodes(inner.join("\n"), ctx));
}

function heading(lines, ctx) {
  const [, marks, text] = /^(#{1,3}) +(.*)$/.exec(lines.shift());
  return h(`h${marks.length + 2}`, { class: `heading-${marks.length}` }, inlineNodes(text, ctx));
}

function smallText(lines, ctx) {
  return h("small", { class: "subtext" }, inlineNodes(lines.shift().replace(/^-# +/, ""), ctx));
}

function list(lines, ctx) {
  const items = takeWhile(lines, /^ *(?:[-*]|\d+\.) +\S/).map((line) => /^( *)([-*]|\d+\.) +(.*)$/.exec(line));
  const levels = [];
  while (items.length) levels.push(listLevel(items, ctx));
  return fragment(levels);
}

function listLevel(items, ctx) {
  const [, indent, mark] = items[0];
  const ordered = /\d/.test(mark);
  const node = h(ordered ? "ol" : "ul", ordered ? { start: Number.parseInt(mark, 10) } : {});
  const same = (item) => item[1].length > indent.length || (item[1].length === indent.length && /\d/.test(item[2]) === ordered);
  while (items.length && same(items[0])) {
    const [, , , text] = items.shift();
    const item = h("li", {}, inlineNodes(text, ctx));
    if (items.length && items[0][1].length > indent.length) item.append(listLevel(items, ctx));
    node.append(item);
  }
  return node;
}

// Each rule starts at the position of `lastIndex` (sticky) and returns a node, or null to let the character stand.
const wrap = (tag, className) => (match, ctx) => h(tag, className ? { class: className } : {}, inlineNodes(match[1] ?? match[2], ctx));
const RULES = {
  "\\": [[/\\([^0-9A-Za-z\s])/y, (match) => document.createTextNode(match[1])]],
  "`": [[/(`+)([\s\S]*?[^`])\1(?!`)/y, (match) => h("code", {}, match[2].trim() || match[2])]],
  "*": [
    [/\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/y, wrap("strong")],
    [/\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)/y, wrap("em")],
  ],
  _: [
    [/__((?:\\[\s\S]|[^\\])+?)__(?!_)/y, wrap("u")],
    [/\b_((?:__|\\[\s\S]|[^\\_])+?)_\b/y, wrap("em")],
  ],
  "~": [[/~~(?=\S)((?:\\[\s\S]|[^\\])*?\S)~~(?!_)/y, wrap("s")]],
  "|": [[/\|\|((?:\\[\s\S]|[^\\])+?)\|\|/y, (match, ctx) => spoiler(inlineNodes(match[1], ctx))]],
  "[": [[/\[((?:\\.|[^[\]\\\n])+)\]\(<?(https?:\/\/[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"\n]*")?\)/y, (match, ctx) => link(match[2], inlineNodes(match[1], ctx))]],
  h: [[/https?:\/\/[^\s<]+[^<.,:;"'\]\s]/y, autoLink]],
  "@": [[/@(everyone|here)\b/y, (match) => h("span", { class: "mention" }, match[0])]],
  "<": [
    [/<(https?:\/\/[^\s<>]+)>/y, (match) => link(match[1], match[1])],
    [/<@!?(\d{5,25})>/y, (match, ctx) => userMention(match[1], ctx)],
    [/<@&(\d{5,25})>/y, (match, ctx) => h("span", { class: "mention" }, `@${ctx.role(match[1])?.name ?? "unknown role"}`)],
    [/<#(\d{5,25})>/y, (match, ctx) => channelMention(match[1], ctx)],
    [/<\/([^:>\n]{1,100}):\d{1,25}>/y, (match, ctx) => h("button", { type: "button", class: "mention", onclick: () => ctx.useCommand(match[1]) }, `/${match[1]}`)],
    [/<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y, (match) => timestampNode(Number(match[1]), match[2])],
    [/<a?:(\w{1,40}):(\d{5,25})>/y, (match) => emojiNode({ id: match[2], name: match[1] })],
  ],
};
const SPECIAL = /[\\`*_~|[<@]|https?:\/\//g;

let depth = 0;

function inlineNodes(text, ctx) {
  if (depth >= DEEPEST) return [text];
  depth += 1;
  const nodes = scanInline(text, ctx);
  depth -= 1;
  return nodes;
}

function scanInline(text, ctx) {
  const nodes = [];
  let at = 0;
  let plainFrom = 0;
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const special = SPECIAL.exec(text);
    if (!special) break;
    at = special.index;
    const [node, end] = applyRule(text, at, ctx);
    if (!node) at += text[at] === "`" ? /^`+/.exec(text.slice(at))[0].length : 1;
    else {
      if (at > plainFrom) nodes.push(text.slice(plainFrom, at));
      nodes.push(node);
      at = plainFrom = end;
    }
  }
  if (plainFrom < text.length) nodes.push(text.slice(plainFrom));
  return nodes;
}

function applyRule(text, at, ctx) {
  for (const [pattern, build] of RULES[text[at]] ?? []) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const end = pattern.lastIndex;
    if (!match) continue;
    const node = build(match, ctx);
    if (node) return [node, node.consumed ?? end];
  }
  return [null, at];
}

function link(url, label) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow", title: url }, label);
}

function autoLink(match) {
  let url = match[0];
  while (url.endsWith(")") && url.split("(").length < url.split(")").length) url = url.slice(0, -1);
  const node = link(url, url);
  node.consumed = match.index + url.length;
  return node;
}

function userMention(id, ctx) {
  const user = ctx.user(id);
  const open = (event) => user && ctx.profile(event.currentTarget, user);
  return h("button", { type: "button", class: "mention", "data-user": id, onclick: open }, `@${user ? ctx.name(user) : "unknown-user"}`);
}

function channelMention(id, ctx) {
  const channel = ctx.channel(id);
  return h("button", { type: "button", class: "mention", disabled: !channel, onclick: () => ctx.openChannel(id) }, `#${channel?.name ?? "unknown"}`);
}

function spoiler(children) {
  const show = (event) => {
    if (node.classList.contains("revealed")) return;
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    node.classList.add("revealed");
    node.removeAttribute("role");
    node.removeAttribute("aria-label");
    inner.removeAttribute("aria-hidden");
  };
  const inner = h("span", { "aria-hidden": "true" }, children);
  const node = h("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": "Spoiler, press to reveal", onclick: show, onkeydown: show }, inner);
  return node;
}

/** Message text on one line, without markup: reply references, notifications. */
export function plainText(text, ctx) {
  const holder = h("div", {}, markdown(text, ctx));
  return holder.textContent.replace(/\s+/g, " ").trim();
}

// Pictures and files ----------------------------------------------------------------------------------------------

const isImage = (file) => (file.content_type ?? "").startsWith("image/") || /\.(png|jpe?g|webp|gif|avif)$/i.test(file.filename ?? "");
const isVideo = (file) => (file.content_type ?? "").startsWith("video/");

/**
 * A picture that opens the viewer. Frames keep `data-src` and `data-name` for it. A picture that is not on this
 * server is offered as a link: the page sends no request outside.
 */
function frame(item, ctx, { width = 550, height = 350, cell = false } = {}) {
  const source = ctx.local(item.proxy_url) ?? ctx.local(item.url);
  if (!source) return h("p", { class: "outside-picture" }, icon("external", 16), link(item.url, item.url));
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
function inheritPictures(before, after) {
  const old = before ? [...before.querySelectorAll(".frame")] : [];
  after?.querySelectorAll(".frame").forEach((node, index) => {
    const shown = old[index]?.querySelector("img.stale") ?? (old[index]?.classList.contains("loaded") ? old[index].querySelector("img") : null);
    if (!shown || node.classList.contains("loaded")) return;
    shown.classList.add("stale");
    shown.setAttribute("aria-hidden", "true");
    node.append(shown);
  });
}

function mosaic(items, ctx) {
  if (items.length === 1) return h("div", { class: "media" }, frame(items[0], ctx));
  const shape = items.length > 4 ? "many" : String(items.length);
  return h("div", { class: "media mosaic", "data-count": shape }, items.map((item) => frame(item, ctx, { cell: true })));
}

function fileCard(file, ctx) {
  const source = ctx.local(file.url);
  const name = source ? h("a", { href: source, target: "_blank", rel: "noopener noreferrer" }, file.filename) : file.filename;
  const save = source ? h("a", { class: "icon-button", href: source, download: file.filename, "aria-label": `Download ${file.filename}` }, icon("download")) : null;
  const size = file.size === undefined ? null : h("small", {}, fileSize(file.size));
  return h("div", { class: "file-card" }, icon("file", 30), h("div", { class: "file-name" }, name, size), save);
}

function attachments(files, ctx) {
  if (!files?.length) return null;
  const pictures = files.filter(isImage);
  const videos = files.filter((file) => isVideo(file) && ctx.local(file.url));
  const rest = files.filter((file) => !pictures.includes(file) && !videos.includes(file));
  return h("div", { class: "attachments" },
    pictures.length ? mosaic(pictures, ctx) : null,
    videos.map((file) => h("video", { src: ctx.local(file.url), controls: true, "aria-label": file.filename })),
    rest.map((file) => fileCard(file, ctx)));
}

// Embeds ----------------------------------------------------------------------------------------------------------

function embeds(items, ctx) {
  const shown = (items ?? []).filter((embed) => !["image", "gifv"].includes(embed.type));
  return shown.length ? h("div", { class: "embeds" }, shown.map((item) => embedNode(item, ctx))) : null;
}

const colour = (value) => `#${(value & 0xffffff).toString(16).padStart(6, "0")}`;

function embedNode(item, ctx) {
  const body = h("div", { class: "embed-body" },
    item.provider?.name ? h("div", { class: "embed-provider" }, item.provider.name) : null,
    item.author?.name ? h("div", { class: "embed-author" }, maybeLink(item.author.url, item.author.name)) : null,
    item.title ? h("div", { class: "embed-title" }, maybeLink(item.url, markdown(item.title, ctx, { inline: true }))) : null,
    item.description ? h("div", { class: "embed-description markup" }, markdown(item.description, ctx)) : null,
    embedFields(item.fields, ctx));
  const thumb = item.thumbnail ? h("div", { class: "embed-thumbnail" }, frame(item.thumbnail, ctx, { width: 80, height: 80 })) : null;
  const image = item.image ? h("div", { class: "embed-image" }, frame(item.image, ctx, { width: 400, height: 300 })) : null;
  const style = item.color === undefined || item.color === null ? {} : { "border-left-color": colour(item.color) };
  return h("article", { class: "embed", style }, body, thumb, image, embedFooter(item));
}

const maybeLink = (url, label) => (url && /^https?:/.test(url) ? link(url, label) : label);

function embedFields(fields, ctx) {
  if (!fields?.length) return null;
  const rows = fields.map((field) => h("div", { class: field.inline ? "embed-field inline" : "embed-field" },
    h("div", { class: "embed-field-name" }, markdown(field.name, ctx, { inline: true })),
    h("div", { class: "embed-field-value markup" }, markdown(field.value, ctx))));
  return h("div", { class: "embed-fields" }, rows);
}

function embedFooter(item) {
  const parts = [item.footer?.text, item.timestamp ? stamp(new Date(item.timestamp)) : null].filter(Boolean);
  return parts.length ? h("div", { class: "embed-footer" }, parts.join(" • ")) : null;
}

// Components ------------------------------------------------------------------------------------------------------

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

function componentNode(item, view) {
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

export const dots = () => h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));

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

// The message -----------------------------------------------------------------------------------------------------

/** `name, key, build` of every part below the header: a part is built anew only when its key changed. */
const PARTS = [
  ["context", (m) => [m.referenced_message, m.message_reference, m.interaction, m.interaction_metadata?.user, m.type], contextLine],
  ["content", (m) => [m.content, m.edited_timestamp, m.flags & FLAG.loading, m.type], contentNode],
  ["attachments", (m) => (m.flags & FLAG.componentsV2 ? [] : m.attachments), (view) => (view.message.flags & FLAG.componentsV2 ? null : attachments(view.message.attachments, view.ctx))],
  ["embeds", (m) => m.embeds, (view) => embeds(view.message.embeds, view.ctx)],
  ["components", (m) => m.components, (view) => (view.message.components?.length ? h("div", { class: "components" }, view.message.components.map((item) => componentNode(item, view))) : null)],
  ["failure", (m, view) => view.failure, (view) => (view.failure ? h("div", { class: "interaction-failure", role: "alert" }, icon("warning", 16), view.failure) : null)],
  ["reactions", (m) => m.reactions, reactionsNode],
  ["notice", (m) => [m.flags & FLAG.ephemeral, m.failed], ephemeralNotice],
];

function contextLine(view) {
  const { message, ctx } = view;
  const command = message.interaction ?? (message.interaction_metadata?.type === 2 && message.interaction_metadata.name ? message.interaction_metadata : null);
  if (command && command.type === 2) return commandLine(command, message.type === 23 ? "" : "/", ctx);
  if (message.type !== 19 || !message.message_reference) return null;
  const source = message.referenced_message;
  const jump = () => ctx.jump(message.message_reference.message_id);
  if (!source) return h("div", { class: "context" }, h("span", { class: "spine" }), h("span", { class: "context-text" }, "Original message was deleted"));
  const snippet = plainText(source.content ?? "", ctx) || (source.attachments?.length || source.embeds?.length ? "Click to see attachment" : "Click to see message");
  return h("div", { class: "context" }, h("span", { class: "spine" }), avatar(source.author, ctx.avatar(source.author), 16),
    source.author.bot ? badge() : null,
    h("button", { type: "button", class: "context-name", onclick: (event) => ctx.profile(event.currentTarget, source.author) }, `@${ctx.name(source.author)}`),
    h("button", { type: "button", class: "context-text", "aria-label": `Go to the message replied to: ${snippet}`, onclick: jump }, snippet));
}

function commandLine(command, slash, ctx) {
  return h("div", { class: "context" }, h("span", { class: "spine" }), avatar(command.user, ctx.avatar(command.user), 16),
    h("button", { type: "button", class: "context-name", onclick: (event) => ctx.profile(event.currentTarget, command.user) }, ctx.name(command.user)),
    " used ", h("span", { class: "command-name" }, `${slash}${command.name}`));
}

export const badge = () => h("span", { class: "badge" }, "APP");

const SYSTEM_NOTES = {
  6: () => "pinned a message to this channel.",
  7: () => "joined the server. Welcome!",
  18: (message) => `started a thread: ${message.content}`,
};

function contentNode(view) {
  const { message, ctx } = view;
  const note = SYSTEM_NOTES[message.type];
  if (note) return h("div", { class: "content system" }, note(message));
  if (message.flags & FLAG.loading) return h("div", { class: "content thinking" }, dots(), h("span", {}, message.pendingText ?? `${ctx.name(message.author)} is thinking…`));
  if (message.failed) return h("div", { class: "content failed" }, icon("warning", 16), message.failed);
  if (!message.content) return null;
  const edited = message.edited_timestamp ? h("span", { class: "edited", title: fullDate(new Date(message.edited_timestamp)) }, " (edited)") : null;
  const node = h("div", { class: `content markup${onlyEmoji(message.content) ? " jumbo" : ""}` }, markdown(message.content, ctx));
  if (edited) (node.lastElementChild?.matches("span.text") ? node.lastElementChild : node).append(edited);
  return node;
}

const onlyEmoji = (text) => text.length < 120 && /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f|\s)+$/u.test(text);

function reactionsNode({ message, ctx }) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map((reaction) => h("button", {
    type: "button", class: `reaction${reaction.me ? " mine" : ""}`, "aria-pressed": String(Boolean(reaction.me)),
    "aria-label": `${reaction.emoji.name}, ${reaction.count}`, onclick: () => ctx.react(message, reaction.emoji, !reaction.me),
  }, emojiNode(reaction.emoji), h("span", {}, reaction.count))));
}

function ephemeralNotice({ message, ctx }) {
  if (!(message.flags & FLAG.ephemeral)) return null;
  return h("div", { class: "ephemeral-notice" }, icon("eye", 16), "Only you can see this • ",
    h("button", { type: "button", class: "link", onclick: () => ctx.dismiss(message) }, "Dismiss message"));
}

/** The node of one message, kept up to date by `update`. `waiting` holds the custom ids of clicks without an answer. */
export class MessageView {
  constructor(message, ctx) {
    this.ctx = ctx;
    this.waiting = new Set();
    this.failure = null;
    this.keys = {};
    this.slots = Object.fromEntries(PARTS.map(([name]) => [name, document.createComment(name)]));
    this.el = this.#shell(message);
    this.update(message);
  }

  #shell(message) {
    const { ctx } = this;
    const { author } = message;
    const date = new Date(message.timestamp ?? snowflakeDate(message.id));
    this.date = date;
    const picture = h("button", { type: "button", class: "avatar-button", tabindex: "-1", "aria-label": ctx.name(author), onclick: (event) => ctx.profile(event.currentTarget, author) }, avatar(author, ctx.avatar(author)));
    const name = h("button", { type: "button", class: "author", style: ctx.nameStyle(author), onclick: (event) => ctx.profile(event.currentTarget, author) }, ctx.name(author));
    const header = h("div", { class: "header" }, name, author.bot ? badge() : null, h("time", { datetime: date.toISOString(), title: fullDate(date) }, stamp(date)));
    this.divider = h("div", { class: "day", role: "separator", hidden: true });
    const article = h("article", { class: "message", tabindex: "-1", "aria-label": `Message of ${ctx.name(author)}, ${stamp(date)}`, oncontextmenu: (event) => this.#menu(event) },
      this.slots.context, picture, h("time", { class: "side-time", datetime: date.toISOString(), title: fullDate(date) }, clockTime(date)), header,
      PARTS.slice(1).map(([part]) => this.slots[part]), this.#toolbar());
    return h("li", { id: `m-${message.id}`, "data-id": message.id }, this.divider, article);
  }

  #toolbar() {
    const { ctx } = this;
    const tool = (name, label, action) => h("button", { type: "button", class: "tool", "aria-label": label, title: label, onclick: (event) => action(event.currentTarget) }, icon(name));
    return h("div", { class: "toolbar", role: "group", "aria-label": "Message actions" },
      tool("smile", "Add reaction", (node) => ctx.pickReaction(node, this.message)),
      tool("reply", "Reply", () => ctx.replyTo(this.message)),
      tool("dots", "More", (node) => ctx.menu(node, this)));
  }

  #menu(event) {
    if (event.target.closest("a") || String(getSelection())) return;
    event.preventDefault();
    const box = this.el.getBoundingClientRect();
    this.ctx.menu({ x: event.clientX || box.left + 60, y: event.clientY || box.top + 20 }, this);
  }

  update(message) {
    this.message = message;
    for (const [name, key, build] of PARTS) {
      const value = JSON.stringify(key(message, this) ?? null);
      if (this.keys[name] === value) continue;
      this.keys[name] = value;
      this.#replace(name, build(this));
    }
    this.el.classList.toggle("mentioned", this.ctx.pinged(message));
    this.el.classList.toggle("ephemeral", Boolean(message.flags & FLAG.ephemeral));
    this.el.classList.toggle("sending", Boolean(message.sending));
  }

  #replace(name, node) {
    const before = this.slots[name];
    const after = node ?? document.createComment(name);
    const focused = before instanceof Element && before.contains(document.activeElement) ? document.activeElement.dataset.customId : null;
    if (before instanceof Element && node) inheritPictures(before, node);
    before.replaceWith(after);
    this.slots[name] = after;
    if (focused) [...after.querySelectorAll("[data-custom-id]")].find((item) => item.dataset.customId === focused)?.focus({ preventScroll: true });
  }

  /** A click on a component: shown as waiting until the server tells how it went. */
  async press(item, values) {
    if (this.waiting.has(item.custom_id)) return;
    this.waiting.add(item.custom_id);
    this.#failed(null);
    this.#busy(item.custom_id, true);
    const failure = await this.ctx.press(this.message, item, values);
    this.waiting.delete(item.custom_id);
    this.#busy(item.custom_id, false);
    this.#failed(failure);
  }

  #busy(customId, busy) {
    const node = [...this.el.querySelectorAll("[data-custom-id]")].find((item) => item.dataset.customId === customId);
    node?.setAttribute("aria-busy", String(busy));
  }

  #failed(text) {
    this.failure = text;
    this.update(this.message);
  }

  /** Group with the message before, and show a day divider where the day changed. */
  follow(previous) {
    const sameDay = previous && previous.date.toDateString() === this.date.toDateString();
    this.divider.hidden = Boolean(sameDay);
    if (!sameDay) this.divider.replaceChildren(h("span", {}, new Intl.DateTimeFormat("en-US", { dateStyle: "long" }).format(this.date)));
    const m = this.message;
    const grouped = sameDay && previous.message.author.id === m.author.id && this.date - previous.date < GROUP_WINDOW && this.slots.context instanceof Comment
      && Boolean(previous.message.flags & FLAG.ephemeral) === Boolean(m.flags & FLAG.ephemeral) && (m.type === 0 || m.type === undefined) && previous.message.type !== 7;
    this.el.classList.toggle("grouped", Boolean(grouped));
  }
}
