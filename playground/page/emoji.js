// The small set of emoji the page offers, as a grid to pick from.

import { h } from "./dom.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🔥", "🎉", "✨", "👀", "🙏", "💯", "⭐", "✅", "❌", "✉️", "❓"];

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
