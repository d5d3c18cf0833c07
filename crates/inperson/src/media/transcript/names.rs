//! Who speaks: names before a cue's words, and when two names are one person's.

use super::Transcript;
use crate::media::Utterance;

/// Longest name of a speaker that is believed, in characters without what stands in brackets: longer text before a colon is speech.
const LONGEST_NAME: usize = 48;
/// Most words of such a name.
const MOST_WORDS: usize = 5;
/// One cue in so many must begin with a name for names to be believed.
const MANY_NAMED: usize = 5;
/// Signs that names are written with, beside letters and digits.
const SIGNS: &str = " _-.,'’‘@/&|+#";
/// What stands before the words of a cue where the speaker changes.
const MARKS: [char; 7] = ['-', '–', '—', '•', '>', ' ', '\u{200b}'];
/// What captions put in square brackets that is nobody's name.
const SOUNDS: [&str; 22] = [
    "applause",
    "background noise",
    "blank_audio",
    "clears throat",
    "coughing",
    "coughs",
    "crosstalk",
    "foreign",
    "inaudible",
    "indistinct",
    "laughing",
    "laughs",
    "laughter",
    "music",
    "no audio",
    "noise",
    "pause",
    "sighs",
    "silence",
    "typing",
    "unclear",
    "unintelligible",
];
/// What people write behind their names.
const PRONOUNS: [&str; 34] = [
    "she", "her", "hers", "he", "him", "his", "they", "them", "theirs", "it", "its", "ze", "zir", "hir", "xe", "xem",
    "ey", "em", "fae", "faer", "any", "all", "pronouns", "elle", "il", "iel", "ella", "él", "elle", "sie", "ihr", "er",
    "ihm", "ela",
];

/// Takes names from before a cue's words, as captions write them, where a fair share of the cues has one: alone it is speech.
pub(super) fn name_speakers(utterances: &mut [Utterance]) {
    let all = utterances.iter().filter_map(begins).count();
    // in lower case it is no name for sure unless nearly all cues have one
    let any_case = all * MANY_NAMED >= utterances.len() * (MANY_NAMED - 1);
    let believed = |name: &str| any_case || !name.starts_with(char::is_lowercase);
    let count = utterances.iter().filter_map(begins).filter(|(name, _)| believed(name)).count();
    if count * MANY_NAMED < utterances.len() {
        return;
    }
    for u in utterances {
        if let Some((name, words)) = begins(u).filter(|(name, _)| believed(name)) {
            (u.speaker, u.text) = (Some(name.to_owned()), words.to_owned());
        }
    }
}

fn begins(u: &Utterance) -> Option<(&str, &str)> {
    if u.speaker.is_none() { named(&u.text) } else { None }
}

/// `Name: words` or `[Name] words` as name and words, where the name looks like one.
fn named(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(MARKS);
    if let Some((name, words)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        let (name, words) = (name.trim(), words.trim_start_matches([':', ' ']));
        let sound = SOUNDS.iter().any(|s| name.eq_ignore_ascii_case(s));
        return (!sound && !words.is_empty() && like_a_name(name)).then_some((name, words));
    }
    let (at, colon) = colon(text)?;
    let (name, words) = (text[..at].trim(), &text[at + colon.len_utf8()..]);
    let digits = name.ends_with(|c: char| c.is_ascii_digit()) && words.starts_with(|c: char| c.is_ascii_digit());
    // times and addresses have no space behind their colon
    let begins = words.starts_with(|c: char| c.is_whitespace() || c.is_alphanumeric() || "\"'“‘«([¿¡…".contains(c));
    let words = words.trim();
    (begins && !digits && !words.is_empty() && like_a_name(name)).then_some((name, words))
}

/// The first colon that no bracket is around.
fn colon(text: &str) -> Option<(usize, char)> {
    let mut depth = 0;
    text.char_indices().take(3 * LONGEST_NAME).find(|(_, c)| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(c, ':' | '：')
    })
}

fn like_a_name(name: &str) -> bool {
    let mut depth = 0;
    let bare: String = name
        .chars()
        .filter(|c| {
            let outside = depth == 0 && !matches!(c, '(' | '[');
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                _ => {}
            }
            outside
        })
        .collect();
    let words = bare.split_whitespace().filter(|w| w.contains(char::is_alphanumeric)).count();
    depth == 0
        && (1..=MOST_WORDS).contains(&words)
        && bare.chars().count() <= LONGEST_NAME
        && bare.starts_with(char::is_alphanumeric)
        && bare.chars().all(|c| c.is_alphanumeric() || SIGNS.contains(c))
}

impl Transcript {
    /// Whether two names are one person's: case, spaces, the kind of apostrophe and pronouns in brackets aside.
    pub(crate) fn same_speaker(one: &str, other: &str) -> bool {
        folded(one).eq(folded(other))
    }
}

fn folded(name: &str) -> impl Iterator<Item = char> + '_ {
    let words = without_pronouns(name).split_whitespace().enumerate();
    let spaced = words.flat_map(|(i, word)| (i > 0).then_some(' ').into_iter().chain(word.chars()));
    spaced.map(|c| if matches!(c, '’' | '‘') { '\'' } else { c }).flat_map(char::to_lowercase)
}

/// `Ann Smith (She/Her)` as `Ann Smith`.
fn without_pronouns(name: &str) -> &str {
    let name = name.trim();
    let open = match name.chars().next_back() {
        Some(')') => name.rfind('('),
        Some(']') => name.rfind('['),
        _ => None,
    };
    let Some((bare, inside)) = open.map(|at| (name[..at].trim_end(), &name[at + 1..name.len() - 1])) else {
        return name;
    };
    let mut parts = inside.split(|c: char| !c.is_alphabetic()).filter(|p| !p.is_empty()).peekable();
    let only_pronouns =
        parts.peek().is_some() && parts.all(|p| PRONOUNS.iter().any(|known| p.to_lowercase() == *known));
    if only_pronouns && !bare.is_empty() { bare } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_every_dress() {
        for (text, name) in [
            ("Ann Smith (She/Her): hello", "Ann Smith (She/Her)"),
            ("Ann (CEO: Acme, Inc.): hello", "Ann (CEO: Acme, Inc.)"),
            ("Smith, Ann: hello", "Smith, Ann"),
            ("Ann O’Neil: hello", "Ann O’Neil"),
            ("[Ann Smith] hello", "Ann Smith"),
            ("[SPEAKER_00]: hello", "SPEAKER_00"),
            (">> ANN: hello", "ANN"),
            ("- Ann: hello", "Ann"),
            ("-Ann: hello", "Ann"),
            ("ann: hello", "ann"),
            ("Ann:hello", "Ann"),
            ("Ann & Bob | Acme: hello", "Ann & Bob | Acme"),
            ("Zoë Müller: hello", "Zoë Müller"),
            ("田中：hello", "田中"),
            ("2nd Speaker: hello", "2nd Speaker"),
        ] {
            assert_eq!(named(text), Some((name, "hello")), "{text}");
        }
        for text in [
            "see http://a.b/c",
            "http://a.b/c",
            "At 10:30 we met",
            "10:30 was late",
            "C:\\temp",
            "[laughs] hello",
            "[Music]",
            "Ann:",
            ": hello",
            "(Ann: hello",
            "What I told the whole team was: hello",
            "It was late! So: hello",
            "no colon at all",
        ] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn names_of_one_person() {
        for (one, other) in [
            ("Ann Smith", "ann  smith "),
            ("Ann Smith (She/Her)", "Ann Smith"),
            ("ANN SMITH [they, them]", "Ann Smith (she/her)"),
            ("Ann O’Neil", "Ann O'Neil"),
            ("Zoë Müller (elle)", "ZOË MÜLLER"),
        ] {
            assert!(Transcript::same_speaker(one, other), "{one} and {other}");
        }
        for (one, other) in
            [("Ann (Host)", "Ann (Guest)"), ("Speaker (1)", "Speaker (2)"), ("Ann", "Ann Smith"), ("(she)", "(he)")]
        {
            assert!(!Transcript::same_speaker(one, other), "{one} and {other}");
        }
    }
}
