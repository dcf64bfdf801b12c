// Links to channels and messages of this Discord: they lead there instead of leaving the page.

import { h } from "./dom.js";

const PLACE = /^https:\/\/(?:(?:canary|ptb)\.)?discord(?:app)?\.com\/channels\/(?:@me|\d{1,25})\/(\d{1,25})(?:\/(\d{1,25}))?\/?$/;

/** The link to a place that this page knows, or null. A bare address is shown as Discord does: `#channel › 💬`. */
export function placeLink(url, label, ctx) {
  const [, channelId, messageId] = PLACE.exec(url) ?? [];
  const name = channelId && ctx.placeName(channelId);
  if (!name) return null;
  const go = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a window of its own
    event.preventDefault();
    ctx.goTo(channelId, messageId);
  };
  if (label !== url) return h("a", { href: `#${channelId}`, title: url, onclick: go }, label);
  return h("a", { class: "mention", href: `#${channelId}`, title: url, onclick: go }, messageId ? `${name} › 💬` : name);
}
