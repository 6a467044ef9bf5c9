// The pack's entries in ComfyUI's settings, kept by the page for each user. Their Chinese is in
// locales/zh/settings.json.

export const PREVIEW = "acestepsuite.Preview"; // read by the Sampler when it runs
export const PLAY = "acestepsuite.Play";
export const EXAMPLE_SONG = "acestepsuite.Example";

const entry = (id, category, name, tooltip, defaultValue) => ({
  id,
  category: ["ACE-Step", ...category],
  name,
  tooltip,
  type: "boolean",
  defaultValue,
});

export const SETTINGS = [
  entry(
    PREVIEW,
    ["Sampler", "Preview"],
    "Show the song as a spectrogram while it is sampled",
    "Takes a twentieth of the time at most, and changes no result.",
    true,
  ),
  entry(
    PLAY,
    ["Song", "Play"],
    "Play a song as soon as it is made",
    "The first take of Save Audio or Preview Song, where the page shows its player.",
    false,
  ),
  entry(
    EXAMPLE_SONG,
    ["Workflows", "Example"],
    "Put the example song into the input folder when a workflow begins with it",
    "300 kB, once. Without it such a workflow asks for a song of yours.",
    true,
  ),
];
