//! The wide scan: every command that a line holds, wherever it hides, read with a real grammar.
//!
//! It looks inside substitutions, loops, functions, here-documents and strings that shells are given. It may see more than
//! runs, never knowingly less: what it finds only forbids.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use tree_sitter::{Node, Parser};

use super::derive::floods;
use super::expand::{self, Decoded};
use crate::permission::tables::Programs;

/// How deep strings with commands in them are followed.
pub(super) const DEEPEST: usize = 6;
/// How deep the nodes of the grammar are followed where they hold commands.
const DEEPEST_NODE: usize = 64;
/// How many commands are gathered at most; a line with more is not judged by them.
pub(super) const MOST_PARTS: usize = 4096;

/// A word as far as it can be known before it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Something in it is only known when it runs; [`UNKNOWN`] stands in its place.
    pub(super) unknown: bool,
    /// An unquoted pattern is in it.
    pub(super) glob: bool,
}

/// Stands in a word for what is not known. No line that is scanned holds this character itself.
pub(super) const UNKNOWN: char = '\u{1}';

/// A command that would run, or may.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) words: Vec<Word>,
    /// Files that it reads by redirection, and those that are written.
    pub(super) inputs: Vec<Word>,
    pub(super) outputs: Vec<Word>,
    /// Variables that are set for it.
    pub(super) assigned: Vec<(String, String)>,
    /// The pipelines around it, and its place in each.
    pub(super) pipes: Vec<(usize, usize)>,
    /// The commands whose words or input it makes, by their place in the list.
    pub(super) feeds: Vec<usize>,
    /// Text that it is given as a here-document or a here-string.
    pub(super) document: Option<String>,
    /// The names of the variables that its words hold.
    pub(super) uses: Vec<String>,
    /// The words of another part, from where a wrapper passes them on.
    pub(super) derived: bool,
    /// The place of that part, or its own.
    pub(super) base: usize,
    /// The name of its program, once the scan is over and no words change any more.
    pub(super) name: Option<String>,
}

impl Part {
    /// Returns the name of the program, without folder, in lower case.
    pub(super) fn program(&self) -> Cow<'_, str> {
        match &self.name {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(self.name_of_words()),
        }
    }

    fn name_of_words(&self) -> String {
        self.words.first().map(|word| program_name(&word.text)).unwrap_or_default()
    }

    /// Returns the texts of the words behind the program.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(|word| word.text.as_str())
    }
}

/// Returns a program's name as the tables write it.
pub(super) fn program_name(word: &str) -> String {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word).to_lowercase();
    name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
}

/// All that was found in a line.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) parts: Vec<Part>,
    /// The variables that the line sets, with what they are set to.
    pub(super) variables: Vec<(String, String)>,
    /// The grammar could not read all of it.
    pub(super) broken: bool,
    /// How often something was nested deeper than is looked at.
    pub(super) unread: usize,
    /// A function calls itself, or a loop without end starts things in the background.
    pub(super) floods: bool,
    /// Which places of the line are nodes that the acceptor does not know.
    pub(super) plain: bool,
}

thread_local! {
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

/// Scans a line.
pub(super) fn scan(line: &str, surroundings: &BTreeMap<String, String>, programs: &Programs) -> Scan {
    let mut scanner = Scanner {
        scan: Scan { plain: true, ..Scan::default() },
        variables: surroundings.clone(),
        programs,
        pipelines: 0,
    };
    scanner.text(line, &[], &[], 0);
    scanner.derive_said();
    for part in &mut scanner.scan.parts {
        part.name = Some(part.name_of_words());
    }
    scanner.scan
}

pub(super) struct Scanner<'a> {
    pub(super) scan: Scan,
    variables: BTreeMap<String, String>,
    pub(super) programs: &'a Programs,
    pipelines: usize,
}

/// Where a node stands.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) text: &'a str,
    pub(super) pipes: &'a [(usize, usize)],
    pub(super) feeds: &'a [usize],
    pub(super) depth: usize,
    /// How deep in the grammar.
    pub(super) nesting: usize,
}

/// Returns the text with a letter for each byte that is not ASCII: as long as it was, and the same to the grammar.
///
/// The grammar's scanner asks `isdigit` about every character (`tree-sitter-bash` 0.25, `scanner.c`), which in C is only
/// defined for bytes: with a rare character it reads where no memory is.
fn ascii(text: &str) -> Vec<u8> {
    text.bytes().map(|byte| if byte.is_ascii() { byte } else { b'x' }).collect()
}

impl Scanner<'_> {
    pub(super) fn text(&mut self, text: &str, pipes: &[(usize, usize)], feeds: &[usize], depth: usize) {
        if depth > DEEPEST || self.scan.parts.len() > MOST_PARTS {
            self.scan.broken = true;
            return;
        }
        let tree = PARSER.with_borrow_mut(|parser| {
            if parser.is_none() {
                let mut fresh = Parser::new();
                fresh.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
                *parser = Some(fresh);
            }
            parser.as_mut()?.parse(ascii(text), None)
        });
        let Some(tree) = tree else {
            self.scan.broken = true;
            return;
        };
        self.scan.broken |= tree.root_node().has_error();
        let first = self.scan.parts.len();
        self.node(tree.root_node(), At { text, pipes, feeds, depth, nesting: 0 });
        if depth > 0 {
            self.scan.parts.iter_mut().skip(first).for_each(|part| part.derived = true);
        }
        if tree.root_node().has_error() {
            self.loose(text, pipes, feeds);
        }
    }

    /// Walks a node.
    fn node(&mut self, node: Node<'_>, at: At<'_>) {
        if at.nesting > DEEPEST_NODE {
            self.scan.unread += 1;
            return;
        }
        let at = At { nesting: at.nesting + 1, ..at };
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            match node.kind() {
                "command" | "declaration_command" | "unset_command" | "test_command" => {
                    self.command(node, at);
                }
                "variable_assignment" => self.assignment(node, at),
                "pipeline" => self.pipeline(node, at),
                "redirected_statement" => self.redirected(node, at),
                "function_definition" | "while_statement" | "for_statement" | "c_style_for_statement" => {
                    self.scan.plain = false;
                    self.scan.floods |= floods(node, at.text);
                    push_children(node, &mut pending);
                }
                "program" | "list" | "word" | "string" | "raw_string" | "string_content" => {
                    push_children(node, &mut pending);
                }
                _ => {
                    if node.is_named() {
                        self.scan.plain = false;
                    }
                    push_children(node, &mut pending);
                }
            }
            if self.scan.parts.len() > MOST_PARTS {
                self.scan.broken = true;
                return;
            }
        }
    }

    fn pipeline(&mut self, node: Node<'_>, at: At<'_>) {
        self.pipelines += 1;
        let pipeline = self.pipelines;
        let mut cursor = node.walk();
        for (stage, child) in node.named_children(&mut cursor).enumerate() {
            let mut pipes = at.pipes.to_vec();
            pipes.push((pipeline, stage));
            if pipes.len() > 64 {
                self.scan.broken = true;
                return;
            }
            self.node(child, At { pipes: &pipes, ..at });
        }
    }

    fn redirected(&mut self, node: Node<'_>, at: At<'_>) {
        let first = self.scan.parts.len();
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
        let (redirects, bodies): (Vec<_>, Vec<_>) =
            children.into_iter().partition(|child| child.kind().ends_with("_redirect"));
        for body in bodies {
            self.node(body, at);
        }
        if self.scan.parts.len() == first {
            // Such as `> file`, which empties it.
            self.scan.parts.push(Part {
                pipes: at.pipes.to_vec(),
                feeds: at.feeds.to_vec(),
                base: first,
                ..Part::default()
            });
            self.scan.plain = false;
        }
        // The redirections of a pipeline stand at its last command, those of a group at all of it.
        let last = self.scan.parts.iter().rposition(|part| !part.derived).unwrap_or(first).max(first);
        for redirect in redirects {
            self.redirect(redirect, last, at);
        }
        self.derive_from_document(last, at);
    }

    fn redirect(&mut self, node: Node<'_>, part: usize, at: At<'_>) {
        let (mut inputs, mut outputs, mut document) = (Vec::new(), Vec::new(), None);
        let mut feeding = at.feeds.to_vec();
        feeding.push(part);
        match node.kind() {
            "file_redirect" => {
                let operator = expand::operator(node, at.text);
                let writes = operator.contains('>');
                let reads = operator.contains('<');
                let mut cursor = node.walk();
                for target in node.children_by_field_name("destination", &mut cursor) {
                    let decoded = self.decode(target, At { feeds: &feeding, ..at });
                    for word in decoded {
                        let is_descriptor = operator.ends_with('&')
                            && word.text.chars().all(|c| c.is_ascii_digit() || c == '-');
                        if writes && !is_descriptor {
                            outputs.push(word.clone());
                        }
                        if reads && !is_descriptor {
                            inputs.push(word);
                        }
                    }
                }
            }
            "heredoc_redirect" => {
                let mut cursor = node.walk();
                for child in node.named_children(&mut cursor) {
                    match child.kind() {
                        "heredoc_body" => {
                            document = at.text.get(child.byte_range()).map(str::to_owned);
                            self.nested(child, At { feeds: &feeding, ..at });
                        }
                        "heredoc_start" | "heredoc_end" => {}
                        // What follows on the line of the delimiter belongs to the command.
                        "file_redirect" | "herestring_redirect" => self.redirect(child, part, at),
                        _ => self.node(child, at),
                    }
                }
            }
            _ => {
                let mut cursor = node.walk();
                for child in node.named_children(&mut cursor) {
                    let words = self.decode(child, At { feeds: &feeding, ..at });
                    document = words.into_iter().map(|word| word.text).next().or(document);
                }
            }
        }
        if let Some(part) = self.scan.parts.get_mut(part) {
            part.inputs.extend(inputs);
            part.outputs.extend(outputs);
            if document.is_some() {
                part.document = document;
            }
        }
    }

    /// A shell that is given a document runs it.
    fn derive_from_document(&mut self, part: usize, at: At<'_>) {
        let Some(found) = self.scan.parts.get(part) else { return };
        let Some(document) = found.document.clone() else { return };
        let pipes = found.pipes.clone();
        let runs = self.programs.shells.has(&found.program())
            || self
                .scan
                .parts
                .iter()
                .skip(part)
                .any(|part| part.derived && self.programs.shells.has(&part.program()));
        if runs {
            self.text(&document, &pipes, at.feeds, at.depth + 1);
        }
    }

    fn assignment(&mut self, node: Node<'_>, at: At<'_>) {
        self.scan.plain = false;
        let name = node.child_by_field_name("name").and_then(|name| at.text.get(name.byte_range()));
        let value = node.child_by_field_name("value").map(|value| self.decode(value, at));
        let value = value.into_iter().flatten().map(|word| word.text).next().unwrap_or_default();
        if let Some(name) = name {
            if !value.contains(UNKNOWN) {
                self.variables.insert(name.to_owned(), value.clone());
            }
            self.scan.variables.push((name.to_owned(), value));
        }
    }

    fn command(&mut self, node: Node<'_>, at: At<'_>) {
        let index = self.scan.parts.len();
        self.scan.parts.push(Part {
            pipes: at.pipes.to_vec(),
            feeds: at.feeds.to_vec(),
            base: index,
            ..Part::default()
        });
        let mut feeding = at.feeds.to_vec();
        feeding.push(index);
        let inner = At { feeds: &feeding, ..at };
        let mut words: Vec<Word> = Vec::new();
        let mut redirects = Vec::new();
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            match child.kind() {
                "variable_assignment" if node.kind() == "command" => {
                    let before = self.scan.variables.len();
                    self.assignment(child, inner);
                    let set = self.scan.variables.get(before..).unwrap_or_default().to_vec();
                    if let Some(part) = self.scan.parts.get_mut(index) {
                        part.assigned.extend(set);
                    }
                }
                "variable_assignment" => {
                    self.assignment(child, inner);
                    words.extend(
                        at.text
                            .get(child.byte_range())
                            .map(|text| Word { text: text.to_owned(), ..Word::default() }),
                    );
                }
                kind if kind.ends_with("_redirect") => redirects.push(child),
                "command_name" => {
                    let mut names = child.walk();
                    for name in child.children(&mut names) {
                        words.extend(self.decode(name, inner));
                    }
                }
                "unary_expression"
                | "binary_expression"
                | "negation_expression"
                | "parenthesized_expression" => {
                    self.leaves(child, inner, &mut words);
                }
                "[" | "]" => words.push(Word { text: child.kind().to_owned(), ..Word::default() }),
                _ => words.extend(self.decode(child, inner)),
            }
        }
        if let Some(part) = self.scan.parts.get_mut(index) {
            part.words = words;
            // By its letters: the grammar takes some expansions for plain text.
            part.uses = expand::variables(at.text.get(node.byte_range()).unwrap_or_default());
        }
        for redirect in redirects {
            self.redirect(redirect, index, at);
        }
        self.derive(index, at);
        self.derive_from_document(index, at);
    }

    /// The words of a test, which the grammar reads as an expression.
    fn leaves(&mut self, node: Node<'_>, at: At<'_>, words: &mut Vec<Word>) {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            if node.kind().ends_with("_expression") {
                push_children(node, &mut pending);
            } else {
                words.extend(self.decode(node, at));
            }
        }
    }

    /// Decodes a word, after looking at the commands in it.
    fn decode(&mut self, node: Node<'_>, at: At<'_>) -> Vec<Word> {
        if !matches!(node.kind(), "word" | "raw_string" | "number" | "test_operator") && node.is_named() {
            self.nested(node, at);
        }
        let Decoded { words, plain } = expand::decode(node, at.text, &self.variables);
        self.scan.plain &= plain;
        words
    }

    /// Looks for commands below a word.
    fn nested(&mut self, node: Node<'_>, at: At<'_>) {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            match node.kind() {
                "command_substitution" | "process_substitution" => {
                    self.scan.plain = false;
                    let mut cursor = node.walk();
                    for child in node.named_children(&mut cursor) {
                        self.node(child, at);
                    }
                }
                _ => push_children(node, &mut pending),
            }
        }
    }

    /// Reads a text that the grammar could not, by cutting it at everything that may separate commands.
    fn loose(&mut self, text: &str, pipes: &[(usize, usize)], feeds: &[usize]) {
        // What stands in braces with commas may be a command.
        let spread = text.contains('{').then(|| text.replace(',', " "));
        let texts = std::iter::once(text).chain(spread.as_deref());
        for piece in texts.flat_map(|text| text.split([';', '&', '|', '\n', '(', ')', '`', '{', '}'])) {
            let words = piece.split_whitespace().map(|word| Word {
                text: word.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect(),
                unknown: word.contains('$'),
                glob: word.contains(['*', '?', '[']),
            });
            let words: Vec<Word> = words.collect();
            if !words.is_empty() && self.scan.parts.len() < MOST_PARTS {
                let base = self.scan.parts.len();
                let (pipes, feeds) = (pipes.to_vec(), feeds.to_vec());
                self.scan.parts.push(Part { words, pipes, feeds, base, derived: true, ..Part::default() });
            }
        }
    }
}

fn push_children<'tree>(node: Node<'tree>, pending: &mut Vec<Node<'tree>>) {
    let mut cursor = node.walk();
    let first = pending.len();
    pending.extend(node.children(&mut cursor));
    if let Some(children) = pending.get_mut(first..) {
        children.reverse();
    }
}
