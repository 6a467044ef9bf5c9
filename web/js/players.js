// A player for each clip of a node, with what it is and what can be done with it.

import { addressOf, say } from "./comfy.js";
import { labelOf, levelsOf } from "./facts.js";
import { paragraphs } from "./lines.js";
import { element } from "./panel.js";

// `buttons`: clip -> elements, for the nodes that offer them.
export function clipsPart(clips, buttons) {
  if (!clips.length) return null;
  const players = [];
  const made = clips.map((clip) => {
    const player = element("audio");
    player.controls = true;
    player.preload = "metadata";
    player.src = addressOf(clip);
    player.addEventListener("play", () => alone(player, players));
    players.push(player);
    const label = labelOf(clip, clips, say);
    player.setAttribute("aria-label", label);
    const below = clip.kind === "take" ? buttons(clip) : [];
    const row = below.length ? [element("div", "acesuite-buttons", ...below)] : [];
    const levels = paragraphs(levelsOf(clip, say));
    return element("div", "acesuite-clip", element("b", "", label), player, ...levels, ...row);
  });
  return element("div", "acesuite-section", ...made);
}

function alone(player, players) {
  for (const other of players) if (other !== player) other.pause();
}
