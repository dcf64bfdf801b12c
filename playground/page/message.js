// One message as a document node that follows its changes: header, text, attachments, embeds, components, reactions.
// `ctx` (made in page.js) answers what a message cannot know: people, roles, channels, and what a click does.

import { componentNode } from "./components.js";
import { avatar, badge, clockTime, dots, emojiNode, fullDate, h, icon, snowflakeDate, stamp } from "./dom.js";
import { embeds } from "./embeds.js";
import { markdown, plainText } from "./markdown.js";
import { attachments, inheritPictures } from "./media.js";

export const FLAG = { ephemeral: 64, loading: 128, componentsV2: 1 << 15 };
const GROUP_WINDOW = 7 * 60_000;

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
    if (focused && node) [...node.querySelectorAll("[data-custom-id]")].find((item) => item.dataset.customId === focused)?.focus({ preventScroll: true });
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
