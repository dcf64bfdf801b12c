// What the gateway's events change. `page` (made in page.js) is what they reach: list, ctx, interactions, repaint, …

import { announce, forgetFirstSteps, paintTyping } from "./chat.js";
import { CHANNEL, firstChannel, isPinged, learnChannel, learnGuild, learnMember, learnPresence, learnReady, remember, store } from "./store.js";

const TYPING_MILLISECONDS = 10_000;

/** A message of any channel, new or already known by its nonce. */
export function receive(message, page) {
  const { list } = page;
  remember(message.author);
  for (const user of message.mentions ?? []) remember(user);
  if (message.nonce) list.remove(String(message.nonce));
  store.typing.get(message.channel_id)?.delete(message.author.id);
  const channel = store.channels.get(message.channel_id);
  if (channel) channel.last_message_id = message.id;
  if (message.channel_id !== store.current || document.hidden) countUnread(message, page);
  if (message.channel_id !== store.current) return page.repaint();
  const fresh = !list.views.has(message.id);
  list.add(message);
  paintTyping();
  if (message.author.bot) forgetFirstSteps();
  if (fresh && message.author.id !== store.me.id) announce(message, page.ctx);
  return undefined;
}

function countUnread(message, page) {
  if (message.author.id === store.me.id) return;
  const count = store.unread.get(message.channel_id) ?? { any: true, pings: 0 };
  if (isPinged(message) || store.channels.get(message.channel_id)?.type === CHANNEL.direct) count.pings += 1;
  store.unread.set(message.channel_id, count);
  page.repaint();
}

function changeReaction(event, step, { list }) {
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

function noteTyping({ channel_id: channelId, user_id: userId }) {
  if (userId === store.me.id) return;
  const people = store.typing.get(channelId) ?? new Map();
  clearTimeout(people.get(userId));
  const forget = () => {
    people.delete(userId);
    paintTyping();
  };
  people.set(userId, setTimeout(forget, TYPING_MILLISECONDS));
  store.typing.set(channelId, people);
  paintTyping();
}

function saveChannel(channel, page) {
  learnChannel(channel);
  page.repaint();
}

function channelGone({ id }, page) {
  store.channels.delete(id);
  page.repaint();
  if (id === store.current) page.openChannel(firstChannel(store.guilds.get(store.session.guild_id)));
}

function saveMember(member, page) {
  learnMember(store.guilds.get(member.guild_id), member);
  page.repaint();
}

function updateMessage(message, { list }) {
  const view = list.views.get(message.id);
  view?.update({ ...view.message, ...message });
}

export const EVENTS = {
  READY(data, page) {
    learnReady(data);
    if (store.current) page.catchUp();
    else if (store.guilds.size) page.start();
  },
  READY_SUPPLEMENTAL({ merged_presences: merged }, page) {
    for (const presence of [...(merged?.guilds ?? []).flat(), ...(merged?.friends ?? [])]) learnPresence(presence);
    page.repaint();
  },
  GUILD_CREATE(data, page) {
    learnGuild(data);
    if (!store.current) page.start();
    page.repaint();
  },
  GUILD_UPDATE(data, page) {
    Object.assign(store.guilds.get(data.id) ?? {}, { name: data.name, icon: data.icon });
    page.repaint();
  },
  CHANNEL_CREATE: saveChannel,
  CHANNEL_UPDATE: saveChannel,
  CHANNEL_DELETE: channelGone,
  THREAD_CREATE: saveChannel,
  THREAD_UPDATE: saveChannel,
  THREAD_DELETE: channelGone,
  GUILD_MEMBER_ADD: saveMember,
  GUILD_MEMBER_UPDATE: saveMember,
  GUILD_MEMBER_REMOVE({ guild_id: guild, user }, page) {
    store.guilds.get(guild)?.members.delete(user.id);
    page.repaint();
  },
  PRESENCE_UPDATE(presence, page) {
    learnPresence(presence);
    page.repaint();
  },
  MESSAGE_CREATE: receive,
  MESSAGE_UPDATE: updateMessage,
  MESSAGE_DELETE: ({ id }, { list }) => list.remove(id),
  MESSAGE_DELETE_BULK: ({ ids }, { list }) => ids.forEach((id) => list.remove(id)),
  MESSAGE_REACTION_ADD: (event, page) => changeReaction(event, 1, page),
  MESSAGE_REACTION_REMOVE: (event, page) => changeReaction(event, -1, page),
  MESSAGE_REACTION_REMOVE_ALL: ({ message_id: id }, page) => updateMessage({ id, reactions: [] }, page),
  TYPING_START: noteTyping,
  INTERACTION_SUCCESS: ({ nonce }, { interactions }) => interactions.succeeded(nonce),
  INTERACTION_FAILURE: ({ nonce }, { interactions }) => interactions.failed(nonce),
  INTERACTION_MODAL_CREATE: (modal, page) => page.showModal(modal),
  APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE: ({ nonce, choices }, { interactions }) => interactions.offered(nonce, choices),
  GUILD_APPLICATION_COMMAND_INDEX_UPDATE: (_, page) => page.loadCommands(),
};
