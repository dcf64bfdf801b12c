// The tree of slash commands: its leaves, the arguments typed behind one, and the interaction data it becomes.

export const OPTION = { sub: 1, group: 2, string: 3, integer: 4, boolean: 5, user: 6, channel: 7, role: 8, mentionable: 9, number: 10, attachment: 11 };

/** The leaves of the command tree: `/prefer option set` is one, `/prefer` itself is none. */
export function leaves(index) {
  const applications = new Map((index.applications ?? []).map((item) => [item.id, item]));
  const slash = (index.application_commands ?? []).filter((command) => (command.type ?? 1) === 1);
  return slash.flatMap((root) => descend(root, root, [], applications.get(root.application_id)));
}

function descend(root, node, path, application) {
  const nested = (node.options ?? []).filter((option) => option.type === OPTION.sub || option.type === OPTION.group);
  if (!nested.length) return [{ root, path, application, name: [root.name, ...path.map((part) => part.name)].join(" "), description: node.description, options: node.options ?? [] }];
  return nested.flatMap((child) => descend(root, child, [...path, child], application));
}

/** The `data` of an interaction: the leaf's options wrapped in its subcommand and group. */
export function commandData(leaf, options) {
  const wrapped = [...leaf.path].reverse().reduce((inner, part) => [{ type: part.type, name: part.name, options: inner }], options);
  const { root } = leaf;
  return { version: root.version, id: root.id, guild_id: root.guild_id, name: root.name, type: 1, options: wrapped, application_command: root, attachments: [] };
}

/** Split `prompt: a fox size: big` at the names of the options; text without a name goes to the first text option. */
export function splitArguments(leaf, text) {
  const found = new Map();
  const names = leaf.options.map((option) => option.name.replace(/[^\w-]/g, "\\$&"));
  const first = leaf.options.find((option) => option.type === OPTION.string) ?? leaf.options[0];
  let current = first?.name;
  let from = 0;
  const take = (until) => {
    const value = text.slice(from, until).trim();
    if (current && value) found.set(current, value);
  };
  const marks = names.length ? text.matchAll(new RegExp(`(?<=^|\\s)(${names.join("|")}):`, "g")) : [];
  for (const mark of marks) {
    if (found.has(mark[1]) || (mark[1] === current && from > 0)) continue;
    take(mark.index);
    current = mark[1];
    from = mark.index + mark[0].length;
  }
  take(text.length);
  return found;
}
