// @fal-ai/client: node fal.mjs URL SONG FOLDER; its middleware leads to another address.
//
// storage.upload -> queue.submit -> subscribeToStatus (asking, then streaming) -> queue.result;
// two cancelled, one waiting, one at work; run

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

import { FAL_APP, LONG, QUICK, isSound, told } from "./told.mjs";

const [server, song, folder] = process.argv.slice(2);
const { fal } = createRequire(join(folder, "here.js"))("@fal-ai/client");

// As docs/api.md has it; older ones have their storage at another name.
const PLACES = [
    ["https://queue.fal.run", `${server}/acestep/queue`],
    ["https://fal.run", server],
    ["https://rest.fal.ai", `${server}/acestep`],
    ["https://rest.alpha.fal.ai", `${server}/acestep`],
];

async function requestMiddleware(request) {
    const [theirs, ours] = PLACES.find(([host]) => request.url.startsWith(host)) ?? ["", ""];
    return { ...request, url: ours + request.url.slice(theirs.length) };
}

fal.config({ credentials: "any:any", requestMiddleware });

let source = { audio_url: basename(song) };
const url = await told("upload", async () => {
    const bytes = await readFile(song);
    return fal.storage.upload(new File([bytes], basename(song), { type: "audio/flac" }));
});
if (url !== undefined) {
    source = { audio_url: url };
}

async function submitted(input) {
    const answer = await fal.queue.submit(FAL_APP, { input: { ...source, ...input } });
    if (!answer.request_id) {
        throw new Error(`no id in ${JSON.stringify(answer)}`);
    }
    return answer.request_id;
}

async function watched(requestId, mode) {
    const lines = [];
    const onQueueUpdate = (update) => lines.push(...(update.logs ?? []));
    const options = { requestId, logs: true, mode, pollInterval: 100, onQueueUpdate };
    const end = await fal.queue.subscribeToStatus(FAL_APP, options);
    if (end.status !== "COMPLETED") {
        throw new Error(JSON.stringify(end));
    }
    const result = await fal.queue.result(FAL_APP, { requestId });
    if (result.requestId !== requestId) {
        throw new Error(`the result is of "${result.requestId}"`);
    }
    await isSound(result.data.audio.url);
    return lines;
}

const id = await told("submit", () => submitted(QUICK));
const lines = await told("wait", () => watched(id, "polling"));
await told("logs", () => {
    if (!lines?.some((line) => line.message)) {
        throw new Error(JSON.stringify(lines));
    }
});
await told("stream", async () => watched(await submitted(QUICK), "streaming"));
await told("cancel", async () => {
    const ids = [await submitted(LONG), await submitted(LONG)];
    for (const requestId of [...ids].reverse()) {
        await fal.queue.cancel(FAL_APP, { requestId });
    }
    for (const requestId of ids) {
        await fal.queue.subscribeToStatus(FAL_APP, { requestId, pollInterval: 100 }).catch(() => {});
        const answer = await fal.queue.result(FAL_APP, { requestId }).catch((error) => error);
        if (!(answer instanceof Error)) {
            throw new Error("it was not cancelled");
        }
    }
});
await told("direct", async () => {
    const { data } = await fal.run(FAL_APP, { input: { ...source, ...QUICK } });
    await isSound(data.audio.url);
});
