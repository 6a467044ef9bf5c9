// What runs say, put on the nodes they say it of: while they run, when they are refused or fail,
// and from the history after a reload.

import { api, app, everyNode, labelsOf, lastRuns, nodeAt, root, say, setting, titleOf, toast, typeOf, untoastAll } from "./comfy.js";
import { SONGS } from "./carry.js";
import { KEY, clipsOf, sectionsOf } from "./facts.js";
import { isSame, restored } from "./history.js";
import { errorPart, sectionsPart } from "./lines.js";
import { existingPanel, panelOf } from "./panel.js";
import { clipsPart } from "./players.js";
import { heardOf } from "./regions/mount.js";
import { isOurs, refusedBy, sentenceOf } from "./refusals.js";
import { PLAY } from "./settings.js";
import { written } from "./writer.js";

const OFTEN = 500; // ms
const LONG = 20; // times: as busy as the page may be
const SOUND = new Set([...SONGS, "AceSuiteCompareTakes"]);
const workflows = new Map(); // prompt's id -> the id of the workflow it was queued from
const prompts = new Map(); // prompt's id -> its nodes
const made = new WeakMap(); // node -> the prompt it was run in
const told = new WeakMap(); // node -> JSON of what it shows
let buttons = () => [];

export const promptOf = (node) => made.get(node);

// A node that gives sound has its panel from the start: the page looks for it by name.
export function prepare(node) {
  if (SOUND.has(typeOf(node))) panelOf(node, "audioUI");
}

function show(node, facts, prompt) {
  if (prompt) made.set(node, prompt);
  const text = JSON.stringify(facts);
  if (told.get(node) === text) return; // players go on playing
  told.set(node, text);
  heardOf(node, facts);
  written(node, facts);
  const sections = sectionsOf(facts, say);
  const clips = clipsOf(facts);
  if (!existingPanel(node) && !clips.length && !sections.length) return;
  const panel = panelOf(node);
  panel.put("clips", clipsPart(clips, (clip) => buttons(node, facts, clip)));
  panel.put("sections", sectionsPart(sections));
  settleSoon(); // a busy page may draw the node only now
}

// What an earlier run said of the node is of other values.
function mark(node, sentences) {
  const panel = panelOf(node);
  panel.put("error", errorPart(sentences));
  panel.put("sections", null);
  settleSoon();
  told.delete(node);
}

function fail(id, sentences, type, key) {
  const node = nodeAt(id);
  if (node) mark(node, sentences);
  toast(id, "error", say(key, { node: titleOf(node, type) }), sentences.join("\n"));
}

function forget() {
  untoastAll();
  for (const [, node] of everyNode()) existingPanel(node)?.put("error", null);
}

const isOpen = (prompt) => isSame(workflows.get(prompt), root()?.id);

function executed({ detail }) {
  const facts = detail?.output?.[KEY];
  const node = facts && isOpen(detail.prompt_id) && nodeAt(detail.display_node ?? detail.node);
  if (!node || !isOurs(typeOf(node))) return;
  show(node, facts, prompts.get(detail.prompt_id));
  if (setting(PLAY) && SONGS.has(typeOf(node))) existingPanel(node).play();
}

// With the inputs named as the node that failed has them.
const why = (error) => say(sentenceOf(error), {}, labelsOf(nodeAt(error.node_id)));
const labelOf = (id, name) => labelsOf(nodeAt(id))[name] ?? name;

function failed({ detail }) {
  if (isOurs(detail.node_type)) {
    const id = isOpen(detail.prompt_id) ? detail.node_id : null;
    fail(id, [why(detail)], detail.node_type, "failed");
  }
}

function refused(answer) {
  for (const [id, sentences] of Object.entries(refusedBy(answer?.node_errors, say, labelOf)))
    fail(id, sentences, answer.node_errors[id].class_type, "refused");
}

export async function restore() {
  const open = everyNode();
  if (!open.some(([, node]) => isOurs(typeOf(node)))) return;
  const types = Object.fromEntries(open.map(([id, node]) => [id, typeOf(node)]));
  const { shown, error } = restored(await lastRuns(), root()?.id, types);
  for (const [id, { facts, prompt }] of Object.entries(shown)) {
    const node = nodeAt(id);
    if (node && typeOf(node) === types[id]) show(node, facts, prompt);
  }
  if (error && isOurs(error.node_type)) {
    const node = nodeAt(error.node_id);
    if (node) mark(node, [why(error)]);
  }
}

// Nothing of ours may keep the page from running a graph.
function safely(act, ...words) {
  try {
    act(...words);
  } catch (error) {
    console.error(error);
  }
}

// The page tells nobody what a refused prompt was refused for.
function overhear() {
  const queue = api.queuePrompt;
  api.queuePrompt = async function (number, prompt, ...more) {
    safely(forget);
    try {
      const answer = await queue.call(this, number, prompt, ...more);
      if (answer?.prompt_id) {
        workflows.set(answer.prompt_id, prompt?.workflow?.id);
        prompts.set(answer.prompt_id, prompt?.output);
      }
      safely(refused, answer);
      return answer;
    } catch (error) {
      safely(refused, error?.response);
      throw error;
    }
  };
}

let looks = 0;
let looking = 0;

// Once another graph is open, its nodes' panels take their places as the page draws them.
export function settleSoon() {
  looks = LONG;
  looking ||= setInterval(() => {
    for (const [, node] of everyNode()) existingPanel(node)?.settle();
    looks -= 1;
    if (looks) return;
    clearInterval(looking);
    looking = 0;
  }, OFTEN);
}

// `offered`: (node, facts, clip) -> buttons for what can be done with a clip.
export function listen(offered) {
  buttons = offered;
  app.canvas?.canvas?.addEventListener("litegraph:set-graph", settleSoon); // a subgraph, or back
  let waiting = 0;
  api.addEventListener("executed", executed);
  api.addEventListener("execution_error", failed);
  api.addEventListener("execution_success", restore);
  // Of a run that another page started, or this one before it was reloaded, only this is heard.
  api.addEventListener("status", ({ detail }) => {
    const left = detail?.exec_info?.queue_remaining ?? 0;
    if (left < waiting) restore();
    waiting = left;
  });
  overhear();
}

