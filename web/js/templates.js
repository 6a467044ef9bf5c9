// What ComfyUI's template browser and its loader need of us: our workflows in the order of their
// numbers, and the clip that some of them change, put into input/ when one of those is opened.

import { api, registered } from "./comfy.js";

const EXAMPLE = "ACE-Step example song.mp3"; // as scripts/workflows/words.py names it
const PACK = new URL(import.meta.url).pathname.match(/\/extensions\/([^/]+)\//)?.[1];

// The server lists files as the disk happens to.
export function sortTemplates() {
  const asked = api.getWorkflowTemplates;
  api.getWorkflowTemplates = async function (...words) {
    const all = await asked.apply(this, words);
    all?.[decodeURIComponent(PACK ?? "")]?.sort();
    return all;
  };
}

export async function provideExample(workflow) {
  const isAsked = workflow?.nodes?.some(
    (node) => node.type === "LoadAudio" && node.widgets_values?.[0] === EXAMPLE,
  );
  const known = isAsked && songsOf(registered("LoadAudio"));
  if (!known || known.includes(EXAMPLE)) return;
  try {
    const address = new URL(`../examples/${encodeURIComponent(EXAMPLE)}`, import.meta.url);
    const form = new FormData();
    form.append("image", await (await fetch(address)).blob(), EXAMPLE); // so named for every file
    form.append("overwrite", "true");
    const answer = await api.fetchApi("/upload/image", { method: "POST", body: form });
    if (answer.ok) known.push(EXAMPLE);
  } catch {
    // The page says by itself that the file is missing; any other song may be chosen.
  }
}

// The list that the loader's nodes share: in older pages the type itself, in newer an option.
export function songsOf(kind) {
  const given = kind?.nodeData?.input?.required?.audio;
  const lists = [given?.[1]?.options, given?.[0]];
  return lists.find(Array.isArray);
}
