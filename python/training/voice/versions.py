"""Rough versions of all clips and twins: rooms, speed, gates, noise and codecs, once each and kept on disk.

    python -m voice.versions --data DIR --name clips|twins-world|... [--seed 1] [--chain rough|mild|called|filed|suppressed] [--every 2 --first 0]

`mild` is one or two steps instead of a chain, `called` what a call does alone, `filed` what a recorder does, `suppressed` what suppression of noise does. A twin gets the chain of its origin, so that only the trace of the vocoder differs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .augment import called, filed, mild, rough, suppressed
from .store import Clips, Writer, to_float

CHAINS = {"rough": rough, "mild": mild, "called": called, "filed": filed, "suppressed": suppressed}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--name", required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--chain", choices=CHAINS, default="rough")
    p.add_argument("--every", type=int, default=1, help="of every so manieth clip only, from `--first` on")
    p.add_argument("--first", type=int, default=0)
    a = p.parse_args()
    change = CHAINS[a.chain]
    clips, out = Clips(a.data, a.name), Writer(a.data, f"{a.name}-v{a.seed}")
    for i, origin in list(enumerate(clips.table["clip"]))[a.first :: a.every]:
        out.add(change(to_float(clips[i]), [a.seed, int(origin)]), clip=origin)
    print(a.name, a.seed, len(out.close()))


if __name__ == "__main__":
    main()
