// What a driver says of each verb: one line of JSON, which known.py reads.

export const QUICK = { original_tags: "pop", tags: "rock", number_of_steps: 3, seed: 7 };
export const LONG = { ...QUICK, number_of_steps: 60 };
export const FAL_APP = "fal-ai/ace-step/audio-to-audio";
export const WAVESPEED_MODEL = "wavespeed-ai/ace-step/audio-inpaint";
export const WAVESPEED_BODY = { tags: "rock", end_time: 1, seed: 7 };

export async function told(verb, act) {
    let said = "yes";
    let result;
    try {
        result = await act();
    } catch (error) {
        said = `${error?.name}: ${error?.message} ${JSON.stringify(error?.body ?? "")}`.slice(0, 300);
    }
    console.log(`{"verb": ${JSON.stringify(verb)}, "said": ${JSON.stringify(said)}}`);
    return result;
}

// Throws unless a URL of an answer gives a FLAC.
export async function isSound(url) {
    const head = Buffer.from(await (await fetch(url)).arrayBuffer()).subarray(0, 4);
    if (head.toString("latin1") !== "fLaC") {
        throw new Error(`${url} is no sound`);
    }
}
