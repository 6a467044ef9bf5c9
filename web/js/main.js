// The pack's part of ComfyUI's page.

import { app, everyNode, typeOf } from "./comfy.js";
import { buttonsFor } from "./graft.js";
import { grey, prepareGrey } from "./grey.js";
import { styled } from "./panel.js";
import { isOurs } from "./refusals.js";
import { listen, prepare, promptOf, restore } from "./runs.js";
import { provideExample, sortTemplates } from "./templates.js";
import { prepareWriter } from "./writer.js";

app.registerExtension({
  name: "acestepsuite.Page",
  // Kept by the page; the Sampler reads it when it runs. Chinese is in locales/zh/settings.json.
  settings: [
    {
      id: "acestepsuite.Preview",
      category: ["ACE-Step", "Sampler", "Preview"],
      name: "Show the song as a spectrogram while it is sampled",
      tooltip: "Takes a twentieth of the time at most, and changes no result.",
      type: "boolean",
      defaultValue: true,
    },
  ],
  init() {
    sortTemplates();
  },
  setup() {
    styled();
    listen(buttonsFor(promptOf));
  },
  async beforeConfigureGraph(workflow) {
    await provideExample(workflow);
  },
  nodeCreated(node) {
    if (!isOurs(typeOf(node))) return;
    prepareWriter(node);
    prepareGrey(node);
    prepare(node);
  },
  afterConfigureGraph() {
    for (const [, node] of everyNode()) grey(node);
    restore();
  },
});
