//! What a reviewer can see in an answer: structure, stock phrases, specifics, echo of the question. None of it is
//! weighed by itself; it explains, and suggests what to ask next.

use std::collections::BTreeSet;

use serde::Serialize;

/// Phrases that model-written answers are fond of. People use them too: one of them says nothing.
const STOCK: [&str; 30] = [
    "it's important to",
    "it is important to",
    "plays a crucial role",
    "play a crucial role",
    "a wide range of",
    "in today's",
    "i'm passionate about",
    "i am passionate about",
    "this experience taught me",
    "that experience taught me",
    "ensure that",
    "ensuring that",
    "in conclusion",
    "in summary",
    "on the other hand",
    "first and foremost",
    "as a result",
    "in addition",
    "additionally",
    "furthermore",
    "moreover",
    "ultimately",
    "overall",
    "align with",
    "aligns with",
    "stakeholders",
    "best practices",
    "a variety of",
    "not only",
    "valuable lesson",
];
const STEPS: [&str; 13] = [
    "first",
    "firstly",
    "second",
    "secondly",
    "third",
    "thirdly",
    "finally",
    "lastly",
    "next",
    "another",
    "then",
    "additionally",
    "furthermore",
];
const PAST: [&str; 22] = [
    "was", "were", "had", "did", "went", "got", "made", "told", "said", "thought", "knew", "took", "came", "found",
    "gave", "built", "wrote", "ran", "left", "met", "felt", "saw",
];
const EMPTY: [&str; 40] = [
    "the", "a", "an", "of", "to", "in", "and", "or", "you", "your", "me", "my", "i", "is", "are", "was", "were", "do",
    "did", "does", "have", "has", "had", "how", "what", "when", "where", "why", "who", "which", "tell", "about",
    "time", "can", "could", "would", "with", "for", "that", "this",
];
/// Words at the start of an answer in which the question may be taken up.
const OPENING: usize = 30;

/// Small numbers about one answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Signs {
    /// Stock phrases found, each once.
    pub stock: Vec<&'static str>,
    /// Words that order an answer (first, second, finally), per 100 words.
    pub steps: f64,
    /// Numbers, per 100 words.
    pub numbers: f64,
    /// First person with a verb of the past, per 100 words.
    pub own_past: f64,
    /// Share of the question's content words that the first 30 words of the answer take up; `None` without a question.
    pub echo: Option<f64>,
}

impl Signs {
    /// Of an answer's words, in order, lower case.
    pub(super) fn of(words: &[String], question: Option<&[String]>) -> Self {
        let spaced = format!(" {} ", words.join(" "));
        let per_hundred = |n: usize| 100.0 * n as f64 / words.len().max(1) as f64;
        let own = words.windows(2).filter(|w| (w[0] == "i" || w[0] == "we") && past(&w[1]));
        let echo = question.map(|q| content(q)).filter(|q| q.len() >= 3).map(|asked| {
            let opening = content(&words[..words.len().min(OPENING)]);
            asked.intersection(&opening).count() as f64 / asked.len() as f64
        });
        Self {
            stock: STOCK.into_iter().filter(|p| spaced.contains(&format!(" {p} "))).collect(),
            steps: per_hundred(words.iter().filter(|w| STEPS.contains(&w.as_str())).count()),
            numbers: per_hundred(words.iter().filter(|w| *w == "#").count()),
            own_past: per_hundred(own.count()),
            echo,
        }
    }

    /// What a reviewer could ask next, in one sentence.
    #[must_use]
    pub fn next_question(&self) -> &'static str {
        if self.own_past < 1.0 {
            "ask for one case of their own: when it was, who was there, what went wrong"
        } else if self.numbers < 0.5 {
            "ask for figures and how they were measured"
        } else {
            "ask what they would do differently today, and why"
        }
    }
}

fn past(word: &str) -> bool {
    PAST.contains(&word) || (word.len() > 4 && word.ends_with("ed"))
}

fn content(words: &[String]) -> BTreeSet<&str> {
    words.iter().map(String::as_str).filter(|w| w.len() > 2 && !EMPTY.contains(w)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::text::words;
    use super::*;

    #[test]
    fn signs_count_what_they_name() {
        let answer =
            words("First, I believe it's important to ensure that stakeholders agree. Second, we listen.").list;
        let question = words("How do you make stakeholders agree on a plan?").list;
        let signs = Signs::of(&answer, Some(&question));
        assert_eq!(signs.stock, ["it's important to", "ensure that", "stakeholders"]);
        assert!((signs.steps - 200.0 / answer.len() as f64).abs() < 1e-9);
        assert_eq!((signs.numbers, signs.own_past), (0.0, 0.0));
        assert_eq!(signs.echo, Some(2.0 / 4.0), "make, stakeholders, agree, plan");
        let told = Signs::of(&words("I was 14 when we moved and I worked 3 summers there").list, None);
        assert!(told.own_past > 20.0 && told.numbers > 15.0 && told.echo.is_none());
        assert_ne!(told.next_question(), signs.next_question());
    }
}
