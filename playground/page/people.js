// People as the page shows them: the status dot, the list of members, the card of one person.

import { avatar, badge, h, longDate, snowflakeDate } from "./dom.js";
import { closePopup, popup } from "./popup.js";
import { avatarOf, guildNow, membersNow, nameOf, nameStyle, rolesOf, statusOf, store } from "./store.js";

const STATUS_WORDS = { online: "Online", idle: "Idle", dnd: "Do Not Disturb", offline: "Offline" };

export function statusDot(id) {
  const status = statusOf(id);
  return h("span", { class: `status status-${status}`, role: "img", "aria-label": STATUS_WORDS[status] ?? "Offline" });
}

export function paintMembers(ctx) {
  const panel = document.getElementById("members");
  if (!guildNow()) return panel.replaceChildren();
  const people = membersNow().sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  const here = people.filter((user) => statusOf(user.id) !== "offline");
  const away = people.filter((user) => !here.includes(user));
  const row = (user) => h("button", { type: "button", class: "member", onclick: (event) => ctx.profile(event.currentTarget, user) },
    h("span", { class: "avatar-wrap" }, avatar(user, avatarOf(user), 32), statusDot(user.id)), h("span", { class: "member-name", style: nameStyle(user) }, nameOf(user)), user.bot ? badge() : null);
  const group = (title, users, className) => (users.length ? [h("h3", {}, `${title} — ${users.length}`), h("div", { class: className }, users.map(row))] : []);
  return panel.replaceChildren(...group("Online", here, "here"), ...group("Offline", away, "away"));
}

/** The card of a person, beside `anchor`. */
export function profile(anchor, user, ctx) {
  const known = store.users.get(user.id) ?? user;
  const roles = rolesOf(user.id);
  const commands = store.commands.application_commands.filter((command) => command.type === 2);
  const after = (action) => () => {
    closePopup();
    action();
  };
  const card = h("div", { class: "profile", role: "dialog", "aria-label": nameOf(known) },
    h("div", { class: "profile-banner" }), h("div", { class: "profile-avatar" }, avatar(known, avatarOf(known), 72), statusDot(known.id)),
    h("div", { class: "profile-body" },
      h("h3", {}, nameOf(known), known.bot ? badge() : null), h("p", { class: "subtext" }, known.username),
      roles.length ? h("p", { class: "profile-roles" }, roles.map((role) => h("span", { class: "chip" }, role.name))) : null,
      h("p", { class: "subtext" }, `Since ${longDate(snowflakeDate(known.id))}`),
      known.id === store.me.id ? null : h("button", { type: "button", class: "btn btn-1", onclick: after(() => ctx.openDirect(known)) }, "Message"),
      commands.map((command) => h("button", { type: "button", class: "btn btn-2", onclick: after(() => ctx.runTargeted(command, known.id)) }, command.name))));
  popup(anchor, card).querySelector("button")?.focus();
}
