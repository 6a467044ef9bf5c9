"""Parameter files of our own making: as the original wrote them, old and new, and as we do."""

from __future__ import annotations

from typing import Any

WORDS = "[verse]\nA train goes out\n\n[chorus]\nCarry me \u2014 \u96e8"
OLD: dict[str, Any] = {
    "prompt": "folk, guitar, 96 bpm",
    "lyrics": WORDS,
    "audio_duration": 170.63997916666668,
    "infer_step": 60,
    "guidance_scale": 15,
    "scheduler_type": "euler",
    "cfg_type": "apg",
    "omega_scale": 10,
    "guidance_interval": 0.5,
    "guidance_interval_decay": 0,
    "min_guidance_scale": 3,
    "use_erg_tag": True,
    "use_erg_lyric": True,
    "use_erg_diffusion": True,
    "oss_steps": [],
    "timecosts": {"preprocess": 0.03, "diffusion": 13.6, "latent2audio": 1.4},
    "actual_seeds": [3299954530],
}
LORA = "/root/somebody/folk_lora"
NEW: dict[str, Any] = {
    "format": "wav",
    "lora_name_or_path": LORA,
    "lora_weight": 0.8,
    "task": "text2music",
    **OLD,
    "audio_duration": 134.64,
    "guidance_interval": 0.7,
    "use_erg_lyric": False,
    "oss_steps": [2, 5],
    "retake_seeds": [2907904223],
    "retake_variance": 0.5,
    "guidance_scale_text": 0.0,
    "guidance_scale_lyric": 0.0,
    "repaint_start": 0,
    "repaint_end": 0,
    "edit_n_min": 0.0,
    "edit_n_max": 1.0,
    "edit_n_avg": 1,
    "src_audio_path": None,
    "edit_target_prompt": None,
    "edit_target_lyrics": None,
    "audio2audio_enable": False,
    "ref_audio_strength": 0.5,
    "ref_audio_input": None,
    "audio_path": "./outputs/output_20250512101839_0.wav",
}
PLAIN = {**NEW, "lora_name_or_path": "none", "lora_weight": 1, "oss_steps": []}
SOURCE = {"src_audio_path": "C:\\music\\song.flac"}
RETAKE = {**PLAIN, "task": "retake", "retake_variance": 0.2, "repaint_end": 134.64}
REPAINT = {**PLAIN, **SOURCE, "task": "repaint", "repaint_start": 1.0, "repaint_end": 2.0}
EXTEND = {**PLAIN, **SOURCE, "task": "extend", "audio_duration": 5.0}
EXTEND |= {"repaint_start": -1.0, "repaint_end": 6.5, "retake_variance": 1.0}
EDIT = {**PLAIN, **SOURCE, "task": "edit", "edit_n_min": 0.6, "edit_n_max": 1.0}
FOLLOW = {**PLAIN, "task": "audio2audio", "audio2audio_enable": True}
FOLLOW |= {"ref_audio_strength": 0.4, "ref_audio_input": "/tmp/song.flac"}
OURS = {
    **EDIT,
    "ace_core": {
        "version": "0.1",
        "compat": "corrected",
        "language": "en",
        "rate": 44_100,
        "adapters": [],
        "source_tags": "jazz",
        "source_lyrics": "[inst]",
        "extended": True,
    },
}
STRANGE = {"somebody_elses": {"key": [1, None]}}
EVERY = {
    "old": OLD,
    "new": {**NEW, **STRANGE},
    "retake": {**RETAKE, **STRANGE},
    "repaint": {**REPAINT, **STRANGE},
    "extend": {**EXTEND, **STRANGE},
    "edit": {**EDIT, **STRANGE},
    "follow": {**FOLLOW, **STRANGE},
    "ours": {**OURS, **STRANGE},
}
