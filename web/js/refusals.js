// Why nodes may not run or have failed, as sentences with their fix.
//   node_errors of a refused prompt, say -> {node id: [sentence]}
//   execution_error                      -> sentence

const OURS = "AceSuite";

export const isOurs = (type) => String(type ?? "").startsWith(OURS);

// Our errors begin with the English title of their node, which the page shows anyway.
export function sentenceOf(error) {
  const text = String(error.exception_message ?? "").trim();
  return text.replace(/^[^:\n]{0,60}ACE-Step[^:\n]{0,12}: (?=\S)/, "");
}

// `labelOf`: (node id, input's name) -> what the page calls it.
export function refusedBy(nodeErrors, say, labelOf = (_, name) => name) {
  const found = {};
  for (const [id, node] of Object.entries(nodeErrors ?? {})) {
    if (!isOurs(node.class_type)) continue;
    const called = (name) => labelOf(id, name);
    found[id] = node.errors.map((error) => refusal(error, node.class_type, say, called));
  }
  return found;
}

function refusal(error, type, say, called) {
  const info = error.extra_info ?? {};
  const [kind, config = {}] = info.input_config ?? [];
  const input = info.input_name ? called(info.input_name) : error.details;
  const value = shortened(info.received_value);
  const limits = { value_bigger_than_max: config.max, value_smaller_than_min: config.min };
  const known = { input, value, kind: named(kind, say), limit: limits[error.type] };
  const text = say(error.type, known);
  const isSaid = text !== error.type && !/\{\w+\}/.test(text);
  return isSaid ? text : say("refused_other", { node: type, ...error });
}

function shortened(value) {
  const text = typeof value === "string" ? `"${value}"` : JSON.stringify(value);
  return text?.length > 60 ? `${text.slice(0, 57)}…` : text;
}

const KINDS = new Set(["INT", "FLOAT", "STRING", "BOOLEAN"]);

function named(kind, say) {
  if (Array.isArray(kind)) return say("kind_choice");
  return KINDS.has(kind) ? say(`kind_${kind}`) : kind;
}
