//! Patterns of rules: `*` within one part of a path, `**` across parts, `?` one character, a leading `!` takes back.

/// How far a `*` reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Up to the next `/`; only `**` goes on.
    Part,
    /// Over everything: for rules that forbid, where a pattern that stops too early would let something through.
    All,
}

/// Tells whether a pattern fits the whole of a text, upper and lower case being equal.
pub fn fits(pattern: &str, text: &str, reach: Reach) -> bool {
    let pattern = pieces(&pattern.to_lowercase(), reach);
    let text: Vec<char> = text.to_lowercase().chars().collect();
    // `reached[i]`: the pattern so far fits the first `i` characters. Linear in both, whatever the pattern is.
    let mut reached = vec![false; text.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for piece in pattern {
        reached = advance(piece, &text, &reached);
    }
    reached.last().copied().unwrap_or(false)
}

/// Tells whether a list of patterns fits one of the spellings of a path: no pattern with `!` does, and one of the others
/// does if there are any.
pub fn list_fits(patterns: &[String], spellings: &[String], reach: Reach) -> bool {
    let one = |pattern: &str| spellings.iter().any(|text| fits(&tidy(pattern), &tidy(text), reach));
    let (negative, positive): (Vec<_>, Vec<_>) =
        patterns.iter().partition(|pattern| pattern.starts_with('!'));
    let taken_back = negative.iter().any(|pattern| one(pattern.trim_start_matches('!')));
    !taken_back && (positive.is_empty() || positive.iter().any(|pattern| one(pattern)))
}

/// Brings a path or a pattern into the form that is compared: `/` between parts, no `.`, no empty part, `..` resolved.
pub fn tidy(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[derive(Clone, Copy)]
enum Piece {
    One(char),
    AnyOne,
    /// Any number of characters; with `false` none of them is `/`.
    Any(bool),
    /// Any number of characters and, if the next is `/`, that too: `**/a` fits `a`.
    AnyParts,
}

fn pieces(pattern: &str, reach: Reach) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                if chars.next_if_eq(&'/').is_some() {
                    Piece::AnyParts
                } else {
                    Piece::Any(true)
                }
            }
            '*' => Piece::Any(reach == Reach::All),
            '?' => Piece::AnyOne,
            c => Piece::One(c),
        });
    }
    pieces
}

fn advance(piece: Piece, text: &[char], reached: &[bool]) -> Vec<bool> {
    let step = |fits: &dyn Fn(char) -> bool| {
        let moved = text.iter().zip(reached).map(|(c, from)| *from && fits(*c));
        std::iter::once(false).chain(moved).collect()
    };
    let spread = |crosses: bool| {
        let mut alive = reached.first().copied().unwrap_or(false);
        let later = text.iter().zip(reached.iter().skip(1)).map(|(c, from)| {
            alive = *from || alive && (crosses || *c != '/');
            alive
        });
        let later: Vec<bool> = later.collect();
        std::iter::once(reached.first().copied().unwrap_or(false)).chain(later).collect::<Vec<bool>>()
    };
    match piece {
        Piece::One(wanted) => step(&|c| c == wanted),
        Piece::AnyOne => step(&|c| c != '/'),
        Piece::Any(crosses) => spread(crosses),
        Piece::AnyParts => {
            let anywhere = spread(true);
            let starts = std::iter::once(true).chain(text.iter().map(|c| *c == '/'));
            // Nothing, or all up to and with a `/`.
            anywhere
                .iter()
                .zip(starts)
                .zip(reached)
                .map(|((any, start), from)| *from || *any && start)
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_kkcode_users_know() {
        for (pattern, text) in [
            ("src/**", "src/a/b"),
            ("**/*.ts", "a.ts"),
            ("**/*.ts", "a/b/c.ts"),
            ("*.TS", "a.ts"),
            ("a?c", "abc"),
            ("**", "a/b"),
            ("secret/**", "secret/b"),
            ("**/.env", ".env"),
            ("**/.env", "a/.env"),
        ] {
            assert!(fits(pattern, text, Reach::Part), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("src/**", "abs/src/a"),
            ("src/**", "src"),
            ("*.ts", "dir/a.ts"),
            ("a?c", "a/c"),
            ("{a,b}", "a"),
            ("[ab]", "a"),
            ("**/.env", "a/x.env"),
        ] {
            assert!(!fits(pattern, text, Reach::Part), "{pattern} {text}");
        }
        assert!(fits("rm*", "rm -rf a/b", Reach::All) && !fits("rm*", "rm -rf a/b", Reach::Part));
    }

    #[test]
    fn lists_take_back() {
        let list = |patterns: &[&str], text: &str| {
            let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
            list_fits(&patterns, &[text.to_owned()], Reach::Part)
        };
        assert!(list(&["src/**", "!src/gen/**"], "src/a"));
        assert!(!list(&["src/**", "!src/gen/**"], "src/gen/a"));
        assert!(list(&["!secret/**"], "a"), "only negative ones allow everything else");
        assert!(list(&[], "a"));
        assert!(list(&["src/**"], ".\\src\\x/../a"));
    }

    #[test]
    fn a_long_pattern_takes_no_longer_than_its_length() {
        let pattern = "**/*a".repeat(200);
        assert!(!fits(&pattern, &"a/".repeat(2000), Reach::Part));
    }
}
