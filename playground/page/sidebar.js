// The left side: servers, the channels of the open one, and who the visitor is.

import { avatar, h, icon } from "./dom.js";
import { statusDot } from "./people.js";
import { CHANNEL, avatarOf, categories, channelNow, channelTitle, directs, firstChannel, guildNow, isThread, openThreads, store, textChannels } from "./store.js";

const $ = (id) => document.getElementById(id);

export function paintSidebar(ctx) {
  paintRail(ctx);
  paintChannels(ctx);
  paintUser();
}

function paintRail(ctx) {
  const inDirect = channelNow()?.type === CHANNEL.direct;
  const entry = (label, active, content, action, unread) => h("button", { type: "button", class: `server${active ? " active" : ""}${unread ? " unread" : ""}`, "aria-label": label, title: label, "aria-current": active ? "true" : null, onclick: action }, content);
  const initials = (name) => name.split(/\s+/).map((word) => [...word][0]).join("").slice(0, 3);
  const unread = (test) => [...store.unread].some(([id, count]) => count.any && test(store.channels.get(id)));
  $("rail").replaceChildren(
    entry("Direct Messages", inDirect, icon("chat", 24), ctx.showDirects, unread((channel) => channel?.type === CHANNEL.direct)), h("div", { class: "rail-line" }),
    ...[...store.guilds.values()].map((guild) => entry(guild.name, !inDirect && guildNow()?.id === guild.id, initials(guild.name), () => ctx.openChannel(firstChannel(guild)), unread((channel) => channel?.guild_id === guild.id))));
}

function channelRow(channel, ctx) {
  const count = store.unread.get(channel.id);
  const active = channel.id === store.current;
  const direct = channel.type === CHANNEL.direct;
  const other = store.users.get(channel.recipients?.[0]?.id) ?? channel.recipients?.[0];
  const mark = direct ? h("span", { class: "avatar-wrap" }, avatar(other ?? { id: "0", username: "?" }, avatarOf(other), 32), statusDot(other?.id)) : icon(isThread(channel) ? "curve" : "hash", 20);
  const classes = ["channel", active && "active", count?.any && !active && "unread", direct && "direct", isThread(channel) && "thread"].filter(Boolean).join(" ");
  return h("button", { type: "button", class: classes, "aria-current": active ? "page" : null, onclick: () => ctx.openChannel(channel.id) },
    mark, h("span", { class: "channel-name" }, channelTitle(channel)), count?.pings && !active ? h("span", { class: "pings", "aria-label": `${count.pings} mentions` }, count.pings) : null);
}

function paintChannels(ctx) {
  const guild = guildNow();
  const row = (channel) => channelRow(channel, ctx);
  const paint = (title, ...rows) => $("channels").replaceChildren(h("div", { class: "sidebar-head" }, h("h1", {}, title)), h("div", { class: "channel-list" }, rows));
  if (!guild) return paint("Direct Messages", directs().map(row));
  const channels = textChannels(guild);
  const threads = openThreads(guild);
  const rows = (parent) => channels.filter((channel) => (channel.parent_id ?? null) === parent).flatMap((channel) => [row(channel), ...threads.filter((thread) => thread.parent_id === channel.id).map(row)]);
  return paint(guild.name, rows(null), categories(guild).map((category) => [h("h2", { class: "category" }, icon("chevron", 12), category.name), rows(category.id)]));
}

function paintUser() {
  const { me, live } = store;
  $("user-panel").replaceChildren(h("span", { class: "avatar-wrap" }, avatar(me, avatarOf(me), 32), h("span", { class: `status status-${live ? "online" : "offline"}` })),
    h("span", { class: "user-names" }, h("strong", {}, me.global_name || me.username), h("small", {}, live ? me.username : "Reconnecting…")));
}

/** On a narrow window the left side is a drawer. */
export function openDrawer(open) {
  document.body.classList.toggle("drawer-open", open);
  $("scrim").hidden = !open;
  if (open) $("channels").querySelector(".channel.active, .channel")?.focus();
}

export const isDrawerOpen = () => document.body.classList.contains("drawer-open");

/** Go to the channel above (-1) or below (+1) the open one. */
export function stepChannel(step) {
  const rows = [...$("channels").querySelectorAll(".channel")];
  const at = rows.findIndex((row) => row.classList.contains("active"));
  rows.at((at + step) % rows.length)?.click();
}
