//! From utterances to the candidate's answers and the questions before them.

use crate::media::{Transcript, Utterance};
use crate::time::Span;
use crate::track::Tracks;

/// Pause after which the same speaker has begun anew, microseconds.
const NEW_TURN: i64 = 8_000_000;
/// Words up to which somebody else's turn is a backchannel ("right, okay") and interrupts nobody.
const BACKCHANNEL: usize = 3;
/// Confidence from which a turn is believed to be somebody else's.
const ELSEWHERE: f32 = 0.5;
/// Share of the words that no name stands beside from which names do not tell who the candidate is.
const NAMELESS: f64 = 0.2;
/// Most speakers that a remark lists.
const MOST_LISTED: usize = 5;

/// A stretch in which one person speaks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub(super) span: Span,
    pub(super) speaker: Option<String>,
    pub(super) text: String,
    /// Words with their own times; empty where the transcript gives none.
    pub(super) words: Vec<(Span, String)>,
    /// Utterances that it is made from, with those of others that interrupted it for a word.
    pub(super) utterances: usize,
    /// When others interrupted it for a word.
    pub(super) others: Vec<Span>,
}

impl Said {
    fn new(u: &Utterance) -> Self {
        let (speaker, text) = (u.speaker.clone(), String::new());
        let mut said = Self { span: u.span, speaker, text, words: Vec::new(), utterances: 0, others: Vec::new() };
        said.add(u);
        said
    }

    fn add(&mut self, u: &Utterance) {
        self.span = Span::new(self.span.start, self.span.end.max(u.span.end));
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&u.text);
        self.utterances += 1;
        if !u.span.is_empty() && !u.text.contains(char::is_whitespace) {
            self.words.push((u.span, u.text.clone()));
        }
    }

    pub(super) fn count(&self) -> usize {
        self.text.split_whitespace().count()
    }

    /// Whether it is said by whom that name means.
    pub(super) fn by(&self, name: &str) -> bool {
        self.speaker.as_deref().is_some_and(|s| Transcript::same_speaker(s, name))
    }

    /// Whether this is a question, by its mark or its first words.
    fn asks(&self) -> bool {
        const OPENERS: [&str; 16] = [
            "what",
            "why",
            "how",
            "when",
            "where",
            "who",
            "which",
            "can you",
            "could you",
            "would you",
            "tell me",
            "tell us",
            "describe",
            "walk me",
            "have you",
            "do you",
        ];
        let lower = self.text.to_lowercase();
        lower.contains('?') || OPENERS.iter().any(|o| lower.starts_with(o) || lower.contains(&format!(" {o} you")))
    }
}

/// An answer of the candidate's, and what was said before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) question: Option<Said>,
    pub(super) said: Said,
}

/// Joins utterances of one speaker.
pub(super) fn turns(utterances: &[Utterance]) -> Vec<Said> {
    let mut turns: Vec<Said> = Vec::new();
    for u in utterances {
        match turns.last_mut() {
            Some(last) if last.speaker == u.speaker && u.span.start.since(last.span.end) < NEW_TURN => last.add(u),
            _ => turns.push(Said::new(u)),
        }
    }
    // an answer goes on over somebody's "mm-hm"
    let mut joined: Vec<Said> = Vec::new();
    let mut held: Option<Said> = None;
    for turn in turns {
        if let Some(short) = held.take() {
            match joined.last_mut() {
                Some(last) if last.speaker == turn.speaker && turn.span.start.since(last.span.end) < NEW_TURN => {
                    last.span = Span::new(last.span.start, last.span.end.max(turn.span.end));
                    last.text = format!("{} {}", last.text, turn.text);
                    last.words.extend(turn.words);
                    last.utterances += short.utterances + turn.utterances;
                    last.others.push(short.span);
                    continue;
                }
                _ => joined.push(short),
            }
        }
        if turn.count() <= BACKCHANNEL && turn.speaker.is_some() && !joined.is_empty() {
            held = Some(turn);
        } else {
            joined.push(turn);
        }
    }
    joined.extend(held);
    joined
}

/// Who the candidate is: as named, else who says most among those who do not ask most; `None` where nobody is named, or too few
/// are: the words without a name may be the candidate's.
pub(super) fn candidate(turns: &[Said], named: Option<&str>) -> Option<String> {
    if let Some(name) = named {
        return Some(name.to_owned());
    }
    if nameless(turns) > NAMELESS {
        return None;
    }
    let mut speakers: Vec<(&str, usize, usize)> = Vec::new();
    for turn in turns {
        let Some(name) = turn.speaker.as_deref() else { continue };
        let at = speakers.iter().position(|s| Transcript::same_speaker(s.0, name)).unwrap_or_else(|| {
            speakers.push((name, 0, 0));
            speakers.len() - 1
        });
        speakers[at].1 += turn.count();
        speakers[at].2 += usize::from(turn.asks());
    }
    let asker = speakers.iter().max_by_key(|s| (s.2, std::cmp::Reverse(s.1))).filter(|s| s.2 > 0 && speakers.len() > 1);
    let asker = asker.map(|s| s.0.to_owned());
    speakers.iter().filter(|s| asker.as_deref() != Some(s.0)).max_by_key(|s| s.1).map(|s| s.0.to_owned())
}

/// Share of the words that no name stands beside.
fn nameless(turns: &[Said]) -> f64 {
    let count = |bare: bool| -> usize { turns.iter().filter(|t| !bare || t.speaker.is_none()).map(Said::count).sum() };
    count(true) as f64 / count(false).max(1) as f64
}

/// What a reader should know of whose words were judged, where the transcript's names do not tell it, or not as was asked.
pub(super) fn remark(turns: &[Said], named: Option<&str>) -> Option<String> {
    let mut found: Vec<&str> = Vec::new();
    for name in turns.iter().filter_map(|t| t.speaker.as_deref()) {
        if !found.iter().any(|f| Transcript::same_speaker(f, name)) {
            found.push(name);
        }
    }
    let listed: Vec<String> = found.iter().take(MOST_LISTED).map(|f| format!("`{f}`")).collect();
    let more = found.len().saturating_sub(MOST_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = format!("{}{more}", listed.join(", "));
    let bare = nameless(turns);
    let share = format!("{:.0} % of the transcript's words have no speaker's name", 100.0 * bare);
    match named {
        _ if turns.is_empty() => None,
        Some(name) if found.is_empty() => Some(format!("nobody is called `{name}` in the transcript: it names nobody")),
        Some(name) if !turns.iter().any(|t| t.by(name)) => {
            Some(format!("nobody is called `{name}` in the transcript; it names {names}"))
        }
        Some(name) if bare > NAMELESS => Some(format!("{share}, and were not judged as those of `{name}`")),
        None if bare > NAMELESS && !found.is_empty() => Some(format!(
            "{share}, so that the candidate was not chosen among those it names ({names}): whatever is not seen to be somebody else's was \
             judged, also what an interviewer says; name the candidate"
        )),
        _ => None,
    }
}

/// The candidate's answers, each with the turn before it.
pub(super) fn answers(turns: &[Said], candidate: Option<&str>, tracks: &Tracks) -> Vec<Answer> {
    let mut found = Vec::new();
    let mut before: Option<&Said> = None;
    for turn in turns {
        let theirs = match candidate {
            Some(name) => turn.by(name),
            None => !elsewhere(turn.span, tracks),
        };
        if theirs {
            found.push(Answer { question: before.take().cloned(), said: turn.clone() });
        } else {
            before = Some(turn);
        }
    }
    found
}

/// Whether most of this was spoken by somebody else, as far as mouths tell.
fn elsewhere(span: Span, tracks: &Tracks) -> bool {
    let Some(candidate) = tracks.candidate else { return false };
    let other: i64 = tracks
        .turns
        .iter()
        .filter(|t| t.confidence >= ELSEWHERE && t.face.is_some_and(|f| f != candidate))
        .filter_map(|t| t.span.overlap(span))
        .map(Span::micros)
        .sum();
    2 * other > span.micros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn say(at: i64, speaker: Option<&str>, text: &str) -> Utterance {
        let span = Span::starting(Timestamp(at * 1_000_000), 900_000);
        Utterance { span, speaker: speaker.map(str::to_owned), text: text.to_owned() }
    }

    #[test]
    fn answers_go_on_over_backchannels_and_carry_their_question() {
        let talk = [
            say(0, Some("A"), "Tell me about your last job, what did you build?"),
            say(2, Some("B"), "I built a scheduler"),
            say(3, Some("A"), "mm-hm"),
            say(4, Some("B"), "for hospital wards"),
            say(6, Some("A"), "Why did you leave?"),
            say(8, Some("B"), "the funding ended"),
        ];
        let turns = turns(&talk);
        assert_eq!(candidate(&turns, None).as_deref(), Some("B"));
        let found = answers(&turns, Some("B"), &Tracks::default());
        let texts: Vec<&str> = found.iter().map(|a| a.said.text.as_str()).collect();
        assert_eq!(texts, ["I built a scheduler for hospital wards", "the funding ended"]);
        assert!(found[1].question.as_ref().unwrap().text.contains("leave"));
        assert_eq!(candidate(&turns, Some("A")).as_deref(), Some("A"));
    }

    #[test]
    fn the_candidate_is_known_by_any_way_of_writing_the_name() {
        let turns = turns(&[
            say(0, Some("Bob"), "What did you build?"),
            say(2, Some("Ann Smith (She/Her)"), "I built a scheduler for wards"),
        ]);
        assert_eq!(answers(&turns, Some("ann  smith"), &Tracks::default()).len(), 1);
        assert_eq!(remark(&turns, Some("ann smith")), None);
        assert_eq!(remark(&turns, None), None);
        let said = remark(&turns, Some("Cy")).unwrap();
        assert!(said.contains("`Cy`") && said.contains("`Bob`, `Ann Smith (She/Her)`"), "{said}");
        assert_eq!(remark(&[], Some("Cy")), None, "without a transcript nothing is said of it");
    }

    #[test]
    fn who_alone_has_a_name_is_not_taken_for_the_candidate() {
        let turns = turns(&[
            say(0, Some("Bob"), "please go on and tell us more of that"),
            say(2, None, "I built a scheduler for wards"),
            say(4, Some("Bob"), "I see"),
        ]);
        assert_eq!(candidate(&turns, None), None);
        assert!(remark(&turns, None).unwrap().starts_with("35 % of the transcript's words have no speaker's name"));
        assert_eq!(candidate(&turns, Some("Bob")).as_deref(), Some("Bob"), "as asked");
        assert!(remark(&turns, Some("Bob")).unwrap().contains("not judged as those of `Bob`"));
    }

    #[test]
    fn a_monologue_without_names_is_the_candidates() {
        let turns =
            turns(&[say(0, None, "one two three four"), say(1, None, "five"), say(60, None, "a new start here")]);
        assert_eq!((candidate(&turns, None), turns.len()), (None, 2));
        assert_eq!(remark(&turns, None), None);
        assert_eq!(answers(&turns, None, &Tracks::default()).len(), 2);
        assert_eq!(turns[0].words.len(), 1, "only single words carry times of their own");
    }
}
