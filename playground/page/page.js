// The page of the local Discord: a user client that speaks Discord's own user-side REST and gateway, nothing private
// but `GET /playground/session`, which says who the visitor is.

import { avatar, closePopup, h, icon, longDate, menu, openDialog, popup, refreshTimes, snowflakeDate } from "./dom.js";
import { FLAG, MessageView, badge, plainText } from "./message.js";
import { Composer, emojiGrid, leaves, openModal } from "./composer.js";

const $ = (id) => document.getElementById(id);
const TEXT_CHANNELS = new Set([0, 5]);
const THREADS = new Set([10, 11, 12]);
const DM = 1;
const PAGE_SIZE = 50;
const MOST_SHOWN = 300;
const INTERACTION_PATIENCE = 20_000; // the server says so after 3 s; this is for a connection that died meanwhile
const NO_ANSWER = "The application did not respond";

// The wire --------------------------------------------------------------------------------------------------------

class ApiError extends Error {}

class Rest {
  constructor(token) {
    this.token = token;
  }

  /** JSON in, JSON out. Waits out a rate limit; every other failure is an ApiError with words for people. */
  async call(method, path, body, tries = 4) {
    const headers = { Authorization: this.token };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await reach(`/api/v9${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const data = response.status === 204 ? null : await response.json().catch(() => null);
    if (response.status === 429 && tries > 1) {
      await pause((data?.retry_after ?? 1) * 1000);
      return this.call(method, path, body, tries - 1);
    }
    if (!response.ok) throw new ApiError(errorWords(data, response.status));
    return data;
  }
}

async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new ApiError("The server cannot be reached.");
  }
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function errorWords(data, status) {
  const first = (node) => (node?._errors ? node._errors[0].message : node && typeof node === "object" ? Object.values(node).map(first).find(Boolean) : null);
  return first(data?.errors) ?? data?.message ?? `The server answered with status ${status}.`;
}

/** The gateway connection: identifies, keeps the heartbeat, resumes after a drop. */
class Gateway {
  constructor(url, token, handlers) {
    this.url = url;
    this.token = token;
    this.handlers = handlers;
    this.session = null;
    this.sequence = null;
    this.attempt = 0;
  }

  connect() {
    const socket = new WebSocket(`${this.url}?v=9&encoding=json`);
    this.socket = socket;
    socket.addEventListener("message", (event) => socket === this.socket && this.#receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => socket === this.socket && this.#closed(event.code));
  }

  send(op, d) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ op, d }));
  }

  #receive({ op, d, s, t }) {
    if (s !== null && s !== undefined) this.sequence = s;
    if (op === 10) this.#hello(d);
    else if (op === 11) this.acknowledged = true;
    else if (op === 1) this.send(1, this.sequence);
    else if (op === 7) this.socket.close(4000);
    else if (op === 9) this.#invalid(d);
    else if (op === 0) this.#dispatch(t, d);
  }

  #hello({ heartbeat_interval: interval }) {
    if (this.session) this.send(6, { token: this.token, session_id: this.session, seq: this.sequence });
    else this.#identify();
    this.acknowledged = true;
    clearInterval(this.heart);
    this.heart = setInterval(() => this.#beat(), interval);
  }

  #identify() {
    this.send(2, { token: this.token, capabilities: 0, properties: { os: "", browser: "Playground", device: "" }, presence: { status: "online", since: 0, activities: [], afk: false }, compress: false });
  }

  #beat() {
    if (!this.acknowledged) return this.socket.close(4000);
    this.acknowledged = false;
    return this.send(1, this.sequence);
  }

  #invalid(resumable) {
    if (!resumable) this.session = null;
    this.#hello({ heartbeat_interval: 41_250 });
  }

  #dispatch(type, data) {
    if (type === "READY") this.session = data.session_id;
    if (type === "READY" || type === "RESUMED") {
      this.attempt = 0;
      this.handlers.up();
    }
    this.handlers.event(type, data);
  }

  #closed(code) {
    clearInterval(this.heart);
    if (code === 4004) return this.handlers.refused();
    if (code >= 4006 && code <= 4009) this.session = null;
    this.handlers.down();
    this.attempt += 1;
    this.timer = setTimeout(() => this.connect(), Math.min(8000, 500 * 2 ** (this.attempt - 1)));
  }
}

// What the page knows -----------------------------------------------------------------------------------------------

const store = { me: null, guilds: new Map(), channels: new Map(), users: new Map(), presences: new Map(), unread: new Map(), typing: new Map(), commands: { applications: [], application_commands: [] } };
let session, rest, gateway, composer, list;
let current = null; // id of the open channel

const remember = (user) => user?.id && store.users.set(user.id, { ...store.users.get(user.id), ...user });
const channelNow = () => store.channels.get(current);
const guildNow = () => store.guilds.get(channelNow()?.guild_id);
// A server that tells nobody's presence leaves everybody "online".
const statusOf = (id) => (store.presenceTold ? store.presences.get(id) ?? "offline" : "online");
const isBotOnline = () => statusOf(session.bot_user_id) !== "offline";

function learnPresence(presence) {
  store.presenceTold = true;
  store.presences.set(presence.user?.id ?? presence.user_id, presence.status);
}
const application = () => store.commands.applications.find((item) => item.id === session.application_id);
const bot = () => store.users.get(session.bot_user_id) ?? { id: session.bot_user_id, username: application()?.name ?? "The bot", bot: true };

function learnGuild(data) {
  const guild = { ...data, ...data.properties, members: new Map(), roles: new Map((data.roles ?? []).map((role) => [role.id, role])) };
  for (const member of data.members ?? []) learnMember(guild, member);
  for (const channel of [...(data.channels ?? []), ...(data.threads ?? [])]) store.channels.set(channel.id, { ...channel, guild_id: guild.id });
  for (const presence of data.presences ?? []) learnPresence(presence);
  store.guilds.set(guild.id, guild);
}

function learnMember(guild, member) {
  const id = member.user?.id ?? member.user_id;
  if (member.user) remember(member.user);
  guild?.members.set(id, { ...guild.members.get(id), ...member });
}

function learnPrivate(channel) {
  for (const user of channel.recipients ?? []) remember(user);
  store.channels.set(channel.id, channel);
}

function nameOf(user) {
  const known = store.users.get(user?.id) ?? user;
  return guildNow()?.members.get(user?.id)?.nick || known?.global_name || known?.username || "unknown";
}

function channelTitle(channel) {
  if (channel.type !== DM) return channel.name ?? "group";
  const other = (channel.recipients ?? []).map((user) => store.users.get(user.id) ?? user)[0] ?? store.users.get(channel.recipient_ids?.[0]);
  return other ? other.global_name || other.username : "direct message";
}

const membersNow = () => [...(guildNow()?.members.keys() ?? [])].map((id) => store.users.get(id)).filter(Boolean);

/** A URL of this server, without its host name (the page may be open under another name of it); null for all others. */
function localUrl(url) {
  if (!url) return null;
  const parsed = new URL(url, location.href);
  if (parsed.protocol === "blob:") return url;
  return [location.origin, new URL(session.url).origin].includes(parsed.origin) ? parsed.pathname + parsed.search : null;
}

// Interactions ------------------------------------------------------------------------------------------------------

const waiting = new Map(); // nonce -> {done, kind}

function newNonce() {
  const random = BigInt(Math.floor(Math.random() * 2 ** 22));
  return String((BigInt(Date.now() - 1_420_070_400_000) << 22n) | random);
}

/** Post an interaction and wait for the gateway's word: null when it went well, else what to tell the user. */
async function interact(payload, failure, nonce = newNonce()) {
  const channel = channelNow();
  const answer = new Promise((done) => waiting.set(nonce, { done, failure, timer: setTimeout(() => settle(nonce, failure), INTERACTION_PATIENCE) }));
  const where = { application_id: session.application_id, channel_id: channel.id, session_id: gateway.session, nonce };
  if (channel.guild_id) where.guild_id = channel.guild_id;
  try {
    await rest.call("POST", "/interactions", { ...where, ...payload });
  } catch (error) {
    settle(nonce, error.message);
  }
  return answer;
}

function settle(nonce, failure) {
  const entry = waiting.get(nonce);
  if (!entry) return;
  clearTimeout(entry.timer);
  waiting.delete(nonce);
  entry.done(failure);
}

/** A bot's message does not always name its application, whose id may differ from the bot's own. */
function applicationOf(message) {
  const known = store.commands.applications.find((item) => item.bot_id === message.author.id || item.bot?.id === message.author.id);
  return message.application_id ?? known?.id ?? (message.author.id === session.bot_user_id ? session.application_id : message.author.id);
}

async function pressComponent(message, item, values) {
  const data = { component_type: item.type, custom_id: item.custom_id, ...(values ? { type: item.type, values } : {}) };
  const channel = { channel_id: message.channel_id ?? current, application_id: applicationOf(message) };
  return interact({ type: 3, ...channel, message_flags: message.flags ?? 0, message_id: message.id, data }, "This interaction failed");
}

async function runCommand(leaf, data, files) {
  const nonce = newNonce();
  const channelId = current;
  const line = pendingCommand(nonce, leaf);
  list.add(line);
  list.toPresent();
  try {
    const uploads = await upload(channelId, files);
    data.attachments = uploads.map((file, index) => ({ ...file, id: String(index) }));
  } catch (error) {
    list.remove(nonce);
    return error.message;
  }
  const failure = await interact({ type: 2, application_id: leaf.root.application_id, data }, NO_ANSWER, nonce);
  if (!failure) list.remove(nonce);
  else if (list.views.has(nonce)) list.add({ ...line, flags: FLAG.ephemeral, failed: failure });
  return failure;
}

function pendingCommand(nonce, leaf) {
  const author = store.users.get(leaf.application?.bot?.id ?? session.bot_user_id) ?? { ...bot(), username: leaf.application?.name ?? bot().username };
  const shown = leaf.name ? { interaction: { id: nonce, type: 2, name: leaf.name, user: store.me } } : {};
  return { id: nonce, channel_id: current, author, content: "", type: shown.interaction ? 20 : 0, flags: FLAG.loading, pendingText: "Sending command…", timestamp: new Date().toISOString(), ...shown };
}

/** A command of the Apps menu on a message or a person. */
async function runTargeted(command, targetId) {
  const data = { version: command.version, id: command.id, name: command.name, type: command.type, target_id: targetId, options: [], attachments: [], application_command: command };
  const failure = await interact({ type: 2, application_id: command.application_id, data }, NO_ANSWER);
  if (failure) toast(`${command.name}: ${failure}`, true);
}

const autocompletes = new Map(); // nonce -> done

async function autocomplete(data) {
  const nonce = newNonce();
  const answer = new Promise((done) => autocompletes.set(nonce, done));
  setTimeout(() => autocompletes.get(nonce)?.(null), 4000);
  interact({ type: 4, application_id: data.application_command.application_id, data }, "failed", nonce).then((failure) => failure && autocompletes.get(nonce)?.(null));
  const choices = await answer;
  autocompletes.delete(nonce);
  return choices;
}

function showModal(modal) {
  settle(modal.nonce, null);
  openModal(modal, ctx, (components) => interact({ type: 5, application_id: modal.application?.id ?? modal.application_id, channel_id: modal.channel_id ?? current, data: { id: modal.id, custom_id: modal.custom_id, components } }, "Something went wrong. Try again."));
}

/** Send files ahead of a message or command; each becomes `{id, filename, uploaded_filename}`. */
async function upload(channelId, files) {
  if (!files.length) return [];
  const wanted = files.map((file, index) => ({ id: String(index), filename: file.name, file_size: file.size, is_clip: false }));
  const slots = (await rest.call("POST", `/channels/${channelId}/attachments`, { files: wanted })).attachments;
  return Promise.all(slots.map(async (slot, index) => {
    const response = await reach(localUrl(slot.upload_url), { method: "PUT", body: files[index], headers: { "Content-Type": files[index].type || "application/octet-stream" } });
    if (!response.ok) throw new ApiError(`${files[index].name} could not be uploaded.`);
    return { id: String(index), filename: files[index].name, uploaded_filename: slot.upload_filename };
  }));
}

async function sendMessage(text, files, reply) {
  const nonce = newNonce();
  const channelId = current;
  const content = text.replace(/@([\w.]{2,32})/g, (whole, name) => {
    const user = membersNow().find((item) => item.username.toLowerCase() === name.toLowerCase());
    return user ? `<@${user.id}>` : whole;
  });
  const body = { content, nonce, tts: false, ...(reply ? { message_reference: { channel_id: channelId, message_id: reply.id } } : {}) };
  if (!files.length) list.add({ id: nonce, nonce, channel_id: channelId, author: store.me, content, type: 0, flags: 0, sending: true, timestamp: new Date().toISOString() });
  list.toPresent();
  try {
    const attachments = await upload(channelId, files);
    const message = await rest.call("POST", `/channels/${channelId}/messages`, attachments.length ? { ...body, attachments } : body);
    list.remove(nonce);
    if (message) receive(message);
    return null;
  } catch (error) {
    list.remove(nonce);
    return `Your message could not be sent. ${error.message}`;
  }
}

const COMMANDS_FRESH = 3000; // milliseconds; nothing announces a changed index, so a picker that opens asks again

async function loadCommands() {
  const channel = channelNow();
  store.commandsAt = Date.now();
  const path = channel.guild_id ? `/guilds/${channel.guild_id}/application-command-index` : `/channels/${channel.id}/application-command-index`;
  try {
    store.commands = { applications: [], application_commands: [], ...(await rest.call("GET", path)) };
  } catch {
    return; // the picker keeps what it has and asks again when it opens
  }
  composer.setCommands(leaves(store.commands));
}

function refreshCommands() {
  if (Date.now() - (store.commandsAt ?? 0) > COMMANDS_FRESH) loadCommands();
}

// The message list ----------------------------------------------------------------------------------------------------

class MessageList {
  constructor(scroller, inner, element) {
    this.scroller = scroller;
    this.element = element;
    this.views = new Map();
    this.order = [];
    this.stuck = true;
    this.lastTop = 0;
    this.lastHeight = 0;
    this.unseen = 0;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    scroller.addEventListener("keydown", (event) => this.#keys(event));
    const observer = new ResizeObserver(() => this.stuck && this.#bottom());
    observer.observe(inner);
    observer.observe(scroller);
  }

  async open(channelId) {
    this.channelId = channelId;
    this.clear();
    this.element.append(...skeleton());
    const messages = await rest.call("GET", `/channels/${channelId}/messages?limit=${PAGE_SIZE}`);
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
    const messages = await rest.call("GET", `/channels/${channelId}/messages?limit=${PAGE_SIZE}`);
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
    $("beginning").replaceChildren();
  }

  #insert(message) {
    const view = new MessageView(message, ctx);
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
    if (held) composer.focus();
  }

  async #older() {
    if (this.loading || this.complete || !this.order.length) return;
    this.loading = true;
    const { channelId } = this;
    try {
      const messages = await rest.call("GET", `/channels/${channelId}/messages?limit=${PAGE_SIZE}&before=${this.order[0]}`);
      if (this.channelId !== channelId) return;
      this.complete = messages.length < PAGE_SIZE;
      const anchor = this.views.get(this.order[0]).el;
      const top = anchor.getBoundingClientRect().top;
      for (const message of messages) this.#insert(message);
      this.scroller.scrollTop += anchor.getBoundingClientRect().top - top;
      paintBeginning();
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
    const bar = $("present");
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
      return composer.focus();
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

// What a message asks of the page ---------------------------------------------------------------------------------------

const ctx = {
  user: (id) => store.users.get(id),
  role: (id) => guildNow()?.roles.get(id),
  channel: (id) => store.channels.get(id),
  name: nameOf,
  nameStyle(user) {
    const roles = (guildNow()?.members.get(user.id)?.roles ?? []).map((id) => guildNow().roles.get(id)).filter((role) => role?.color);
    const top = roles.sort((a, b) => b.position - a.position)[0];
    return top ? { color: `#${top.color.toString(16).padStart(6, "0")}` } : {};
  },
  avatar: (user) => (user?.avatar ? `/cdn/avatars/${user.id}/${user.avatar}.png?size=80` : null),
  members: membersNow,
  roles: () => [...(guildNow()?.roles.values() ?? [])],
  channels: () => [...store.channels.values()].filter((channel) => channel.guild_id === channelNow()?.guild_id && TEXT_CHANNELS.has(channel.type)),
  local: localUrl,
  pinged: (message) => message.author.id !== store.me.id && ((message.mentions ?? []).some((user) => user.id === store.me.id) || message.mention_everyone === true),
  press: pressComponent,
  runCommand,
  refreshCommands,
  autocomplete,
  sendMessage,
  jump: (id) => list.jump(id),
  openChannel: (id) => openChannel(id),
  openPicture,
  profile,
  toPresent: () => list.toPresent(),
  useCommand: (name) => composer.startCommand(name),
  replyTo: (message) => composer.setReply(message),
  dismiss: (message) => {
    list.remove(message.id);
    composer.focus();
  },
  react(message, emoji, on) {
    const name = encodeURIComponent(emoji.id ? `${emoji.name}:${emoji.id}` : emoji.name);
    rest.call(on ? "PUT" : "DELETE", `/channels/${message.channel_id}/messages/${message.id}/reactions/${name}/@me`).catch((error) => toast(error.message, true));
  },
  pickReaction(anchor, message) {
    const layer = popup(anchor, emojiGrid((emoji) => {
      closePopup(true);
      ctx.react(message, { name: emoji, id: null }, true);
    }), { place: "beside" });
    layer.querySelector("button").focus();
  },
  menu: messageMenu,
  typing: throttle(() => rest.call("POST", `/channels/${current}/typing`).catch(() => null), 8000),
};

function throttle(action, milliseconds) {
  let last = 0;
  return () => {
    if (Date.now() - last < milliseconds) return;
    last = Date.now();
    action();
  };
}

function messageMenu(anchor, view) {
  const { message } = view;
  const own = message.author.id === store.me.id;
  const hidden = Boolean(message.flags & FLAG.ephemeral);
  const apps = store.commands.application_commands.filter((command) => command.type === 3);
  const copy = (text) => () => navigator.clipboard.writeText(text).then(() => toast("Copied"), () => toast("The browser does not allow copying here.", true));
  const remove = () => rest.call("DELETE", `/channels/${message.channel_id}/messages/${message.id}`).catch((error) => toast(error.message, true));
  const quick = ["👍", "❤️", "😂", "❌"].map((emoji) => h("button", { type: "button", class: "emoji-choice", role: "menuitem", tabindex: "-1", "aria-label": `React with ${emoji}`, onclick: () => {
    closePopup(true);
    ctx.react(message, { name: emoji, id: null }, true);
  } }, emoji));
  const items = [
    hidden ? null : { node: h("div", { class: "menu-quick", role: "group", "aria-label": "Quick reactions" }, quick) },
    { label: "Reply", icon: "reply", disabled: hidden, action: () => composer.setReply(message) },
    { label: "Copy Text", icon: "copy", disabled: !message.content, action: copy(message.content) },
    apps.length && !hidden ? { label: "Apps", items: apps.map((command) => ({ label: command.name, icon: "apps", action: () => runTargeted(command, message.id) })) } : null,
    { label: "Copy Message ID", icon: "id", action: copy(message.id) },
    hidden ? { label: "Dismiss Message", icon: "close", action: () => ctx.dismiss(message) } : null,
    own ? { label: "Delete Message", icon: "trash", danger: true, action: remove } : null,
  ].filter(Boolean);
  menu(anchor, items, "Message", { place: anchor instanceof Element ? "beside" : "below" });
}

function profile(anchor, user) {
  const known = store.users.get(user.id) ?? user;
  const roles = (guildNow()?.members.get(user.id)?.roles ?? []).map((id) => guildNow().roles.get(id)).filter(Boolean);
  const commands = store.commands.application_commands.filter((command) => command.type === 2);
  const card = h("div", { class: "profile", role: "dialog", "aria-label": nameOf(known) },
    h("div", { class: "profile-banner" }), h("div", { class: "profile-avatar" }, avatar(known, ctx.avatar(known), 72), statusDot(known.id)),
    h("div", { class: "profile-body" },
      h("h3", {}, nameOf(known), known.bot ? badge() : null), h("p", { class: "subtext" }, known.username),
      roles.length ? h("p", { class: "profile-roles" }, roles.map((role) => h("span", { class: "chip" }, role.name))) : null,
      h("p", { class: "subtext" }, `Since ${longDate(snowflakeDate(known.id))}`),
      known.id === store.me.id ? null : h("button", { type: "button", class: "btn btn-1", onclick: () => openDirect(known) }, "Message"),
      commands.map((command) => h("button", { type: "button", class: "btn btn-2", onclick: () => {
        closePopup();
        runTargeted(command, known.id);
      } }, command.name))));
  popup(anchor, card).querySelector("button")?.focus();
}

async function openDirect(user) {
  closePopup();
  try {
    const channel = await rest.call("POST", "/users/@me/channels", { recipients: [user.id] });
    learnPrivate(channel);
    await openChannel(channel.id);
  } catch (error) {
    toast(error.message, true);
  }
}

/** The picture viewer: arrow keys go through the pictures of the channel, Escape closes. */
function openPicture(frame) {
  const frames = [...$("messages").querySelectorAll(".frame:not(.broken)")];
  let at = frames.indexOf(frame);
  const image = h("img", { class: "viewer-image", alt: "" });
  const caption = h("figcaption", {});
  const open = h("a", { class: "viewer-open", target: "_blank", rel: "noopener noreferrer" }, "Open original ", icon("external", 14));
  const arrow = (step, name, label) => h("button", { type: "button", class: `viewer-arrow viewer-${name}`, "aria-label": label, onclick: () => show(at + step) }, icon(name, 28));
  const previous = arrow(-1, "left", "Previous picture");
  const next = arrow(1, "right", "Next picture");
  const show = (index) => {
    if (index < 0 || index >= frames.length) return;
    at = index;
    const { src, name, alt } = frames[at].dataset;
    image.src = src;
    image.alt = alt || name;
    open.href = src;
    caption.textContent = frames.length > 1 ? `${name} · ${at + 1} of ${frames.length}` : name;
    previous.disabled = at === 0;
    next.disabled = at === frames.length - 1;
  };
  image.addEventListener("load", () => enlarge(image));
  const close = h("button", { type: "button", class: "icon-button viewer-close", "aria-label": "Close", onclick: () => dialog.close() }, icon("close", 26));
  const keys = (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    if (event.key === "ArrowRight") show(at + 1);
  };
  const outside = (event) => event.target.matches("dialog, figure") && dialog.close();
  const dialog = h("dialog", { class: "viewer", "aria-label": "Picture", onkeydown: keys, onclick: outside }, previous, h("figure", {}, image, h("div", { class: "viewer-line" }, caption, open)), next, close);
  show(at);
  openDialog(dialog);
  close.focus();
}

/** Small pictures grow to at most three times their size, so that zooming in shows more. */
function enlarge(image) {
  const scale = Math.min(3, (innerWidth * 0.86) / image.naturalWidth, (innerHeight * 0.82) / image.naturalHeight);
  image.style.width = `${Math.floor(image.naturalWidth * scale)}px`;
  image.style.aspectRatio = `${image.naturalWidth} / ${image.naturalHeight}`;
}

function toast(text, bad = false) {
  const node = h("div", { class: bad ? "toast toast-bad" : "toast" }, icon(bad ? "warning" : "check", 18), text);
  $("toasts").append(node);
  setTimeout(() => node.remove(), 4500);
}

// Panels ----------------------------------------------------------------------------------------------------------------

const STATUS_WORDS = { online: "Online", idle: "Idle", dnd: "Do Not Disturb", offline: "Offline" };

function statusDot(id) {
  const status = statusOf(id);
  return h("span", { class: `status status-${status}`, role: "img", "aria-label": STATUS_WORDS[status] ?? "Offline" });
}

function paintRail() {
  const inDirect = channelNow()?.type === DM;
  const entry = (label, active, content, action, unread) => h("button", { type: "button", class: `server${active ? " active" : ""}${unread ? " unread" : ""}`, "aria-label": label, title: label, "aria-current": active ? "true" : null, onclick: action }, content);
  const initials = (name) => name.split(/\s+/).map((word) => [...word][0]).join("").slice(0, 3);
  const unread = (test) => [...store.unread].some(([id, count]) => count.any && test(store.channels.get(id)));
  $("rail").replaceChildren(
    entry("Direct Messages", inDirect, icon("chat", 24), showDirects, unread((channel) => channel?.type === DM)), h("div", { class: "rail-line" }),
    ...[...store.guilds.values()].map((guild) => entry(guild.name, !inDirect && guildNow()?.id === guild.id, initials(guild.name), () => openChannel(firstChannel(guild)), unread((channel) => channel?.guild_id === guild.id))));
}

const byPosition = (a, b) => (a.position ?? 0) - (b.position ?? 0) || (BigInt(a.id) < BigInt(b.id) ? -1 : 1);
const textChannels = (guild) => [...store.channels.values()].filter((channel) => channel.guild_id === guild.id && TEXT_CHANNELS.has(channel.type)).sort(byPosition);
const firstChannel = (guild) => guild.lastOpen ?? textChannels(guild)[0]?.id;
const directs = () => [...store.channels.values()].filter((channel) => channel.type === DM).sort((a, b) => Number(BigInt(b.last_message_id ?? 0) - BigInt(a.last_message_id ?? 0)));

function showDirects() {
  const first = directs()[0];
  if (first) openChannel(first.id);
  else openDirect(bot());
}

function channelRow(channel) {
  const count = store.unread.get(channel.id);
  const active = channel.id === current;
  const other = store.users.get(channel.recipients?.[0]?.id) ?? channel.recipients?.[0];
  const mark = channel.type === DM ? h("span", { class: "avatar-wrap" }, avatar(other ?? { id: "0", username: "?" }, ctx.avatar(other), 32), statusDot(other?.id)) : icon(THREADS.has(channel.type) ? "curve" : "hash", 20);
  const classes = ["channel", active && "active", count?.any && !active && "unread", channel.type === DM && "direct", THREADS.has(channel.type) && "thread"].filter(Boolean).join(" ");
  return h("button", { type: "button", class: classes, "aria-current": active ? "page" : null, onclick: () => openChannel(channel.id) },
    mark, h("span", { class: "channel-name" }, channelTitle(channel)), count?.pings && !active ? h("span", { class: "pings", "aria-label": `${count.pings} mentions` }, count.pings) : null);
}

function paintChannels() {
  const guild = guildNow();
  if (!guild) {
    $("channels").replaceChildren(h("div", { class: "sidebar-head" }, h("h1", {}, "Direct Messages")), h("div", { class: "channel-list" }, directs().map(channelRow)));
    return;
  }
  const channels = textChannels(guild);
  const threads = [...store.channels.values()].filter((channel) => channel.guild_id === guild.id && THREADS.has(channel.type) && !channel.thread_metadata?.archived);
  const rows = (parent) => channels.filter((channel) => (channel.parent_id ?? null) === parent).flatMap((channel) => [channelRow(channel), ...threads.filter((thread) => thread.parent_id === channel.id).map(channelRow)]);
  const categories = [...store.channels.values()].filter((channel) => channel.guild_id === guild.id && channel.type === 4).sort(byPosition);
  $("channels").replaceChildren(h("div", { class: "sidebar-head" }, h("h1", {}, guild.name)),
    h("div", { class: "channel-list" }, rows(null), categories.map((category) => [h("h2", { class: "category" }, icon("chevron", 12), category.name), rows(category.id)])));
}

function paintUser() {
  const { me } = store;
  $("user-panel").replaceChildren(h("span", { class: "avatar-wrap" }, avatar(me, ctx.avatar(me), 32), h("span", { class: `status status-${gateway.live ? "online" : "offline"}` })),
    h("span", { class: "user-names" }, h("strong", {}, me.global_name || me.username), h("small", {}, gateway.live ? me.username : "Reconnecting…")));
}

function paintTopbar() {
  const channel = channelNow();
  const direct = channel.type === DM;
  const drawer = h("button", { type: "button", class: "icon-button only-narrow", "aria-label": "Channels", "aria-controls": "drawer", onclick: () => openDrawer(true) }, icon("menu", 24));
  const topic = channel.topic ? h("span", { class: "topic", title: channel.topic }, channel.topic) : null;
  const people = direct ? null : h("button", { type: "button", class: "icon-button", id: "toggle-members", "aria-label": "Members", "aria-pressed": String(document.body.classList.contains("with-members")), onclick: toggleMembers }, icon("people", 24));
  $("topbar").replaceChildren(...[drawer, icon(direct ? "at" : "hash", 24), h("h2", { class: "channel-title" }, channelTitle(channel)), topic, h("span", { class: "grow" }), people].filter(Boolean));
  document.body.classList.toggle("direct", direct);
}

function toggleMembers() {
  const on = document.body.classList.toggle("with-members");
  $("toggle-members").setAttribute("aria-pressed", String(on));
}

function paintMembers() {
  const guild = guildNow();
  if (!guild) return $("members").replaceChildren();
  const people = membersNow().sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  const here = people.filter((user) => statusOf(user.id) !== "offline");
  const away = people.filter((user) => !here.includes(user));
  const row = (user) => h("button", { type: "button", class: "member", onclick: (event) => profile(event.currentTarget, user) },
    h("span", { class: "avatar-wrap" }, avatar(user, ctx.avatar(user), 32), statusDot(user.id)), h("span", { class: "member-name", style: ctx.nameStyle(user) }, nameOf(user)), user.bot ? badge() : null);
  const group = (title, users, className) => (users.length ? [h("h3", {}, `${title} — ${users.length}`), h("div", { class: className }, users.map(row))] : []);
  return $("members").replaceChildren(...group("Online", here, "here"), ...group("Offline", away, "away"));
}

function paintBeginning() {
  const channel = channelNow();
  if (!channel || !list.complete) return $("beginning").replaceChildren();
  const title = channelTitle(channel);
  const direct = channel.type === DM;
  const text = direct ? `This is the beginning of your direct messages with ${title}.` : `This is the start of the #${title} channel.`;
  const fresh = ![...list.views.values()].some((view) => view.message.author.bot);
  return $("beginning").replaceChildren(h("section", { class: "beginning" },
    h("div", { class: "beginning-mark" }, icon(direct ? "at" : "hash", 42)), h("h2", {}, direct ? title : `Welcome to #${title}!`), h("p", {}, text), fresh ? firstSteps() : null));
}

function firstSteps() {
  const example = "a red fox on a blue background";
  const tryIt = () => {
    composer.startCommand("imagine ");
    if (composer.command) composer.command.fields[0]?.setText(example);
    composer.focus();
  };
  return h("div", { class: "first-steps" }, h("h3", {}, "Make your first picture"),
    h("p", {}, "Type ", h("kbd", {}, "/"), " and choose ", h("strong", { class: "command-name" }, "/imagine"), ", describe a picture, press ", h("kbd", {}, "Enter"), "."),
    h("button", { type: "button", class: "btn btn-1", onclick: tryIt }, "Try /imagine"));
}

function paintTyping() {
  const names = [...(store.typing.get(current)?.keys() ?? [])].map((id) => nameOf({ id }));
  const text = names.length > 3 ? "Several people are typing…" : names.length ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} typing…` : "";
  $("typing").replaceChildren(...(text ? [h("span", { class: "dots small", "aria-hidden": "true" }, h("i"), h("i"), h("i")), text] : []));
}

function paintBotNotice() {
  const notice = $("bot-notice");
  const quiet = !gateway.live || isBotOnline() || channelNow() === undefined;
  notice.hidden = quiet;
  notice.textContent = quiet ? "" : `${nameOf(bot())} is offline. Commands are answered again as soon as it is back.`;
}

function paintAll() {
  paintRail();
  paintChannels();
  paintUser();
  paintMembers();
  paintBotNotice();
  const pings = [...store.unread.values()].reduce((sum, count) => sum + count.pings, 0);
  const channel = channelNow();
  document.title = `${pings ? `(${pings}) ` : ""}${channel ? `${channel.type === DM ? "@" : "#"}${channelTitle(channel)}` : "Playground"}${guildNow() ? ` | ${guildNow().name}` : ""}`;
}

/** Several events of one moment are painted once. */
function repaint() {
  if (repaint.due) return;
  repaint.due = true;
  requestAnimationFrame(() => {
    repaint.due = false;
    paintAll();
  });
}

function openDrawer(open) {
  document.body.classList.toggle("drawer-open", open);
  $("scrim").hidden = !open;
  if (open) $("channels").querySelector(".channel.active, .channel")?.focus();
}

async function openChannel(id) {
  const channel = store.channels.get(id);
  if (!channel) return;
  current = id;
  if (channel.guild_id) store.guilds.get(channel.guild_id).lastOpen = id;
  history.replaceState(null, "", `#${id}`);
  store.unread.delete(id);
  openDrawer(false);
  paintTopbar();
  paintAll();
  paintTyping();
  composer.open(`Message ${channel.type === DM ? "@" : "#"}${channelTitle(channel)}`);
  $("beginning").replaceChildren();
  if (matchMedia("(pointer: fine)").matches) composer.focus();
  try {
    await list.open(id);
  } catch (error) {
    toast(error.message, true);
  }
  paintBeginning();
  loadCommands();
}

// Events of the gateway -----------------------------------------------------------------------------------------------------

function receive(message) {
  remember(message.author);
  for (const user of message.mentions ?? []) remember(user);
  if (message.nonce) list.remove(String(message.nonce));
  store.typing.get(message.channel_id)?.delete(message.author.id);
  const channel = store.channels.get(message.channel_id);
  if (channel) channel.last_message_id = message.id;
  if (message.channel_id !== current || document.hidden) countUnread(message);
  if (message.channel_id !== current) return repaint();
  const fresh = !list.views.has(message.id);
  list.add(message);
  paintTyping();
  if (message.author.bot) $("beginning").querySelector(".first-steps")?.remove();
  if (fresh && message.author.id !== store.me.id) announce(message);
  return undefined;
}

function countUnread(message) {
  if (message.author.id === store.me.id) return;
  const count = store.unread.get(message.channel_id) ?? { any: true, pings: 0 };
  if (ctx.pinged(message) || store.channels.get(message.channel_id)?.type === DM) count.pings += 1;
  store.unread.set(message.channel_id, count);
  repaint();
}

function announce(message) {
  const pictures = message.attachments?.length ? `, ${message.attachments.length} attachment${message.attachments.length > 1 ? "s" : ""}` : "";
  const embed = message.embeds?.[0];
  const text = plainText(message.content || [embed?.title, embed?.description].filter(Boolean).join(". ") || "", ctx);
  $("announcer").textContent = `${nameOf(message.author)}: ${text}${pictures}`;
}

function changeReaction(event, step) {
  const view = list.views.get(event.message_id);
  if (!view) return;
  const same = (item) => item.emoji.name === event.emoji.name && (item.emoji.id ?? null) === (event.emoji.id ?? null);
  const mine = event.user_id === store.me.id;
  const reactions = (view.message.reactions ?? []).map((item) => ({ ...item }));
  const found = reactions.find(same);
  if (found) {
    found.count += step;
    if (mine) found.me = step > 0;
  } else if (step > 0) reactions.push({ emoji: event.emoji, count: 1, me: mine });
  view.update({ ...view.message, reactions: reactions.filter((item) => item.count > 0) });
}

function setPresence(presence) {
  learnPresence(presence);
  repaint();
}

function noteTyping({ channel_id: channelId, user_id: userId }) {
  if (userId === store.me.id) return;
  const people = store.typing.get(channelId) ?? new Map();
  clearTimeout(people.get(userId));
  const forget = () => {
    people.delete(userId);
    paintTyping();
  };
  people.set(userId, setTimeout(forget, 10_000));
  store.typing.set(channelId, people);
  paintTyping();
}

function channelGone({ id }) {
  store.channels.delete(id);
  repaint();
  if (id === current) openChannel(firstChannel(store.guilds.get(session.guild_id)));
}

const saveChannel = (channel) => {
  if (channel.type === DM) learnPrivate(channel);
  else store.channels.set(channel.id, { ...store.channels.get(channel.id), ...channel });
  repaint();
};

const saveMember = (member) => {
  learnMember(store.guilds.get(member.guild_id), member);
  repaint();
};

const EVENTS = {
  READY: ready,
  READY_SUPPLEMENTAL({ merged_presences: merged }) {
    for (const presence of [...(merged?.guilds ?? []).flat(), ...(merged?.friends ?? [])]) learnPresence(presence);
    repaint();
  },
  GUILD_CREATE(data) {
    learnGuild(data);
    if (!current) start();
    repaint();
  },
  GUILD_UPDATE(data) {
    Object.assign(store.guilds.get(data.id) ?? {}, { name: data.name, icon: data.icon });
    repaint();
  },
  CHANNEL_CREATE: saveChannel,
  CHANNEL_UPDATE: saveChannel,
  CHANNEL_DELETE: channelGone,
  THREAD_CREATE: saveChannel,
  THREAD_UPDATE: saveChannel,
  THREAD_DELETE: channelGone,
  GUILD_MEMBER_ADD: saveMember,
  GUILD_MEMBER_UPDATE: saveMember,
  GUILD_MEMBER_REMOVE({ guild_id: guild, user }) {
    store.guilds.get(guild)?.members.delete(user.id);
    repaint();
  },
  PRESENCE_UPDATE: setPresence,
  MESSAGE_CREATE: receive,
  MESSAGE_UPDATE(message) {
    const view = list.views.get(message.id);
    view?.update({ ...view.message, ...message });
  },
  MESSAGE_DELETE: ({ id }) => list.remove(id),
  MESSAGE_DELETE_BULK: ({ ids }) => ids.forEach((id) => list.remove(id)),
  MESSAGE_REACTION_ADD: (event) => changeReaction(event, 1),
  MESSAGE_REACTION_REMOVE: (event) => changeReaction(event, -1),
  MESSAGE_REACTION_REMOVE_ALL({ message_id: id }) {
    const view = list.views.get(id);
    view?.update({ ...view.message, reactions: [] });
  },
  TYPING_START: noteTyping,
  INTERACTION_SUCCESS: ({ nonce }) => settle(nonce, null),
  INTERACTION_FAILURE: ({ nonce }) => settle(nonce, waiting.get(nonce)?.failure),
  INTERACTION_MODAL_CREATE: showModal,
  APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE({ nonce, choices }) {
    autocompletes.get(nonce)?.(choices);
    settle(nonce, null);
  },
  GUILD_APPLICATION_COMMAND_INDEX_UPDATE: () => loadCommands(),
};

function ready(data) {
  store.me = data.user;
  remember(data.user);
  for (const user of data.users ?? []) remember(user);
  for (const guild of data.guilds ?? []) if (!guild.unavailable) learnGuild(guild);
  for (const channel of data.private_channels ?? []) learnPrivate(channel);
  for (const presence of data.presences ?? []) learnPresence(presence);
  store.presences.set(data.user.id, "online");
  if (!current && store.guilds.size) start();
  else if (current) {
    list.refresh().catch((error) => toast(error.message, true));
    loadCommands();
  }
}

function start() {
  const wanted = location.hash.slice(1);
  const first = [wanted, session.channel_id].find((id) => store.channels.has(id)) ?? store.channels.keys().next().value;
  $("splash").hidden = true;
  openChannel(first);
}

// Connection ----------------------------------------------------------------------------------------------------------------

function connected() {
  gateway.live = true;
  clearTimeout(connected.timer);
  $("connection").hidden = true;
  if (store.me) repaint();
}

function disconnected() {
  gateway.live = false;
  clearTimeout(connected.timer);
  connected.timer = setTimeout(() => {
    $("connection").replaceChildren(h("span", { class: "spinner", "aria-hidden": "true" }), "Connection lost. Reconnecting…");
    $("connection").hidden = false;
    $("splash-text").textContent = "The local Discord does not answer. Trying again…";
    if (store.me) paintAll();
  }, 300);
}

/** The server knows another token now (its data folder was replaced): begin anew. */
function refused() {
  setTimeout(() => location.reload(), 1000);
}

async function boot() {
  for (;;) {
    try {
      const response = await fetch("/playground/session");
      if (response.ok) return await response.json();
    } catch {
      // Not up yet: the text below says so.
    }
    $("splash-text").textContent = "The local Discord does not answer. Trying again…";
    await pause(1000);
  }
}

function globalKeys(event) {
  const typing = event.target.matches("input, textarea, select, [role=listbox] *, [role=menu] *, .emoji-choice");
  const plain = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "Escape" && document.body.classList.contains("drawer-open")) openDrawer(false);
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    const rows = [...$("channels").querySelectorAll(".channel")];
    const at = rows.findIndex((row) => row.classList.contains("active"));
    event.preventDefault();
    rows.at((at + (event.key === "ArrowUp" ? -1 : 1)) % rows.length)?.click();
  } else if (plain && !typing && event.key !== " " && !document.querySelector("dialog[open]")) composer.focus();
}

async function main() {
  session = await boot();
  rest = new Rest(session.user_token);
  const path = new URL(session.gateway).pathname;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  list = new MessageList($("scroller"), $("scroller-inner"), $("messages"));
  composer = new Composer($("composer"), ctx);
  gateway = new Gateway(`${scheme}://${location.host}${path}`, session.user_token, { up: connected, down: disconnected, refused, event: (type, data) => EVENTS[type]?.(data) });
  const wide = matchMedia("(min-width: 1100px)");
  const fold = () => {
    document.body.classList.toggle("with-members", wide.matches);
    $("toggle-members")?.setAttribute("aria-pressed", String(wide.matches));
  };
  wide.addEventListener("change", fold);
  fold();
  $("present").addEventListener("click", () => {
    list.toPresent();
    composer.focus();
  });
  $("scrim").addEventListener("click", () => openDrawer(false));
  document.addEventListener("keydown", globalKeys);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && store.unread.delete(current)) paintAll();
  });
  setInterval(refreshTimes, 10_000);
  gateway.connect();
}

main();
