"""Speech of the engines that Debian packages, added to the spoofs: python -m voice.engines --data DIR [--seed 1]

    apt-get install espeak-ng flite festival festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k festvox-italp16k \
        festvox-itapc16k festvox-suopuhe-lj festvox-suopuhe-mv festvox-ru festvox-ca-ona-hts festvox-czech-dita festvox-czech-ph

Formants (espeak-ng, GPL-3+, with its Klatt variants), diphones and units (festival, X11-like; voices GPL, LGPL or X11-like) and
statistical voices (flite, festival's HTS; X11-like, BSD). The sentences are our own. Run after `prepare` and before `versions`:
rows with the part `engines` are appended to `clips`, espeak-ng in fold 1, flite and festival in fold 4, where the corpus has theirs.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import soundfile
from scipy.signal import resample_poly

from .codecs import opus
from .prepare import COLUMNS
from .store import RATE, to_pcm

SENTENCES = {
    "en": (
        "Thank you for having me, I looked forward to this conversation all week.",
        "We moved our reports to a new server, and for a month nobody trusted the numbers.",
        "I would first ask the people at the desk what slows them down every morning.",
        "My last manager would say that I finish what I begin, even when it is dull.",
        "The deadline was short, so we left out two features and told the customer early.",
        "I learned to cook before I learned to code, and both need patience.",
        "If two colleagues disagree, I let each of them explain the other one's view.",
        "Sorry, could you say the question again? The line was bad for a moment.",
    ),
    "de": ("Guten Tag, ich freue mich sehr auf unser Gespräch heute.", "Wir haben den Plan zweimal geändert und trotzdem pünktlich geliefert.", "Am meisten lerne ich von Kollegen, die anderer Meinung sind."),
    "fr": ("Bonjour, merci de prendre le temps de parler avec moi.", "Nous avons changé le plan deux fois et livré à l'heure.", "J'apprends le plus avec des collègues qui pensent autrement."),
    "es": ("Buenos días, gracias por recibirme esta mañana.", "Cambiamos el plan dos veces y entregamos a tiempo.", "Aprendo más de los compañeros que piensan de otra manera."),
    "it": ("Buongiorno, vi ringrazio per questo incontro di lavoro.", "Abbiamo cambiato il piano due volte e consegnato in tempo.", "Imparo di più dai colleghi che la pensano in modo diverso."),
    "pt": ("Bom dia, obrigado por conversar comigo hoje de manhã.", "Mudamos o plano duas vezes e entregamos no prazo.", "Aprendo mais com os colegas que pensam de outra forma."),
    "nl": ("Goedemorgen, fijn dat we vandaag kunnen praten over het werk.", "We hebben het plan twee keer veranderd en toch op tijd geleverd."),
    "pl": ("Dzień dobry, dziękuję za zaproszenie na tę rozmowę.", "Dwa razy zmieniliśmy plan, a mimo to zdążyliśmy na czas."),
    "ru": ("Добрый день, спасибо, что пригласили меня на этот разговор.", "Мы дважды меняли план и всё равно успели в срок."),
    "sv": ("God morgon, roligt att få prata med er om arbetet i dag.", "Vi ändrade planen två gånger och blev ändå klara i tid."),
    "fi": ("Hyvää huomenta, kiitos kutsusta tähän keskusteluun.", "Muutimme suunnitelmaa kahdesti ja valmistuimme silti ajoissa."),
    "cs": ("Dobrý den, děkuji za pozvání na tento rozhovor.", "Plán jsme změnili dvakrát, a přesto jsme skončili včas."),
    "hi": ("नमस्ते, आज मुझसे बात करने के लिए धन्यवाद।", "हमने योजना दो बार बदली और काम समय पर पूरा किया।"),
    "tr": ("Günaydın, bu sabah bana vakit ayırdığınız için teşekkürler.", "Planı iki kez değiştirdik ve yine de zamanında bitirdik."),
    "id": ("Selamat pagi, terima kasih atas waktu Anda hari ini.", "Kami mengubah rencana dua kali dan tetap selesai tepat waktu."),
    "ca": ("Bon dia, moltes gràcies per convidar-me a aquesta conversa.", "Vam canviar el pla dues vegades i vam acabar a temps."),
}
ACCENTS = {"en": ("en-gb", "en-us", "en-029", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-x-rp"), "fr": ("fr-fr", "fr-be"), "es": ("es", "es-419"), "pt": ("pt", "pt-br")}
VARIANTS = (
    "", "", "", "", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+m8", "+f1", "+f2", "+f3", "+f4", "+f5", "+klatt", "+klatt2", "+klatt3", "+klatt4", "+klatt5",
    "+klatt6", "+croak", "+adam", "+Alex", "+Andrea", "+Annie", "+belinda", "+david", "+edward", "+Gene", "+grandma", "+grandpa", "+linda", "+Michael", "+paul", "+steph",
)
FLITE = ("awb", "rms", "slt", "kal", "kal16")
FESTIVAL = {
    "cmu_us_slt_arctic_hts": "en", "kal_diphone": "en", "ked_diphone": "en", "lp_diphone": "it", "pc_diphone": "it", "suo_fi_lj_diphone": "fi",
    "hy_fi_mv_diphone": "fi", "msu_ru_nsh_clunits": "ru", "upc_ca_ona_hts": "ca", "czech_dita": "cs", "czech_ph": "cs",
}
ENCODING = {"cs": "iso-8859-2", "ru": "utf-8"}


def jobs(rng: np.random.Generator):
    """System, language, voice, text and the command that writes OUT."""
    for language, texts in SENTENCES.items():
        for k in range(60 if language == "en" else 9):
            voice = str(rng.choice(ACCENTS.get(language, (language,)))) + str(rng.choice(VARIANTS))
            text = f"{texts[k % len(texts)]} {texts[(k + 1) % len(texts)]}"
            speed, pitch = str(int(rng.integers(120, 200))), str(int(rng.integers(30, 70)))
            yield "espeak-ng", language, voice, ["espeak-ng", "-v", voice, "-s", speed, "-p", pitch, "-w", "OUT", text], None
    for voice in FLITE:
        for k in range(10):
            text = f"{SENTENCES['en'][k % 8]} {SENTENCES['en'][(k + 3) % 8]}"
            yield "flite", "en", voice, ["flite", "-voice", voice, "--setf", f"duration_stretch={rng.uniform(0.85, 1.2):.2f}", "-t", text, "-o", "OUT"], None
    for voice, language in FESTIVAL.items():
        texts = SENTENCES[language]
        for k in range(8 if language == "en" else len(texts) + 2):
            text = f"{texts[k % len(texts)]} {texts[(k + 1) % len(texts)]}"
            command = ["text2wave", "-eval", f"(voice_{voice})", "-eval", f"(Parameter.set 'Duration_Stretch {rng.uniform(0.85, 1.2):.2f})", "-o", "OUT"]
            yield "festival", language, voice, command, text.encode(ENCODING.get(language, "iso-8859-15"), "replace")


class Appended:
    """Rows of one `part` and their sound, after what `clips` holds already: cut to 3 to 6 s, through the corpus's codec."""

    def __init__(self, data: Path, part: str, rng: np.random.Generator):
        self.data, self.part, self.rng, self.rows = data, part, rng, []
        self.table = pd.read_csv(data / "clips.csv", keep_default_na=False, low_memory=False)
        if (self.table.part == part).any():
            raise SystemExit(f"{part} are among the clips already: run voice.prepare anew first")
        self.at = int(self.table.offset.iloc[-1] + self.table.samples.iloc[-1])
        self.pcm = open(data / "clips.pcm", "r+b")
        self.pcm.truncate(2 * self.at)
        self.pcm.seek(2 * self.at)

    def add(self, x: np.ndarray, rate: int, **columns: object) -> bool:
        """Whether there was enough of it."""
        x = resample_poly(np.asarray(x, np.float64), RATE, rate)
        x = x[np.argmax(np.abs(x) > 0.02 * np.abs(x).max()) :][: int(RATE * self.rng.uniform(3, 6))]
        if len(x) < 2 * RATE or not np.abs(x).max() > 0:
            return False
        x = opus(to_pcm(x / np.abs(x).max() * self.rng.uniform(0.3, 0.95)), 32_000)
        self.pcm.write(x.tobytes())
        row = dict.fromkeys(COLUMNS, "") | {"label": "spoof", "family": "tts", "part": self.part, "offset": self.at, "samples": len(x)} | columns
        self.rows.append(row)
        self.at += len(x)
        return True

    def close(self) -> pd.DataFrame:
        self.pcm.close()
        whole = pd.concat([self.table, pd.DataFrame(self.rows)], ignore_index=True)
        whole["clip"] = np.arange(len(whole))
        whole.to_csv(self.data / "clips.csv", index=False)
        return whole[whole.part == self.part]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    rng, failed = np.random.default_rng(a.seed), set()
    out = Appended(a.data, "engines", rng)
    with TemporaryDirectory() as folder:
        wav = f"{folder}/out.wav"
        for engine, language, voice, command, text in jobs(rng):
            Path(wav).unlink(missing_ok=True)
            subprocess.run([wav if c == "OUT" else c for c in command], input=text, capture_output=True, check=False)
            try:
                x, rate = soundfile.read(wav, dtype="float64")
            except soundfile.LibsndfileError:
                failed.add(f"{engine} {voice}")
                continue
            row = {"system": engine, "repo": f"debian/{engine}", "language": language, "speaker_or_corpus": voice, "license_note": "Debian main"}
            if not out.add(x, rate, fold=1 if engine == "espeak-ng" else 4, **row):
                failed.add(f"{engine} {voice}")
    print(out.close().groupby(["system", "language"]).size().to_string(), "\nnothing from:", ", ".join(sorted(failed)) or "none")


if __name__ == "__main__":
    main()
