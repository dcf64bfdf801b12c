// Discord's markdown as document nodes.
// `ctx` (made in page.js) answers what text cannot know: people, roles, channels, and what a click on a mention does.

import { emojiNode, fragment, h, timestampNode } from "./dom.js";
import { placeLink } from "./places.js";

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
  "[": [[/\[((?:\\.|[^[\]\\\n])+)\]\(<?(https?:\/\/[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"\n]*")?\)/y, (match, ctx) => link(match[2], inlineNodes(match[1], ctx), ctx)]],
  "-": [[/(?<![\w-])--[A-Za-z][\w-]{0,30}(?![\w-])/y, (match) => h("span", { class: "flag" }, match[0])]], // a browser would end a line after its dashes
  h: [[/https?:\/\/[^\s<]+[^<.,:;"'\]\s]/y, autoLink]],
  "@": [[/@(everyone|here)\b/y, (match) => h("span", { class: "mention" }, match[0])]],
  "<": [
    [/<(https?:\/\/[^\s<>]+)>/y, (match, ctx) => link(match[1], match[1], ctx)],
    [/<@!?(\d{5,25})>/y, (match, ctx) => userMention(match[1], ctx)],
    [/<@&(\d{5,25})>/y, (match, ctx) => h("span", { class: "mention" }, `@${ctx.role(match[1])?.name ?? "unknown role"}`)],
    [/<#(\d{5,25})>/y, (match, ctx) => channelMention(match[1], ctx)],
    [/<\/([^:>\n]{1,100}):\d{1,25}>/y, (match, ctx) => h("button", { type: "button", class: "mention", onclick: () => ctx.useCommand(match[1]) }, `/${match[1]}`)],
    [/<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y, (match) => timestampNode(Number(match[1]), match[2])],
    [/<a?:(\w{1,40}):(\d{5,25})>/y, (match) => emojiNode({ id: match[2], name: match[1] })],
  ],
};
const SPECIAL = /[\\`*_~|[<@]|--(?=[A-Za-z])|https?:\/\//g;

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

export function link(url, label, ctx) {
  return placeLink(url, label, ctx) ?? h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow", title: url }, label);
}

function autoLink(match, ctx) {
  let url = match[0];
  while (url.endsWith(")") && url.split("(").length < url.split(")").length) url = url.slice(0, -1);
  const node = link(url, url, ctx);
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

export function spoiler(children) {
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
