//! `inperson answers`: one row a line in, one score a line out, in the same order.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

use inperson::detect::answers::{Delivery, NearIndex, Wording};
use inperson::model::{Registry, Runtime, RuntimeConfig};
use inperson::{Finding, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// JSON lines with `answer` and, where there are, `id`, `question`, `candidate` and `words` as [word, start_s, end_s]
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
    /// Word, start and end in seconds; `null` where a word could not be placed.
    #[serde(default)]
    words: Vec<(String, Option<f64>, Option<f64>)>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_llr: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    like: Vec<Like>,
}

#[derive(Debug, Serialize)]
struct Like {
    id: String,
    shared: f64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !(0.0..=1.0).contains(&arguments.alike) {
        return Err(Failure::other(format!("--alike must lie between 0 and 1, not {}", arguments.alike)));
    }
    let input = File::open(&arguments.file).map_err(|e| Failure::file(&arguments.file, e))?;
    let mut config = RuntimeConfig::default();
    config.library.clone_from(&arguments.ort);
    let runtime = Runtime::load(&config)?;
    let registry = arguments.models.as_deref().map_or_else(Registry::built_in, Registry::with_folder)?;
    let (wording, delivery) = (Wording::load(&runtime, &registry)?, Delivery::load(&runtime, &registry)?);
    let mut out = BufWriter::new(File::create(&arguments.out).map_err(|e| Failure::file(&arguments.out, e))?);
    let mut index = NearIndex::default();
    let mut owners: Vec<String> = Vec::new();
    let (mut rows, mut judged, mut over) = (0_usize, 0_usize, 0_usize);
    for (number, line) in BufReader::new(input).lines().enumerate() {
        let line = line.map_err(|e| Failure::file(&arguments.file, e))?;
        if line.trim().is_empty() {
            continue;
        }
        let row: Row = serde_json::from_str(&line)
            .map_err(|e| Failure::other(format!("{}: line {}: {e}", arguments.file.display(), number + 1)))?;
        let id = row.id.clone().unwrap_or_else(|| (number + 1).into());
        let judgement = wording.judge(row.question.as_deref(), &row.answer)?;
        let pace = delivery.judge(&timed(&row))?;
        let (name, owner) = (text(&id), row.candidate.as_ref().map(text));
        let like = index.like(&row.answer, arguments.alike).into_iter().filter_map(|n| {
            let at: usize = n.id.parse().ok()?;
            let (other, of) = owners.get(at)?.split_once('\0')?;
            // one candidate may repeat themselves
            (owner.as_deref().is_none_or(|o| o != of)).then(|| Like { id: other.to_owned(), shared: n.shared })
        });
        let like = like.collect();
        index.add(owners.len().to_string(), &row.answer);
        owners.push(format!("{name}\0{}", owner.unwrap_or_default()));
        let (raw, reason) = match judgement.finding {
            Finding::Score { raw, .. } => (Some(raw), None),
            Finding::Abstain { reason } => (None, serde_json::to_value(reason).ok().map(|v| text(&v))),
            Finding::Note => (None, None),
        };
        let llr = judgement.llr();
        (rows, judged, over) = (rows + 1, judged + usize::from(llr.is_some()), over + usize::from(llr >= Some(0.5)));
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
            delivery_llr: pace.and_then(|p| match p.finding {
                Finding::Score { llr, .. } => Some(llr),
                Finding::Abstain { .. } | Finding::Note => None,
            }),
            like,
        };
        let line = serde_json::to_string(&scored).map_err(Failure::other)?;
        writeln!(out, "{line}").map_err(|e| Failure::file(&arguments.out, e))?;
    }
    out.flush().map_err(|e| Failure::file(&arguments.out, e))?;
    say(&format!(
        "{rows} answers, {judged} judged, {over} with an LLR of 0.5 or more; a person decides what that means"
    ))
}

/// A number or a name as plain text.
fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn timed(row: &Row) -> Vec<(Span, String)> {
    let at = |s: f64| Timestamp::from_seconds(s);
    let span = |start: &Option<f64>, end: &Option<f64>| match (start, end) {
        (Some(start), Some(end)) => Span::new(at(*start), at(*end)),
        _ => Span::default(),
    };
    row.words.iter().map(|(word, start, end)| (span(start, end), word.clone())).collect()
}
