// What the page knows of people, servers, channels and commands; everything that is asked of it and learnt by it.

export const CHANNEL = { direct: 1, category: 4 };
const TEXT_CHANNELS = new Set([0, 5]);
const THREADS = new Set([10, 11, 12]);

/**
 * `session`: what `GET /playground/session` told. `current`: id of the open channel. `live`: whether the gateway is
 * connected. `unread`: channel id -> {any, pings}. `typing`: channel id -> Map of user id to the timer that forgets it.
 */
export const store = {
  session: null, me: null, current: null, live: false, presenceTold: false,
  guilds: new Map(), channels: new Map(), users: new Map(), presences: new Map(), unread: new Map(), typing: new Map(),
  commands: { applications: [], application_commands: [] },
};

// What is open ------------------------------------------------------------------------------------------------------

export const channelNow = () => store.channels.get(store.current);
export const guildNow = () => store.guilds.get(channelNow()?.guild_id);
export const membersNow = () => [...(guildNow()?.members.keys() ?? [])].map((id) => store.users.get(id)).filter(Boolean);
export const rolesNow = () => [...(guildNow()?.roles.values() ?? [])];
export const textChannelsNow = () => [...store.channels.values()].filter((channel) => channel.guild_id === channelNow()?.guild_id && TEXT_CHANNELS.has(channel.type));

// People --------------------------------------------------------------------------------------------------------------

// A server that tells nobody's presence leaves everybody "online".
export const statusOf = (id) => (store.presenceTold ? store.presences.get(id) ?? "offline" : "online");
export const isBotOnline = () => statusOf(store.session.bot_user_id) !== "offline";
const application = () => store.commands.applications.find((item) => item.id === store.session.application_id);
export const bot = () => store.users.get(store.session.bot_user_id) ?? { id: store.session.bot_user_id, username: application()?.name ?? "The bot", bot: true };

export function nameOf(user) {
  const known = store.users.get(user?.id) ?? user;
  return guildNow()?.members.get(user?.id)?.nick || known?.global_name || known?.username || "unknown";
}

export const rolesOf = (id) => (guildNow()?.members.get(id)?.roles ?? []).map((role) => guildNow().roles.get(role)).filter(Boolean);

/** The colour of a person's highest coloured role, as style properties. */
export function nameStyle(user) {
  const top = rolesOf(user.id).filter((role) => role.color).sort((a, b) => b.position - a.position)[0];
  return top ? { color: `#${top.color.toString(16).padStart(6, "0")}` } : {};
}

export const avatarOf = (user) => (user?.avatar ? `/cdn/avatars/${user.id}/${user.avatar}.png?size=80` : null);

export const isPinged = (message) => message.author.id !== store.me.id && ((message.mentions ?? []).some((user) => user.id === store.me.id) || message.mention_everyone === true);

/** A bot's message does not always name its application, whose id may differ from the bot's own. */
export function applicationOf(message) {
  const known = store.commands.applications.find((item) => item.bot_id === message.author.id || item.bot?.id === message.author.id);
  return message.application_id ?? known?.id ?? (message.author.id === store.session.bot_user_id ? store.session.application_id : message.author.id);
}

// Channels ------------------------------------------------------------------------------------------------------------

const byPosition = (a, b) => (a.position ?? 0) - (b.position ?? 0) || (BigInt(a.id) < BigInt(b.id) ? -1 : 1);
const channelsOf = (guild) => [...store.channels.values()].filter((channel) => channel.guild_id === guild.id);
export const isThread = (channel) => THREADS.has(channel.type);
export const textChannels = (guild) => channelsOf(guild).filter((channel) => TEXT_CHANNELS.has(channel.type)).sort(byPosition);
export const openThreads = (guild) => channelsOf(guild).filter((channel) => isThread(channel) && !channel.thread_metadata?.archived);
export const categories = (guild) => channelsOf(guild).filter((channel) => channel.type === CHANNEL.category).sort(byPosition);
export const firstChannel = (guild) => guild.lastOpen ?? textChannels(guild)[0]?.id;
export const directs = () => [...store.channels.values()].filter((channel) => channel.type === CHANNEL.direct).sort((a, b) => Number(BigInt(b.last_message_id ?? 0) - BigInt(a.last_message_id ?? 0)));

export function channelTitle(channel) {
  if (channel.type !== CHANNEL.direct) return channel.name ?? "group";
  const other = (channel.recipients ?? []).map((user) => store.users.get(user.id) ?? user)[0] ?? store.users.get(channel.recipient_ids?.[0]);
  return other ? other.global_name || other.username : "direct message";
}

/** A URL of this server, without its host name (the page may be open under another name of it); null for all others. */
export function localUrl(url) {
  if (!url) return null;
  const parsed = new URL(url, location.href);
  if (parsed.protocol === "blob:") return url;
  return [location.origin, new URL(store.session.url).origin].includes(parsed.origin) ? parsed.pathname + parsed.search : null;
}

// Learning ------------------------------------------------------------------------------------------------------------

export const remember = (user) => user?.id && store.users.set(user.id, { ...store.users.get(user.id), ...user });

export function learnPresence(presence) {
  store.presenceTold = true;
  store.presences.set(presence.user?.id ?? presence.user_id, presence.status);
}

export function learnGuild(data) {
  const guild = { ...data, ...data.properties, members: new Map(), roles: new Map((data.roles ?? []).map((role) => [role.id, role])) };
  for (const member of data.members ?? []) learnMember(guild, member);
  for (const channel of [...(data.channels ?? []), ...(data.threads ?? [])]) store.channels.set(channel.id, { ...channel, guild_id: guild.id });
  for (const presence of data.presences ?? []) learnPresence(presence);
  store.guilds.set(guild.id, guild);
}

export function learnMember(guild, member) {
  const id = member.user?.id ?? member.user_id;
  if (member.user) remember(member.user);
  guild?.members.set(id, { ...guild.members.get(id), ...member });
}

export function learnChannel(channel) {
  for (const user of channel.type === CHANNEL.direct ? channel.recipients ?? [] : []) remember(user);
  const before = channel.type === CHANNEL.direct ? {} : store.channels.get(channel.id);
  store.channels.set(channel.id, { ...before, ...channel });
}

export function learnReady(data) {
  store.me = data.user;
  remember(data.user);
  for (const user of data.users ?? []) remember(user);
  for (const guild of data.guilds ?? []) if (!guild.unavailable) learnGuild(guild);
  for (const channel of data.private_channels ?? []) learnChannel(channel);
  for (const presence of data.presences ?? []) learnPresence(presence);
  store.presences.set(data.user.id, "online");
}
