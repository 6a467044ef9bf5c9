// The pack's part of ComfyUI's page.

import { app, everyNode, setting, typeOf } from "./comfy.js";
import { buttonsFor } from "./graft.js";
import { grey, prepareGrey } from "./grey.js";
import { styled } from "./panel.js";
import { prepareRegions } from "./regions/mount.js";
import { isOurs } from "./refusals.js";
import { listen, prepare, promptOf, restore, settleSoon } from "./runs.js";
import { EXAMPLE_SONG, SETTINGS } from "./settings.js";
import { provideExample, sortTemplates } from "./templates.js";
import { prepareWriter } from "./writer.js";

app.registerExtension({
  name: "acestepsuite.Page",
  settings: SETTINGS,
  init() {
    sortTemplates();
  },
  setup() {
    styled();
    listen(buttonsFor(promptOf));
  },
  async beforeConfigureGraph(workflow) {
    if (setting(EXAMPLE_SONG) !== false) await provideExample(workflow);
  },
  nodeCreated(node) {
    if (!isOurs(typeOf(node))) return;
    prepareWriter(node);
    prepareRegions(node);
    prepareGrey(node);
    prepare(node);
  },
  afterConfigureGraph() {
    for (const [, node] of everyNode()) grey(node);
    settleSoon();
    restore();
  },
});
