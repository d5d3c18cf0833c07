//! `inperson answers`: one row a line in, one score a line out, in the same order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;

use inperson::detect::answers::{Delivery, NearIndex, Pace, Wording, styles};
use inperson::model::{Registry, Runtime, RuntimeConfig};
use inperson::{Finding, Span, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Whole, apart, complain, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// JSON lines with `answer` and, where there are, `id`, `question`, `candidate` and `words`, each as [word, start_s,
    /// end_s], [speaker, word, start_s, end_s] or {"word", "start", "end"}
    file: PathBuf,
    /// File that the scores are written to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Share of runs of five words from which an answer is called like another candidate's, 0 to 1
    #[arg(long, default_value_t = 0.3, value_name = "SHARE")]
    alike: f64,
    /// Folder of models that replace the built-in ones of the same id
    #[arg(long, env = "INPERSON_MODELS", value_name = "DIR")]
    models: Option<PathBuf>,
    /// ONNX Runtime's library, or the folder it is in
    #[arg(long, value_name = "PATH")]
    ort: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(default)]
    candidate: Option<serde_json::Value>,
    #[serde(default)]
    question: Option<String>,
    answer: String,
    #[serde(default)]
    words: Vec<Word>,
}

/// A word with its times in seconds; `null` where it could not be placed.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Word {
    Plain(String, Option<f64>, Option<f64>),
    Spoken(IgnoredAny, String, Option<f64>, Option<f64>),
    Named {
        #[serde(alias = "text")]
        word: String,
        #[serde(default, alias = "start_s")]
        start: Option<f64>,
        #[serde(default, alias = "end_s")]
        end: Option<f64>,
    },
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Scored {
    Line(Box<Line>),
    Unread(Unread),
}

/// The line of a row that could not be read.
#[derive(Debug, Serialize)]
struct Unread {
    id: serde_json::Value,
    llr: Option<f64>,
    abstained: bool,
    error: String,
}

/// One line of the results. LLRs are natural logarithms, positive for an answer that is not the candidate's own.
#[derive(Debug, Serialize)]
struct Line {
    id: serde_json::Value,
    llr: Option<f64>,
    abstained: bool,
    reason: Option<String>,
    raw: Option<f64>,
    words: usize,
    spoken_logit: Option<f64>,
    stock_phrases: Vec<&'static str>,
    steps_per_100: f64,
    numbers_per_100: f64,
    own_past_per_100: f64,
    question_echo: Option<f64>,
    ask_next: &'static str,
    /// From the times of words: read aloud or spoken freely; absent without `words`.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_llr: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_reason: Option<String>,
    /// How far the wording falls from speech to writing behind the same candidate's other answers; absent with fewer than three.
    #[serde(skip_serializing_if = "Option::is_none")]
    style_fall: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    style_llr: Option<f64>,
    /// Answers of others in the file that share long passages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    like: Vec<Like>,
}

#[derive(Debug, Serialize)]
struct Like {
    id: String,
    shared: f64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if !(0.0..=1.0).contains(&arguments.alike) {
        return Err(Failure::other(format!("--alike must lie between 0 and 1, not {}", arguments.alike)));
    }
    apart(&arguments.out, [arguments.file.as_path()])?;
    let input = File::open(&arguments.file).map_err(|e| Failure::file(&arguments.file, e))?;
    let mut config = RuntimeConfig::default();
    config.library.clone_from(&arguments.ort);
    let runtime = Runtime::load(&config)?;
    let registry = arguments.models.as_deref().map_or_else(Registry::built_in, Registry::with_folder)?;
    let (wording, delivery) = (Wording::load(&runtime, &registry)?, Delivery::load(&runtime, &registry)?);
    let results = Whole::begin(&arguments.out)?;
    let mut index = NearIndex::default();
    // where in `lines` an indexed answer is, and whose it is
    let mut owners: Vec<(usize, Option<String>)> = Vec::new();
    let mut lines: Vec<Scored> = Vec::new();
    let (mut judged, mut over, mut unread) = (0_usize, 0_usize, 0_usize);
    for (number, line) in BufReader::new(input).split(b'\n').enumerate() {
        let line = line.map_err(|e| Failure::file(&arguments.file, e))?;
        let line = line.trim_ascii().strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line).trim_ascii();
        if line.is_empty() {
            continue;
        }
        let row: Row = match serde_json::from_slice(line) {
            Ok(row) => row,
            Err(e) => {
                unread += 1;
                let held: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
                let id = held.get("id").cloned().unwrap_or_else(|| (number + 1).into());
                let error = format!("{}: line {}: {e}", arguments.file.display(), number + 1);
                lines.push(Scored::Unread(Unread { id, llr: None, abstained: true, error }));
                continue;
            }
        };
        let id = row.id.clone().unwrap_or_else(|| (number + 1).into());
        let judgement = wording.judge(row.question.as_deref(), &row.answer)?;
        let pace = delivery.judge(&timed(&row))?;
        let (name, owner) = (text(&id), row.candidate.as_ref().map(text));
        let mut like = Vec::new();
        for near in index.like(&row.answer, arguments.alike) {
            let Some((at, of)) = near.id.parse().ok().and_then(|n: usize| owners.get(n)) else { continue };
            // one candidate may repeat themselves
            if owner.is_some() && owner == *of {
                continue;
            }
            if let Some(Scored::Line(other)) = lines.get_mut(*at) {
                other.like.push(Like { id: name.clone(), shared: near.shared });
                like.push(Like { id: text(&other.id), shared: near.shared });
            }
        }
        index.add(owners.len().to_string(), &row.answer);
        owners.push((lines.len(), owner));
        let (raw, reason) = match judgement.finding {
            Finding::Score { raw, .. } => (Some(raw), None),
            Finding::Abstain { reason } => (None, named(reason)),
            Finding::Note => (None, None),
        };
        let (delivery_llr, delivery_reason) = match pace.map(|p: Pace| p.finding) {
            Some(Finding::Score { llr, .. }) => (Some(llr), None),
            Some(Finding::Abstain { reason }) => (None, named(reason)),
            Some(Finding::Note) | None => (None, None),
        };
        let llr = judgement.llr();
        (judged, over) = (judged + usize::from(llr.is_some()), over + usize::from(llr >= Some(0.5)));
        let signs = &judgement.signs;
        let scored = Line {
            id,
            llr,
            abstained: llr.is_none(),
            reason,
            raw,
            words: judgement.words,
            spoken_logit: judgement.spoken,
            stock_phrases: signs.stock.clone(),
            steps_per_100: signs.steps,
            numbers_per_100: signs.numbers,
            own_past_per_100: signs.own_past,
            question_echo: signs.echo,
            ask_next: signs.next_question(),
            delivery_llr,
            delivery_reason,
            style_fall: None,
            style_llr: None,
            like,
        };
        lines.push(Scored::Line(Box::new(scored)));
    }
    compare(&mut lines, &owners);
    let rows = lines.len();
    let mut out = String::new();
    for line in &lines {
        out += &serde_json::to_string(line).map_err(Failure::other)?;
        out.push('\n');
    }
    results.write(&out)?;
    say(&format!(
        "{rows} answers, {judged} judged, {over} with an LLR of 0.5 or more; a person decides what that means"
    ))?;
    if unread > 0 {
        let out = arguments.out.display();
        complain(&Failure::other(format!("{unread} of {rows} rows could not be read; see {out}")));
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

/// Each candidate's answers beside their own others.
fn compare(lines: &mut [Scored], owners: &[(usize, Option<String>)]) {
    let mut of: BTreeMap<&str, Vec<(usize, f64)>> = BTreeMap::new();
    for (at, owner) in owners {
        if let (Some(owner), Some(Scored::Line(line))) = (owner, lines.get(*at))
            && let Some(spoken) = line.spoken_logit
        {
            of.entry(owner).or_default().push((*at, spoken));
        }
    }
    for answers in of.values() {
        let spoken: Vec<f64> = answers.iter().map(|a| a.1).collect();
        for ((at, _), style) in answers.iter().zip(styles(&spoken)) {
            if let Some(Scored::Line(line)) = lines.get_mut(*at) {
                (line.style_fall, line.style_llr) = (Some(style.fall), Some(style.llr));
            }
        }
    }
}

fn named(reason: inperson::Reason) -> Option<String> {
    serde_json::to_value(reason).ok().map(|v| text(&v))
}

/// A number or a name as plain text.
fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn timed(row: &Row) -> Vec<(Span, String)> {
    let at = |s: f64| Timestamp::from_seconds(s);
    let placed = |word: &Word| {
        let (word, start, end) = match word {
            Word::Plain(word, start, end) | Word::Spoken(_, word, start, end) | Word::Named { word, start, end } => {
                (word, *start, *end)
            }
        };
        let span = start.zip(end).map(|(start, end)| Span::new(at(start), at(end))).unwrap_or_default();
        (span, word.clone())
    };
    row.words.iter().map(placed).collect()
}
