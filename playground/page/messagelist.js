// The messages of the open channel: in order, growing at both ends, staying at the present unless a person scrolls away.

import { h, icon } from "./dom.js";
import { FLAG, MessageView } from "./message.js";
import { toast } from "./popup.js";
import { store } from "./store.js";

const PAGE_SIZE = 50;
const MOST_SHOWN = 300;

export class MessageList {
  /** `onPage()` runs when the oldest end changed; `onLeave()` when the keyboard shall go back to the message box. */
  constructor(rest, ctx, { onPage, onLeave }) {
    this.rest = rest;
    this.ctx = ctx;
    this.onPage = onPage;
    this.onLeave = onLeave;
    this.scroller = document.getElementById("scroller");
    this.element = document.getElementById("messages");
    this.present = document.getElementById("present");
    this.views = new Map();
    this.order = [];
    this.stuck = true;
    this.lastTop = 0;
    this.lastHeight = 0;
    this.unseen = 0;
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.scroller.addEventListener("keydown", (event) => this.#keys(event));
    const observer = new ResizeObserver(() => this.stuck && this.#bottom());
    observer.observe(document.getElementById("scroller-inner"));
    observer.observe(this.scroller);
  }

  async open(channelId) {
    this.channelId = channelId;
    this.clear();
    this.element.append(...skeleton());
    const messages = await this.rest.call("GET", `/channels/${channelId}/messages?limit=${PAGE_SIZE}`);
    if (this.channelId !== channelId) return;
    this.clear();
    this.complete = messages.length < PAGE_SIZE;
    for (const message of messages.reverse()) this.#insert(message);
    this.#bottom();
  }

  clear() {
    this.views.clear();
    this.order = [];
    this.element.replaceChildren();
    this.complete = false;
    this.stuck = true;
    this.unseen = 0;
    this.#bar();
  }

  /** After a new session: what was missed is fetched, what vanished goes; views that stay keep their place. */
  async refresh() {
    const { channelId } = this;
    const messages = await this.rest.call("GET", `/channels/${channelId}/messages?limit=${PAGE_SIZE}`);
    if (this.channelId !== channelId) return;
    const alive = new Set(messages.map((message) => message.id));
    const oldest = messages.at(-1)?.id ?? "0";
    for (const id of [...this.order]) {
      const gone = BigInt(id) >= BigInt(oldest) && !alive.has(id) && !(this.views.get(id).message.flags & FLAG.ephemeral);
      if (gone) this.remove(id);
    }
    for (const message of messages.reverse()) this.add(message);
  }

  add(message) {
    const view = this.views.get(message.id);
    if (view) return view.update({ ...view.message, ...message });
    const made = this.#insert(message);
    if (this.stuck) this.#trim();
    if (this.stuck) this.#bottom();
    else this.unseen += message.author.id === store.me.id ? 0 : 1;
    this.#bar();
    return made;
  }

  /** A page that stays open for days forgets what scrolled far away; scrolling up fetches it again. */
  #trim() {
    if (this.order.length <= MOST_SHOWN) return;
    for (const id of this.order.slice(0, PAGE_SIZE)) this.remove(id);
    this.complete = false;
    this.onPage();
  }

  #insert(message) {
    const view = new MessageView(message, this.ctx);
    const after = this.order.findLastIndex((id) => BigInt(id) < BigInt(message.id));
    this.views.set(message.id, view);
    this.order.splice(after + 1, 0, message.id);
    const next = this.views.get(this.order[after + 2]);
    this.element.insertBefore(view.el, next?.el ?? null);
    view.follow(this.views.get(this.order[after]));
    next?.follow(view);
    return view;
  }

  remove(id) {
    const view = this.views.get(id);
    if (!view) return;
    const at = this.order.indexOf(id);
    const held = view.el.contains(document.activeElement);
    this.order.splice(at, 1);
    this.views.delete(id);
    view.el.remove();
    this.views.get(this.order[at])?.follow(this.views.get(this.order[at - 1]));
    for (const other of this.views.values()) {
      if (other.message.message_reference?.message_id === id) other.update({ ...other.message, referenced_message: null });
    }
    if (held) this.onLeave();
  }

  async #older() {
    if (this.loading || this.complete || !this.order.length) return;
    this.loading = true;
    const { channelId } = this;
    try {
      const messages = await this.rest.call("GET", `/channels/${channelId}/messages?limit=${PAGE_SIZE}&before=${this.order[0]}`);
      if (this.channelId !== channelId) return;
      this.complete = messages.length < PAGE_SIZE;
      const anchor = this.views.get(this.order[0]).el;
      const top = anchor.getBoundingClientRect().top;
      for (const message of messages) this.#insert(message);
      this.scroller.scrollTop += anchor.getBoundingClientRect().top - top;
      this.onPage();
    } catch (error) {
      toast(error.message, true);
    } finally {
      this.loading = false;
    }
  }

  async jump(id) {
    for (let pages = 0; !this.views.has(id) && !this.complete && pages < 40; pages += 1) {
      this.stuck = false;
      await this.#older();
    }
    const view = this.views.get(id);
    if (!view) return toast("That message is no longer there.", true);
    this.stuck = false;
    view.el.scrollIntoView({ block: "center" });
    view.el.querySelector("article").focus({ preventScroll: true });
    view.el.classList.add("flash");
    setTimeout(() => view.el.classList.remove("flash"), 2000);
    return this.#scrolled();
  }

  toPresent() {
    this.stuck = true;
    this.#bottom();
    this.unseen = 0;
    this.#bar();
  }

  #bottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #scrolled() {
    const { scroller } = this;
    const rest = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    // A person who moves upwards leaves the present; content that grew or shrank under the window does not.
    if (rest < 40) this.stuck = true;
    else if (scroller.scrollTop < this.lastTop - 1 && scroller.scrollHeight === this.lastHeight) this.stuck = false;
    else if (this.stuck) this.#bottom();
    this.lastTop = scroller.scrollTop;
    this.lastHeight = scroller.scrollHeight;
    if (this.stuck) this.unseen = 0;
    if (scroller.scrollTop < 400) this.#older();
    this.#bar(rest);
  }

  #bar(rest = 0) {
    const bar = this.present;
    bar.hidden = this.stuck || (!this.unseen && rest < innerHeight);
    if (bar.hidden) return;
    const text = this.unseen ? `${this.unseen} new message${this.unseen > 1 ? "s" : ""}` : "You're viewing older messages";
    bar.replaceChildren(h("span", {}, text), h("strong", {}, "Jump to present ", icon("down", 16)));
  }

  /** Arrow keys walk from message to message once the list or a message has the focus. */
  #keys(event) {
    const article = event.target.closest("article.message");
    if (event.target !== this.scroller && event.target !== article) return;
    if (event.key === "Escape") {
      this.toPresent();
      return this.onLeave();
    }
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !this.order.length) return;
    event.preventDefault();
    const at = article ? this.order.indexOf(article.parentElement.dataset.id) + step : this.order.length - 1;
    const next = this.views.get(this.order[Math.max(0, Math.min(at, this.order.length - 1))]);
    next.el.querySelector("article").focus();
  }
}

const skeleton = () => [70, 45, 85, 60].map((width) => h("li", { class: "skeleton", "aria-hidden": "true" }, h("i"), h("b", { style: { width: `${width}%` } })));
