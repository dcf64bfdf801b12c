// The page of the local Discord: wires its parts together. It is a user client that speaks Discord's own user-side
// REST and gateway, nothing private but `GET /playground/session`, which says who the visitor is.

import { clearBeginning, paintBeginning, paintBotNotice, paintTitle, paintTopbar, paintTyping, showMembers } from "./chat.js";
import { Gateway, Rest, pause } from "./client.js";
import { leaves } from "./commands.js";
import { Composer } from "./composer.js";
import { h, refreshTimes } from "./dom.js";
import { EVENTS, receive } from "./events.js";
import { Interactions } from "./interactions.js";
import { openPicture } from "./lightbox.js";
import { messageMenu, pickReaction } from "./messagemenu.js";
import { MessageList } from "./messagelist.js";
import { openModal } from "./modal.js";
import { Outbox } from "./outbox.js";
import { paintMembers, profile } from "./people.js";
import { toast } from "./popup.js";
import { isDrawerOpen, openDrawer, paintSidebar, stepChannel } from "./sidebar.js";
import { CHANNEL, avatarOf, bot, channelNow, channelTitle, directs, guildNow, isPinged, learnChannel, localUrl, membersNow, nameOf, nameStyle, rolesNow, store, textChannelsNow } from "./store.js";

const TYPING_EVERY = 8000; // milliseconds between two notes that the visitor is typing
const NO_WORD = "The local Discord does not answer. Trying again…";
const $ = (id) => document.getElementById(id);
const complain = (error) => toast(error.message, true);

let rest, interactions, outbox, list, composer;

// What the parts ask of the page ------------------------------------------------------------------------------------

const ctx = {
  user: (id) => store.users.get(id),
  role: (id) => guildNow()?.roles.get(id),
  channel: (id) => store.channels.get(id),
  name: nameOf,
  nameStyle,
  avatar: avatarOf,
  members: membersNow,
  roles: rolesNow,
  channels: textChannelsNow,
  local: localUrl,
  pinged: isPinged,
  press: (message, item, values) => interactions.press(message, item, values),
  autocomplete: (data) => interactions.autocomplete(data),
  runCommand: (leaf, data, files) => outbox.runCommand(leaf, data, files),
  sendMessage: (text, files, reply) => outbox.sendMessage(text, files, reply),
  async runTargeted(command, targetId) {
    const failure = await interactions.targeted(command, targetId);
    if (failure) toast(`${command.name}: ${failure}`, true);
  },
  jump: (id) => list.jump(id),
  placeName,
  goTo,
  openChannel,
  openDirect,
  showDirects,
  openPicture,
  profile: (anchor, user) => profile(anchor, user, ctx),
  menu: (anchor, view) => messageMenu(anchor, view.message, ctx),
  pickReaction: (anchor, message) => pickReaction(anchor, message, ctx),
  toPresent: () => list.toPresent(),
  useCommand: (name) => composer.startCommand(name),
  replyTo: (message) => composer.setReply(message),
  dismiss(message) {
    list.remove(message.id);
    composer.focus();
  },
  remove: (message) => rest.call("DELETE", `/channels/${message.channel_id}/messages/${message.id}`).catch(complain),
  react(message, emoji, on) {
    const name = encodeURIComponent(emoji.id ? `${emoji.name}:${emoji.id}` : emoji.name);
    rest.call(on ? "PUT" : "DELETE", `/channels/${message.channel_id}/messages/${message.id}/reactions/${name}/@me`).catch(complain);
  },
  typing: throttle(() => rest.call("POST", `/channels/${store.current}/typing`).catch(() => null), TYPING_EVERY),
};

function throttle(action, milliseconds) {
  let last = 0;
  return () => {
    if (Date.now() - last < milliseconds) return;
    last = Date.now();
    action();
  };
}

// Places --------------------------------------------------------------------------------------------------------------

async function openChannel(id) {
  const channel = store.channels.get(id);
  if (!channel) return;
  store.current = id;
  if (channel.guild_id) store.guilds.get(channel.guild_id).lastOpen = id;
  history.replaceState(null, "", `#${id}`);
  store.unread.delete(id);
  openDrawer(false);
  paintTopbar();
  paintAll();
  paintTyping();
  composer.open(`Message ${placeName(id)}`);
  clearBeginning();
  if (matchMedia("(pointer: fine)").matches) composer.focus();
  await list.open(id).catch(complain);
  paintBeginning(list, composer);
  loadCommands();
}

/** What a link to a channel says, or null where the visitor has no such channel. */
function placeName(id) {
  const channel = store.channels.get(id);
  return channel ? `${channel.type === CHANNEL.direct ? "@" : "#"}${channelTitle(channel)}` : null;
}

async function goTo(channelId, messageId) {
  if (channelId !== store.current) await openChannel(channelId);
  if (messageId && channelId === store.current) await list.jump(messageId);
}

function showDirects() {
  const first = directs()[0];
  if (first) openChannel(first.id);
  else openDirect(bot());
}

async function openDirect(user) {
  try {
    const channel = await rest.call("POST", "/users/@me/channels", { recipients: [user.id] });
    learnChannel(channel);
    await openChannel(channel.id);
  } catch (error) {
    complain(error);
  }
}

async function loadCommands() {
  const channel = channelNow();
  if (!channel) return;
  const where = channel.guild_id ? `/guilds/${channel.guild_id}` : `/channels/${channel.id}`;
  try {
    store.commands = { applications: [], application_commands: [], ...(await rest.call("GET", `${where}/application-command-index`)) };
  } catch {
    return; // the picker keeps what it has; the gateway announces the next change, and a new session asks again
  }
  composer.setCommands(leaves(store.commands));
}

function paintAll() {
  paintSidebar(ctx);
  paintMembers(ctx);
  paintBotNotice();
  paintTitle();
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

// What the gateway's events reach ---------------------------------------------------------------------------------

function start() {
  const wanted = [location.hash.slice(1), store.session.channel_id].find((id) => store.channels.has(id));
  $("splash").hidden = true;
  openChannel(wanted ?? store.channels.keys().next().value);
}

/** A new session after a lost one: ask for what was missed. */
function catchUp() {
  list.refresh().catch(complain);
  loadCommands();
}

function showModal(modal) {
  interactions.succeeded(modal.nonce);
  openModal(modal, ctx, (components) => interactions.submitModal(modal, components));
}

// Connection ------------------------------------------------------------------------------------------------------------

function connected() {
  store.live = true;
  clearTimeout(connected.timer);
  $("connection").hidden = true;
  if (store.me) repaint();
}

function disconnected() {
  store.live = false;
  clearTimeout(connected.timer);
  connected.timer = setTimeout(() => {
    $("connection").replaceChildren(h("span", { class: "spinner", "aria-hidden": "true" }), "Connection lost. Reconnecting…");
    $("connection").hidden = false;
    $("splash-text").textContent = NO_WORD;
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
    $("splash-text").textContent = NO_WORD;
    await pause(1000);
  }
}

function globalKeys(event) {
  const typing = event.target.matches("input, textarea, select, [role=listbox] *, [role=menu] *, .emoji-choice");
  const plain = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "Escape" && isDrawerOpen()) openDrawer(false);
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    stepChannel(event.key === "ArrowUp" ? -1 : 1);
  } else if (plain && !typing && event.key !== " " && !document.querySelector("dialog[open]")) composer.focus();
}

function listen() {
  const wide = matchMedia("(min-width: 1100px)");
  wide.addEventListener("change", () => showMembers(wide.matches));
  showMembers(wide.matches);
  $("present").addEventListener("click", () => {
    list.toPresent();
    composer.focus();
  });
  $("scrim").addEventListener("click", () => openDrawer(false));
  document.addEventListener("keydown", globalKeys);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && store.unread.delete(store.current)) paintAll();
  });
  setInterval(refreshTimes, 10_000);
}

async function main() {
  const session = await boot();
  store.session = session;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const address = `${scheme}://${location.host}${new URL(session.gateway).pathname}`;
  rest = new Rest(session.user_token);
  const gateway = new Gateway(address, session.user_token, { up: connected, down: disconnected, refused, event: (type, data) => EVENTS[type]?.(data, page) });
  interactions = new Interactions(rest, gateway);
  list = new MessageList(rest, ctx, { onPage: () => paintBeginning(list, composer), onLeave: () => composer.focus() });
  outbox = new Outbox(rest, interactions, list, (message) => receive(message, page));
  composer = new Composer($("composer"), ctx);
  const page = { ctx, list, interactions, repaint, openChannel, loadCommands, start, catchUp, showModal };
  listen();
  gateway.connect();
}

main();
