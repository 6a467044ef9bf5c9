// wavespeed for JavaScript: node wavespeed.mjs URL SONG FOLDER.
//
// upload -> run (it submits and waits), or create and wait -> run in one request, where it can

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

import { WAVESPEED_BODY, WAVESPEED_MODEL, isSound, told } from "./told.mjs";

const [server, song, folder] = process.argv.slice(2);
const { Client, WaveSpeed } = createRequire(join(folder, "here.js"))("wavespeed");
const isOld = Client === undefined;
const client = isOld
    ? new WaveSpeed("any", { baseUrl: `${server}/api/v3/`, pollInterval: 0.2 })
    : new Client("any", { baseUrl: server });

let body = { audio: basename(song), ...WAVESPEED_BODY };
const url = await told("upload", async () =>
    client.upload(isOld ? new File([await readFile(song)], basename(song)) : song),
);
if (url !== undefined) {
    body = { ...body, audio: url };
}

const made = await told("submit", () =>
    isOld
        ? client.create(WAVESPEED_MODEL, body)
        : client.run(WAVESPEED_MODEL, body, { pollInterval: 0.2 }),
);
await told("wait", async () => isSound((isOld ? await made.wait() : made).outputs[0]));
if (!isOld) {
    await told("direct", async () => {
        const answer = await client.run(WAVESPEED_MODEL, body, { enableSyncMode: true });
        await isSound(answer.outputs[0]);
    });
}
