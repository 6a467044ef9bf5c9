// Sentences that the server says in English, in other languages: told(text, "zh") -> text.
//   [as the source has it, {} for its values, in Chinese with {0} for the first of them]
// What no pattern knows stays English, as a whole: half a sentence helps nobody.

const ZH = [
  ["Tags are empty. Describe the style: pop, piano, 120 bpm.", "标签为空。请描述风格：pop, piano, 120 bpm。"],
  ["{} is empty. Describe the music in a few words.", "“{0}”为空。请用几个词描述音乐。"],
  ["The source's tags are empty. Say what the song is now.", "源标签为空。请写出歌曲现在的风格。"],
  ["{} is {}; it must be between {} and {}.{}", "“{0}”为 {1}；必须在 {2} 到 {3} 之间。{4}"],
  ["{} is {}; it must be a whole number.", "“{0}”为 {1}；必须是整数。"],
  ["{} is {}; it must be one of: {}.", "“{0}”为 {1}；必须是其中之一：{2}。"],

  ["This model is instrumental: the lyrics are not sung.", "这个模型只做纯音乐：歌词不会被唱出来。"],
  ["This model does not know the tags {}.", "这个模型不认识这些标签：{0}。"],
  ["This model knows none of these tags: {}. Try {}.", "这些标签这个模型都不认识：{0}。请试试 {1}。"],
  ["(The small demonstration model, which auto takes.)", "（指 auto 所用的演示小模型。）"],
  ["This model learnt from clips of at most {} s; {} s may lose the thread.", "这个模型只学过最长 {0} 秒的片段；{1} 秒的歌可能不连贯。"],
  ["{} s is very short: music takes {} s or more.", "{0} 秒太短：音乐至少需要 {1} 秒。"],
  ["As the model recommends: {}.", "按模型推荐：{0}。"],
  ["{} come from the connected {}, not from the widgets.", "{0} 取自连接的 {1}，不取自控件。"],

  ["{}, computing in {} on {}, sound in {}", "{0}，以 {1} 在 {2} 上计算，声音用 {3}"],
  ["{} ({} {}), {} GB", "{0}（{1} {2}），占 {3} GB"],
  ["Instrumental, {}.", "纯音乐，{0}。"],
  ["Sings, {}.", "会唱，{0}。"],
  ["{} styles: {}", "{0} 种风格：{1}"],
  ["Words for {}: {}.", "{0} 的词：{1}。"],
  ["No released checkpoint was found: this is the one that comes with the pack, for demonstration. For music worth keeping choose download.", "没有找到正式模型：这是节点包附带的演示模型。正式创作请选择 download。"],
  ["No ACE-Step v1 checkpoint was found. Put {} into models/checkpoints or the released folder into models/{}, or choose download (8.3 GB).", "没有找到 ACE-Step v1 模型。请把 {0} 放入 models/checkpoints，或把正式模型的文件夹放入 models/{1}，或选择 download（8.3 GB）。"],
  ["{} could not be fetched ({}). What has arrived is kept: try again, and it goes on from there.", "{0} 无法下载（{1}）。已下载的部分会保留：再试一次即可继续。"],
  ["{} is no longer there. Refresh the page and choose again.", "{0} 已经不在了。请刷新页面，重新选择。"],
  ["No LoRA.", "没有 LoRA。"],
  ["LoRA {} does not fit this model: {} is {}, the adapter changes {}. It was made for other sizes.", "LoRA {0} 不适合这个模型：{1} 为 {2}，它改动的是 {3}。它是为别的尺寸制作的。"],
  ["LoRA {} was made for ACE-Step 1.5, which is another model.", "LoRA {0} 是为 ACE-Step 1.5 制作的，那是另一个模型。"],
  ["LoRA {} was not made for ACE-Step v1: it changes {}.", "LoRA {0} 不是为 ACE-Step v1 制作的：它改动的是 {1}。"],
  ["{}: not enough memory ({}). Lower seconds or batch_size, or choose offload as memory in Load ACE-Step.", "{0}：内存不足（{1}）。请调低时长或批次大小，或在“加载 ACE-Step 模型”中把显存模式选为 offload。"],

  ["The clip", "这段音频"],
  ["Clip {}", "第 {0} 段"],
  ["{} was over full scale: its level was brought down by {} dB, to {} dBTP, so that nothing is cut.", "{0}超过满刻度：电平已降低 {1} dB，到 {2} dBTP，避免削波。"],
  ["Clips {} were over full scale: their levels were brought down by {} dB, to {} dBTP, so that nothing is cut.", "第 {0} 段超过满刻度：电平分别已降低 {1} dB，到 {2} dBTP，避免削波。"],
  ["The clip is silent (peak {}).", "这段音频是静音的（峰值 {0}）。"],
  ["The clip lies {} of full scale off the middle (DC), which costs level and clicks where it is cut. Decode in float32, or sample again.", "这段音频有满刻度 {0} 的直流偏移，会损失电平，剪切处会有咔嗒声。请用 float32 解码，或重新采样。"],
  ["The decoded audio holds values that are not numbers. Decode in float32 (DCAE dtype float32), or sample again with the transformer in float32 or bfloat16.", "解码出的音频含有无效数值。请用 float32 解码（编解码器精度 float32），或用 float32 或 bfloat16 重新采样。"],
  ["The latent was changed after the Sampler, so it is no longer what its task made. It is decoded whole and not put into its source.", "Latent 在采样器之后被改动，已不是任务的结果。它被整体解码，没有放回源音频。"],
  ["{} has no {} kbit/s: {} were written.", "{0} 没有 {1} kbit/s：已写成 {2}。"],
  ["{} kbit/s is little for music: {} sounds well from {} on and usually takes {}.", "{0} kbit/s 对音乐来说太少：{1} 从 {2} 起才好听，常用 {3}。"],

  ["source", "原曲"],
  ["new part", "新部分"],
  ["The source peaks at {} dBTP{}, over {} dBTP; it was not changed.{}", "原曲峰值 {0} dBTP{1}，超过 {2} dBTP；未作改动。{3}"],
  [", with {} samples at full scale", "，其中 {0} 个采样点达到满刻度"],
  ["It may be clipped: lower its level first if you hear distortion.", "它可能已削波：如果听到失真，请先降低它的电平。"],
  ["The new part's peak would be {} dBTP; its level was lowered by {} dB to keep {} dBTP.", "新部分的峰值会是 {0} dBTP；电平已降低 {1} dB，以保持 {2} dBTP。"],
  ["The new part's peak was {} dBTP; its level was lowered by {} dB to {} dBTP, so that nothing is cut at full scale.", "新部分的峰值是 {0} dBTP；电平已降低 {1} dB，到 {2} dBTP，避免削波。"],
  ["Matching the level would take {} dB; {} dB was given, the most.", "匹配响度需要 {0} dB；最多只调 {1} dB。"],
  ["The {} is silent ({} dB RMS or less), so no level was matched.", "{0}是静音的（不高于 {1} dB RMS），所以没有匹配响度。"],
  ["The source is silent ({} dB RMS).", "原曲是静音的（{0} dB RMS）。"],
  ["Levels were compared as RMS: {}.", "电平按 RMS 比较：{0}。"],
  ["there is no loudness of {} s or less", "{0} 秒以内没有响度可言"],
  ["Only {} of {} steps are re-sampled, so the result stays close to the source. Raise the variance (0.5 is usual), or lower the strength or the edit start.", "{1} 步中只重新采样了 {0} 步，所以结果很接近原曲。请提高变化强度（常用 0.5），或降低参考强度或编辑开始。"],
  ["Almost nothing changed ({} dB of the source). Raise the variance, or move the edit start towards 0.", "几乎没有改动（原曲的 {0} dB）。请提高变化强度，或把编辑开始调向 0。"],
  ["There may be a click at {} s. Raise crossfade.", "{0} 秒处可能有咔嗒声。请提高交叉淡化。"],
  ["Variance is 0, so nothing is made new: this is the source.", "变化强度为 0，没有新生成任何部分：这就是原曲。"],
  ["Strength is 1: this is the source.", "参考强度为 1：这就是原曲。"],
  ["Nothing is made new: with these settings the result is the source.", "没有新生成任何部分：这样设置，结果就是原曲。"],
  ["The source's own latents were used; nothing was encoded again.", "直接使用了源 Latent，没有重新编码。"],
  ["The source's latents have {} frames and its sound {}: they are not of the same clip, so the sound was encoded.", "源 Latent 有 {0} 帧，源音频有 {1} 帧：它们不是同一段，所以编码了音频。"],

  ["There is no source. Connect source_audio or source_latent.", "没有源音频。请连接“源音频”或“源 Latent”。"],
  ["No region was given; name the part to make new.", "没有给出区域；请指明要重新生成的部分。"],
  ["The region is empty: it starts and ends at {} s. Raise its end.", "区域是空的：它在 {0} 秒开始并结束。请调高结束。"],
  ["The region is reversed: it starts at {} s and ends at {} s of {} s. Exchange the two, or check from where each is counted.", "区域颠倒了：共 {2} 秒，它从 {0} 秒到 {1} 秒。请交换两者，或检查各自从哪一端算起。"],
  ["Region start ({} s) is not before the end of the clip ({} s). Lower it, or use Extend to add music.", "区域的开始（{0} 秒）不在音频结尾（{1} 秒）之前。请调低它，或用“延长”添加音乐。"],
  ["A region ends at {} s; the clip ends at {} s, so it ends there.", "区域在 {0} 秒结束；音频在 {1} 秒结束，所以到那里为止。"],
  ["A region starts {} s before the end; the clip has {} s, so it starts with the clip.", "区域从结尾前 {0} 秒开始；音频只有 {1} 秒，所以从头开始。"],
  ["Extend adds 0 s before and 0 s after. Ask for some new music.", "前面和后面都延长 0 秒。请给出新音乐的秒数。"],
  ["Both regions and a mask are given. Empty regions, or disconnect the mask.", "区域和遮罩都给了。请清空区域，或断开遮罩。"],
  ["The mask is black: it names nothing to make new. Draw some white.", "遮罩是全黑的：没有标出要重新生成的部分。请涂上白色。"],

  ["{}, seed {}.", "{0}，种子 {1}。"],
  ["Language {}", "语言 {0}"],
  ["No words", "没有歌词"],
  ["Locked: nothing was written.", "已锁定：没有重新写。"],
  ["The lyrics have {} characters, more than {} tokens can hold; the model was trained with at most {} tokens. Cut them to the words of one song.", "歌词有 {0} 个字符，超过 {1} 个 token 的容量；模型训练时最多 {2} 个 token。请删减到一首歌的词。"],
  ["The lyrics have {} tokens; the model was trained with at most {}, and the rest may not be sung. Shorten them.", "歌词有 {0} 个 token；模型训练时最多 {1} 个，其余的可能不会唱。请缩短歌词。"],
  ["{} characters are unknown to the model and will not be sung. Check the language of their lines, or spell them otherwise.", "有 {0} 个字符模型不认识，不会唱出来。请检查这些行的语言，或换一种写法。"],
  ["{} is not among the languages of the model, and its letters are unknown to it: write the words in Latin letters and choose the language that reads them best.", "模型的语言中没有 {0}，它的文字模型不认识：请用拉丁字母写歌词，并选择读音最接近的语言。"],
  ["This looks like {}, which is not among the languages of the model; it is read as another. The nearest is {}: choose {} as the language, or begin the lines with [{}].", "这看起来是 {0}，模型的语言中没有它，会按别的语言来读。最接近的是 {1}：请把语言选为 {2}，或在行首写 [{3}]。"],
  ["No lyrics: the model may sing words of its own. For music without singing write [inst].", "没有歌词：模型可能会自己编词来唱。不要演唱请写 [inst]。"],
  ["Estimate: the words take about {} s of {} s", "估计：{1} 秒中歌词约占 {0} 秒"],
  ["{}: some may be left out or hurried. Shorten them, or make the clip longer.", "{0}：有些可能被漏掉或唱得太赶。请缩短歌词，或加长时长。"],
  ["{}: the model may repeat lines or hum. Shorten the clip, or add [inst].", "{0}：模型可能重复歌词或哼唱。请缩短时长，或加上 [inst]。"],
  ["{}; that fits.", "{0}；放得下。"],
  ["Without lyrics the model may sing words of its own.", "没有歌词时，模型可能会自己编词来唱。"],
  ["For music without singing write [inst].", "不要演唱请写 [inst]。"],
  ["No structure mark is known to the model.", "没有一个段落标记是模型认识的。"],
  ["Begin each part with one, such as [verse] or [chorus].", "请在每段开头加上标记，如 [verse] 或 [chorus]。"],
  ["A time in brackets is read as words, not kept.", "括号里的时间会被当作歌词唱出来。"],
  ["Take the times out.", "请删去时间。"],
  ["{} is not a mark of the model; it is read as words between unknown characters.", "{0} 不是模型的标记；它会被当作歌词来读。"],
  ["Leave it out, or use a mark from the list.", "请删去它，或用列表中的标记。"],
  ["Write {}.", "请写 {0}。"],
  ["Put them on the next line.", "请放到下一行。"],
  ["A bracket is not closed or not opened.", "括号不成对。"],
  ["Complete or remove it.", "请补全或删去。"],
  ["A mark inside a line is read as words.", "行中间的标记会被当作歌词。"],
  ["Give it a line of its own, before the words.", "请让它单独成行，放在歌词之前。"],
  ["Words in round brackets are sung; often, not always, by a second voice.", "圆括号里的词会被唱出来，常常（不总是）由另一个声部唱。"],
  ["Remove them if they are a remark.", "如果只是说明，请删去。"],
  ["A line without letters is mostly passed over.", "没有文字的行大多会被略过。"],
  ["Write numbers in words; leave signs out.", "请把数字写成文字，略去符号。"],
  ["About {} syllables in one line; the end may be hurried or left out.", "一行约 {0} 个音节；行尾可能唱得太赶或被漏掉。"],
  ["Break it in two.", "请分成两行。"],
  ["Lines of {} to {} syllables stand in one part.", "同一段里各行从 {0} 到 {1} 个音节不等。"],
  ["Lines of like length keep to the melody better.", "长短相近的行更合旋律。"],
  ["{} lines in one part; lines get lost in long ones.", "一段有 {0} 行；段落长了容易漏唱。"],
  ["Make groups of four lines, each under its mark.", "请每四行一组，各加标记。"],
  ["{} lines in one part.", "一段有 {0} 行。"],
  ["Groups of four lines work best.", "四行一组效果最好。"],
  ["{} has no lines.", "{0} 下没有歌词。"],
  ["Write some, or make it [inst].", "请写上几行，或改为 [inst]。"],
  ["No empty line stands before {}.", "{0} 前面没有空行。"],
  ["One between parts helps the model to pause.", "段落之间空一行，有助于模型停顿。"],
  ["Several empty lines follow one another.", "有几个连续的空行。"],
  ["The same line {} times in a row; the model loses count.", "同一行连续 {0} 次；模型会数不清。"],
  ["Vary it, or repeat the part instead.", "请变一变，或改为重复整段。"],
  ["Estimate: the words take about {} s, the clip is {} s long.", "估计：歌词约需 {0} 秒，时长为 {1} 秒。"],
  ["Shorten the words, or make the clip longer.", "请缩短歌词，或加长时长。"],
  ["Estimate: the words take about {} s of {} s; the rest may repeat.", "估计：{1} 秒中歌词约占 {0} 秒；其余部分可能重复。"],
  ["Shorten the clip, or add [inst] where nobody sings.", "请缩短时长，或在没有演唱处加上 [inst]。"],

  ["Device {}: {} of {} GB are free", "设备 {0}：{2} GB 中有 {1} GB 空闲"],
  ["MISSING model: {}; auto takes the small demonstration model", "缺少模型：{0}；auto 使用演示小模型"],
  ["OK model: {} ({})", "模型就绪：{0}（{1}）"],
  ["complete", "完整"],
  ["incomplete", "不完整"],
  ["Models and files in Load's list: {}", "加载列表中的模型与文件：{0}"],
  ["OK lyric vocabulary", "歌词词表就绪"],
  ["OK packages", "Python 包齐全"],
  ["MISSING package {}: {}", "缺少 Python 包 {0}：{1}"],
  ["Optional package {}: {}", "可选 Python 包 {0}：{1}"],
  ["sound files", "音频文件"],
  ["tags, with a checkpoint in a folder", "标签（模型为文件夹时）"],
  ["tags, with a checkpoint in a single file", "标签（模型为单个文件时）"],
  ["checkpoints", "模型文件"],
  ["numbers in lyrics", "歌词中的数字"],
  ["matching levels", "匹配响度"],
  ["finding the language of lyrics", "识别歌词的语言"],
  ["Chinese lyrics", "中文歌词"],
  ["Japanese lyrics", "日语歌词"],
  ["quicker resampling", "更快的重采样"],
  ["{} s are {} frames ({} a second)", "{0} 秒为 {1} 帧（每秒 {2} 帧）"],
  ["Sampling: {} GB of weights and about {} GB beside them", "采样：权重 {0} GB，另需约 {1} GB"],
  ["This is a demonstration model; the released one is {}.", "这是演示模型；正式模型是 {0}。"],
];

export const SENTENCES = { zh: ZH };

const bare = (text) => text.trim().replace(/^Warning: (.)/, (_, first) => first.toUpperCase());
const plain = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// Longer ones first: a short one may be how a longer one begins.
const KNOWN = Object.fromEntries(
  Object.entries(SENTENCES).map(([language, rows]) => [
    language,
    [...rows]
      .sort(([one], [other]) => other.replaceAll("{}", "").length - one.replaceAll("{}", "").length)
      .map(([english, own]) => {
        const body = `^${english.split("{}").map(plain).join("(.*?)")}`;
        return [new RegExp(`${body}()$`, "s"), new RegExp(`${body} ([^ ].*)$`, "s"), own];
      }),
  ]),
);

// `language`: "zh", as words.js names it. `names`: what the page calls the inputs in it.
export function told(text, language, names = {}) {
  return whole(bare(text), KNOWN[language] ?? [], names) ?? text;
}

// A sentence, or several behind one another; null where one of them is not known.
function whole(text, known, names) {
  for (const [alone, first, own] of known) {
    const found = alone.exec(text) ?? first.exec(text);
    if (!found) continue;
    const rest = found.pop();
    const more = rest ? whole(rest, known, names) : "";
    if (more === null) continue;
    const values = found
      .slice(1)
      .map((value) => names[value] ?? whole(bare(value), known, names) ?? value);
    return own.replace(/\{(\d)\}/g, (_, index) => values[index] ?? "") + more;
  }
  return null;
}
