// The frame around the messages: the bar above, the beginning of a channel, who is typing, and what is announced.

import { h, icon } from "./dom.js";
import { plainText } from "./markdown.js";
import { openDrawer } from "./sidebar.js";
import { CHANNEL, bot, channelNow, channelTitle, guildNow, isBotOnline, nameOf, store } from "./store.js";

const EXAMPLE = "a red fox on a blue background";
const $ = (id) => document.getElementById(id);

export function paintTopbar() {
  const channel = channelNow();
  const direct = channel.type === CHANNEL.direct;
  const drawer = h("button", { type: "button", class: "icon-button only-narrow", "aria-label": "Channels", "aria-controls": "drawer", onclick: () => openDrawer(true) }, icon("menu", 24));
  const topic = channel.topic ? h("span", { class: "topic", title: channel.topic }, channel.topic) : null;
  const people = direct ? null : h("button", { type: "button", class: "icon-button", id: "toggle-members", "aria-label": "Members", "aria-pressed": String(document.body.classList.contains("with-members")), onclick: toggleMembers }, icon("people", 24));
  $("topbar").replaceChildren(...[drawer, icon(direct ? "at" : "hash", 24), h("h2", { class: "channel-title" }, channelTitle(channel)), topic, h("span", { class: "grow" }), people].filter(Boolean));
  document.body.classList.toggle("direct", direct);
}

function toggleMembers() {
  showMembers(!document.body.classList.contains("with-members"));
}

export function showMembers(on) {
  document.body.classList.toggle("with-members", on);
  $("toggle-members")?.setAttribute("aria-pressed", String(on));
}

export function clearBeginning() {
  $("beginning").replaceChildren();
}

/** Once the oldest message is shown: where this is, and for a channel without pictures the first steps. */
export function paintBeginning(list, composer) {
  const channel = channelNow();
  if (!channel || !list.complete) return clearBeginning();
  const title = channelTitle(channel);
  const direct = channel.type === CHANNEL.direct;
  const text = direct ? `This is the beginning of your direct messages with ${title}.` : `This is the start of the #${title} channel.`;
  const fresh = ![...list.views.values()].some((view) => view.message.author.bot);
  return $("beginning").replaceChildren(h("section", { class: "beginning" },
    h("div", { class: "beginning-mark" }, icon(direct ? "at" : "hash", 42)), h("h2", {}, direct ? title : `Welcome to #${title}!`), h("p", {}, text), fresh ? firstSteps(composer) : null));
}

function firstSteps(composer) {
  const tryIt = () => {
    composer.startCommand("imagine ");
    if (composer.command) composer.command.fields[0]?.setText(EXAMPLE);
    composer.focus();
  };
  return h("div", { class: "first-steps" }, h("h3", {}, "Make your first picture"),
    h("p", {}, "Type ", h("kbd", {}, "/"), " and choose ", h("strong", { class: "command-name" }, "/imagine"), ", describe a picture, press ", h("kbd", {}, "Enter"), "."),
    h("button", { type: "button", class: "btn btn-1", onclick: tryIt }, "Try /imagine"));
}

export function forgetFirstSteps() {
  $("beginning").querySelector(".first-steps")?.remove();
}

export function paintTyping() {
  const names = [...(store.typing.get(store.current)?.keys() ?? [])].map((id) => nameOf({ id }));
  const text = names.length > 3 ? "Several people are typing…" : names.length ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} typing…` : "";
  $("typing").replaceChildren(...(text ? [h("span", { class: "dots small", "aria-hidden": "true" }, h("i"), h("i"), h("i")), text] : []));
}

export function paintBotNotice() {
  const notice = $("bot-notice");
  const quiet = !store.live || isBotOnline() || channelNow() === undefined;
  notice.hidden = quiet;
  notice.textContent = quiet ? "" : `${nameOf(bot())} is offline. Commands are answered again as soon as it is back.`;
}

export function paintTitle() {
  const pings = [...store.unread.values()].reduce((sum, count) => sum + count.pings, 0);
  const channel = channelNow();
  document.title = `${pings ? `(${pings}) ` : ""}${channel ? `${channel.type === CHANNEL.direct ? "@" : "#"}${channelTitle(channel)}` : "Playground"}${guildNow() ? ` | ${guildNow().name}` : ""}`;
}

/** Tell a screen reader of a new message. */
export function announce(message, ctx) {
  const pictures = message.attachments?.length ? `, ${message.attachments.length} attachment${message.attachments.length > 1 ? "s" : ""}` : "";
  const embed = message.embeds?.[0];
  const text = plainText(message.content || [embed?.title, embed?.description].filter(Boolean).join(". ") || "", ctx);
  $("announcer").textContent = `${nameOf(message.author)}: ${text}${pictures}`;
}
