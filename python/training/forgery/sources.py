"""Which repositories of the corpus show the same material: they count as one source, and stay on one side of a split."""

SAME = {
    "lrs": ["choijeongsoo/lip2speech-unit", "opendemo-mm/AlignDiT", "v-iashin/SparseSync", "hazard-10/LivePortrait", "smeetrs/deep_avsr"],
    "mead": ["ali-vilab/dreamtalk", "jixinya/EAMM", "FuxiVirtualHuman/styletalk", "tanshuai0219/EDTalk"],
    "portraits": ["deepbrainai-research/float", "tencent-ailab/V-Express", "jixiaozhong/Sonic", "jixiaozhong/jixiaozhong.github.io",
                  "omnihuman-lab/omnihuman-lab.github.io", "Fantasy-AMAP/fantasy-talking"],
    "ff_dfd_dfdc": ["rohitcodism/Face-Swap-Detection-Model", "ayhm23/DeepfakeDetection", "polimi-ispl/icpr2020dfdc", "aaronchong888/DeepFake-Detect", "erprogs/CViT"],
    "lia": ["wyhsirius/LIA", "wyhsirius/LIA-X-project"],
    "liveportrait": ["KwaiVGI/LivePortrait", "liveportrait/liveportrait.github.io"],
    "hdtf": ["OpenTalker/SadTalker", "Zejun-Yang/AniPortrait", "OpenTalker/video-retalking"],
    "wav2lip_assignment": ["Akash-Jariwala/lipsync-assignment", "PhaniTejaPMSS/video-lip-sync", "akashsharma-2002/LIP_SYNC", "aniketpatro04/Listed_Wav2Lip_Lipsync",
                           "darshithachinta/wav2lip-assignment", "kuldeepjeengar/new_wav2lip", "kuwarkapur/Wav2Lip_testing", "salwinat0r/LipSync"],
    "wav2lip": ["Sakthivel3130/Wav2Lip-lipsync", "xiaoou2/Wav2Lip"],
}
SOURCE = {repo: name for name, repos in SAME.items() for repo in repos}


def source(repo: str) -> str:
    return SOURCE.get(repo, repo)
