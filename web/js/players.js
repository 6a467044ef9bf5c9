// Players on the nodes that give sound to hear. The value of a player is no input: sent with a
// prompt, its changing address would run the node again at every queue.
import { app } from "../../../scripts/app.js";

const NODES = new Set(["AceSuiteSaveAudio", "AceSuiteCompareTakes"]);

app.registerExtension({
  name: "acestepsuite.Players",
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (NODES.has(nodeData.name)) nodeData.input.required.audioUI = ["AUDIO_UI", {}];
  },
  nodeCreated(node) {
    if (!NODES.has(node.comfyClass)) return;
    const player = node.widgets?.find((widget) => widget.name === "audioUI");
    if (player) player.options = { ...player.options, serialize: false };
  },
});
