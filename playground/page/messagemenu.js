// What can be done with a message: its menu, and the choice of a reaction.

import { h } from "./dom.js";
import { emojiGrid } from "./emoji.js";
import { FLAG } from "./message.js";
import { closePopup, menu, popup, toast } from "./popup.js";
import { store } from "./store.js";

const QUICK_REACTIONS = ["👍", "❤️", "😂", "❌"];

const copy = (text) => () => navigator.clipboard.writeText(text).then(() => toast("Copied"), () => toast("The browser does not allow copying here.", true));

export function messageMenu(anchor, message, ctx) {
  const own = message.author.id === store.me.id;
  const hidden = Boolean(message.flags & FLAG.ephemeral);
  const apps = store.commands.application_commands.filter((command) => command.type === 3);
  const react = (emoji) => () => {
    closePopup(true);
    ctx.react(message, { name: emoji, id: null }, true);
  };
  const quick = QUICK_REACTIONS.map((emoji) => h("button", { type: "button", class: "emoji-choice", role: "menuitem", tabindex: "-1", "aria-label": `React with ${emoji}`, onclick: react(emoji) }, emoji));
  const items = [
    hidden ? null : { node: h("div", { class: "menu-quick", role: "group", "aria-label": "Quick reactions" }, quick) },
    { label: "Reply", icon: "reply", disabled: hidden, action: () => ctx.replyTo(message) },
    { label: "Copy Text", icon: "copy", disabled: !message.content, action: copy(message.content) },
    apps.length && !hidden ? { label: "Apps", items: apps.map((command) => ({ label: command.name, icon: "apps", action: () => ctx.runTargeted(command, message.id) })) } : null,
    { label: "Copy Message ID", icon: "id", action: copy(message.id) },
    hidden ? { label: "Dismiss Message", icon: "close", action: () => ctx.dismiss(message) } : null,
    own ? { label: "Delete Message", icon: "trash", danger: true, action: () => ctx.remove(message) } : null,
  ].filter(Boolean);
  menu(anchor, items, "Message", { place: anchor instanceof Element ? "beside" : "below" });
}

export function pickReaction(anchor, message, ctx) {
  const layer = popup(anchor, emojiGrid((emoji) => {
    closePopup(true);
    ctx.react(message, { name: emoji, id: null }, true);
  }), { place: "beside" });
  layer.querySelector("button").focus();
}
