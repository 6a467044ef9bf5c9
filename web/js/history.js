// What the last runs said of a graph's nodes: history, workflow's id, its nodes -> shown.
//   shown: {id: {facts, prompt}}, error: of the newest run, if that failed
// A node that was not run again keeps what an older run of the same workflow said of it.

import { KEY } from "./facts.js";

// ComfyUI's history is an object whose entries may come in any order; newest first here.
export function entriesOf(history) {
  return Object.values(history ?? {}).sort((a, b) => numberOf(b) - numberOf(a));
}

const numberOf = (entry) => entry.prompt?.[0] ?? 0;

const NO_ID = "00000000-0000-0000-0000-000000000000"; // of a graph that was never saved

const isReal = (id) => Boolean(id) && id !== NO_ID;

// Whether two workflows' ids may be of the same one: not all have an id.
export function isSame(one, other) {
  return !isReal(one) || !isReal(other) || one === other;
}

// A page sends its workflow along; requests of programs, which share the queue, have none.
const workflowOf = (entry) => entry.prompt?.[3]?.extra_pnginfo?.workflow;

// `nodes`: {execution id: type} of the graph that is open.
export function restored(history, workflow, nodes) {
  const shown = {};
  let error = null;
  let isNewest = true;
  for (const entry of entriesOf(history)) {
    if (!workflowOf(entry)) continue;
    const own = workflowOf(entry).id;
    if (!isSame(own, workflow)) continue;
    const prompt = entry.prompt?.[2] ?? {};
    const ids = Object.keys(prompt).filter((id) => nodes[id] === prompt[id].class_type);
    // Without ids to go by, it has to be the same graph, node for node.
    const isKnown = isReal(own) && isReal(workflow);
    if (!ids.length || !(isKnown || ids.length === Object.keys(prompt).length)) continue;
    if (isNewest) error = failureOf(entry);
    isNewest = false;
    for (const id of ids) {
      const facts = entry.outputs?.[id]?.[KEY];
      if (facts && !(id in shown)) shown[id] = { facts, prompt };
    }
  }
  return { shown, error };
}

export function failureOf(entry) {
  const said = (entry.status?.messages ?? []).find(([kind]) => kind === "execution_error");
  return said ? said[1] : null;
}
