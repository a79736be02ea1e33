//! What a word of the grammar means, as far as that can be known: quotes, escapes, braces, tildes, known variables.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::scan::{UNKNOWN, Word};

/// How many words braces may make of one.
const MOST_WORDS: usize = 64;

/// The words that a node stands for: usually one.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) words: Vec<Word>,
    /// It holds nothing but literal characters, bare or in quotes.
    pub(super) plain: bool,
}

/// A character, and whether quotes keep its meaning from the shell.
#[derive(Clone, Copy)]
struct Char {
    c: char,
    quoted: bool,
}

struct Decoder<'a> {
    text: &'a str,
    variables: &'a BTreeMap<String, String>,
    chars: Vec<Char>,
    plain: bool,
}

/// Decodes a node that stands for a word.
pub(super) fn decode(node: Node<'_>, text: &str, variables: &BTreeMap<String, String>) -> Decoded {
    let mut decoder = Decoder { text, variables, chars: Vec::new(), plain: true };
    decoder.node(node, false, 0);
    let Decoder { chars, plain, .. } = decoder;
    let quoted = chars.iter().any(|char| char.quoted) || node.kind().contains("string");
    let mut words = Vec::new();
    for chars in braces(chars) {
        let mut separate = chars.split(|char| !char.quoted && matches!(char.c, ' ' | '\t' | '\n')).peekable();
        let alone = separate.clone().count() == 1;
        for chars in separate.by_ref() {
            if chars.is_empty() && !(alone && quoted) {
                continue;
            }
            let text: String = chars.iter().map(|char| char.c).collect();
            let glob = chars.iter().any(|char| !char.quoted && matches!(char.c, '*' | '?' | '['));
            words.push(Word { unknown: text.contains(UNKNOWN), text: home(text, chars, variables), glob });
        }
    }
    Decoded { words, plain }
}

/// Puts a home folder in the place of a tilde that the shell expands, or that a program does.
fn home(text: String, chars: &[Char], variables: &BTreeMap<String, String>) -> String {
    let bare = chars.first().is_some_and(|first| first.c == '~' && !first.quoted);
    let Some(rest) = text.strip_prefix('~').filter(|_| bare) else { return text };
    let (user, rest) =
        rest.split_once('/').map_or((rest, String::new()), |(user, rest)| (user, format!("/{rest}")));
    match (user, variables.get("HOME")) {
        ("" | "+", Some(home)) if user.is_empty() => format!("{home}{rest}"),
        ("root", _) => format!("/root{rest}"),
        ("+" | "-", _) => format!("{UNKNOWN}{rest}"),
        (user, _) => format!("/home/{user}{rest}"),
    }
}

impl Decoder<'_> {
    fn push(&mut self, text: &str, quoted: bool) {
        self.chars.extend(text.chars().map(|c| Char { c, quoted }));
    }

    fn unknown(&mut self) {
        self.plain = false;
        self.chars.push(Char { c: UNKNOWN, quoted: true });
    }

    fn node(&mut self, node: Node<'_>, quoted: bool, depth: usize) {
        let text = self.text.get(node.byte_range()).unwrap_or_default();
        if depth > 64 {
            self.unknown();
            return;
        }
        match node.kind() {
            "raw_string" => self.push(text.get(1..text.len().saturating_sub(1)).unwrap_or_default(), true),
            "string" => self.string(node, depth),
            "translated_string" => {
                self.plain = false;
                self.children(node, true, depth);
            }
            "string_content" => self.escaped(text, true),
            "ansi_c_string" => {
                self.plain = false;
                let inner = text.strip_prefix("$'").and_then(|text| text.strip_suffix('\'')).unwrap_or(text);
                let decoded = ansi_c(inner);
                self.push(&decoded, true);
            }
            "concatenation" | "command_name" => self.children(node, quoted, depth),
            "simple_expansion" | "expansion" => {
                self.plain = false;
                self.variable(text, quoted);
            }
            "command_substitution" if text.trim_matches(['$', '(', ')', '`', ' ', '\t']) == "pwd" => {
                self.plain = false;
                self.variable("PWD", quoted);
            }
            "command_substitution" | "process_substitution" | "arithmetic_expansion" | "brace_expression" => {
                self.unknown();
            }
            _ if node.named_child_count() > 0 => {
                self.plain = false;
                self.children(node, quoted, depth);
            }
            _ => self.escaped(text, quoted),
        }
    }

    /// The grammar leaves blanks between the children of a string out.
    fn string(&mut self, node: Node<'_>, depth: usize) {
        let (mut at, end) = (node.start_byte() + 1, node.end_byte().saturating_sub(1));
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
        for child in children {
            let gap = self.text.get(at..child.start_byte()).unwrap_or_default();
            self.escaped(gap, true);
            self.node(child, true, depth + 1);
            at = child.end_byte();
        }
        let gap = self.text.get(at..end).unwrap_or_default();
        self.escaped(gap, true);
    }

    fn children(&mut self, node: Node<'_>, quoted: bool, depth: usize) {
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
        for child in children {
            self.node(child, quoted, depth + 1);
        }
    }

    /// Removes backslashes as the shell does, outside or inside double quotes.
    fn escaped(&mut self, text: &str, quoted: bool) {
        // The grammar takes some expansions for plain text; the shell does not.
        if let Some(at) =
            text.find('$').filter(|at| !text.get(..*at).is_some_and(|before| before.ends_with('\\')))
        {
            let (before, rest) = text.split_at(at);
            let length = rest.chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || *c == '_').count();
            if length > 0 {
                let (variable, after) = rest.split_at(length + 1);
                self.escaped(before, quoted);
                self.variable(variable, quoted);
                self.plain = false;
                self.escaped(after, quoted);
                return;
            }
        }
        if !text.contains('\\') {
            self.push(text, quoted);
            return;
        }
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                self.chars.push(Char { c, quoted });
                continue;
            }
            match chars.next() {
                Some('\n') => {}
                Some(c) if !quoted || matches!(c, '$' | '`' | '"' | '\\') => {
                    self.plain &= quoted;
                    self.chars.push(Char { c, quoted: true });
                }
                Some(c) => {
                    self.chars.push(Char { c: '\\', quoted });
                    self.chars.push(Char { c, quoted });
                }
                None => self.chars.push(Char { c: '\\', quoted }),
            }
        }
    }

    fn variable(&mut self, text: &str, quoted: bool) {
        let name = text.trim_start_matches('$').trim_start_matches('{').trim_end_matches('}');
        let bare =
            name.split([':', '-', '+', '=', '#', '%', '/', '@', '^', ',', '[']).next().unwrap_or_default();
        if name == "IFS" || bare == "IFS" {
            self.push(" ", quoted);
            return;
        }
        match self.variables.get(bare) {
            Some(value) if bare == name => self.push(&value.clone(), quoted),
            _ => self.unknown(),
        }
    }
}

/// Makes the words that braces with commas stand for.
fn braces(chars: Vec<Char>) -> Vec<Vec<Char>> {
    let mut pending = vec![chars];
    let mut done = Vec::new();
    while let Some(chars) = pending.pop() {
        match split_braces(&chars) {
            Some(variants) if pending.len() + done.len() + variants.len() <= MOST_WORDS => {
                pending.extend(variants.into_iter().rev());
            }
            _ => done.push(chars),
        }
    }
    done
}

fn split_braces(chars: &[Char]) -> Option<Vec<Vec<Char>>> {
    let bare = |char: &Char, wanted: char| !char.quoted && char.c == wanted;
    let open = chars.iter().position(|char| bare(char, '{'))?;
    let (mut depth, mut cuts, mut close) = (0_usize, vec![open], None);
    for (at, char) in chars.iter().enumerate().skip(open) {
        if bare(char, '{') {
            depth += 1;
        } else if bare(char, '}') {
            depth -= 1;
            if depth == 0 {
                close = Some(at);
                break;
            }
        } else if depth == 1 && bare(char, ',') {
            cuts.push(at);
        }
    }
    let close = close.filter(|_| cuts.len() > 1)?;
    cuts.push(close);
    let variants = cuts.windows(2).filter_map(|cut| match cut {
        [from, to] => {
            let middle = chars.get(from + 1..*to)?;
            Some([chars.get(..open)?, middle, chars.get(close + 1..)?].concat())
        }
        _ => None,
    });
    Some(variants.collect())
}

/// Reads the escapes of `$'…'`.
fn ansi_c(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        decoded += before;
        let Some(kind) = after.chars().next() else { break };
        let after_kind = after.get(kind.len_utf8()..).unwrap_or_default();
        let (digits_from, radix, most) = match kind {
            'x' => (after_kind, 16, 2),
            'u' => (after_kind, 16, 4),
            'U' => (after_kind, 16, 8),
            '0'..='7' => (after, 8, 3),
            _ => {
                decoded.push(match kind {
                    'n' => '\n',
                    't' => '\t',
                    'r' | 'a' | 'b' | 'e' | 'E' | 'f' | 'v' | 'c' => UNKNOWN,
                    kind => kind,
                });
                rest = after_kind;
                continue;
            }
        };
        let length = digits_from.chars().take(most).take_while(|c| c.is_digit(radix)).count();
        let (digits, left) = digits_from.split_at_checked(length).unwrap_or((digits_from, ""));
        decoded.push(u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).unwrap_or(UNKNOWN));
        rest = left;
    }
    decoded += rest;
    decoded
}

/// Returns the names of the variables that a text expands, or seems to.
pub(super) fn variables(text: &str) -> Vec<String> {
    let names = text.split('$').skip(1).map(|rest| {
        let rest = rest.trim_start_matches(['{', '!', '#']);
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
    });
    names.filter(|name| !name.is_empty()).collect()
}

/// Returns what stands in quotes inside a text: the strings of a program.
pub(super) fn quoted_strings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '`']) {
        let (Some(quote), Some(after)) = (rest.get(at..=at), rest.get(at + 1..)) else { break };
        let Some((inside, behind)) = after.split_once(quote) else { break };
        found.push(inside.to_owned());
        if found.len() >= 32 {
            break;
        }
        rest = behind;
    }
    found
}

/// Returns the operator of a redirection.
pub(super) fn operator(node: Node<'_>, text: &str) -> String {
    let mut cursor = node.walk();
    let operator = node.children(&mut cursor).find(|child| !child.is_named());
    operator.and_then(|operator| text.get(operator.byte_range())).unwrap_or("<>").to_owned()
}
