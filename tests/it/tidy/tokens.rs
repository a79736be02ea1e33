//! Rust source as a flat list of tokens: comments, strings' insides and test code cannot fool a rule, nor can `use a::{b}`.

use std::iter::Peekable;
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree, token_stream};

use super::File;

/// A token and the line, from 1, on which it stands. Brackets are tokens of their own.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A path such as `std::fs::read`, with the groups of a `use` multiplied out.
#[derive(Debug, PartialEq)]
pub(super) struct Mention {
    pub(super) path: String,
    pub(super) line: usize,
}

impl Mention {
    /// Tells whether this is `path` or something inside it.
    pub(super) fn is_within(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// Returns the tokens of a file without items that are compiled for tests only.
pub(super) fn shipped(file: &File) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    flatten(parse(file)?, &mut tokens);
    Ok(tokens)
}

/// Returns every path of a file, outside items that are compiled for tests only.
pub(super) fn mentions(file: &File) -> Result<Vec<Mention>, String> {
    let mut mentions = Vec::new();
    collect(parse(file)?, "", &mut mentions);
    Ok(mentions)
}

fn parse(file: &File) -> Result<TokenStream, String> {
    TokenStream::from_str(&file.text).map_err(|error| format!("{}: is not Rust: {error}", file.path))
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        if is_test_only(&tree, &trees) {
            skip_item(&mut trees);
            continue;
        }
        let line = tree.span().start().line;
        if let TokenTree::Group(group) = tree {
            let (open, close) = brackets(&group);
            tokens.push(Token { text: open.to_owned(), line });
            flatten(group.stream(), tokens);
            tokens.push(Token { text: close.to_owned(), line: group.span_close().start().line });
        } else {
            tokens.push(Token { text: tree.to_string(), line });
        }
    }
}

fn brackets(group: &Group) -> (&'static str, &'static str) {
    match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

type Trees = Peekable<token_stream::IntoIter>;

/// Tells whether `tree` begins the attribute `#[cfg(test)]`.
fn is_test_only(tree: &TokenTree, rest: &Trees) -> bool {
    let next = rest.clone().next();
    tree.to_string() == "#" && next.is_some_and(|next| next.to_string().replace(' ', "") == "[cfg(test)]")
}

/// Skips what an attribute belongs to: up to a semicolon, a comma of an enclosing list, or the end of a block.
fn skip_item(trees: &mut Trees) {
    for tree in trees.by_ref() {
        let ends = match &tree {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => matches!(punct.as_char(), ';' | ','),
            TokenTree::Ident(_) | TokenTree::Literal(_) => false,
        };
        if ends {
            return;
        }
    }
}

/// Collects the paths of `stream`; `prefix` is what stands before the group that `stream` is the inside of.
fn collect(stream: TokenStream, prefix: &str, mentions: &mut Vec<Mention>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        if is_test_only(&tree, &trees) {
            skip_item(&mut trees);
            continue;
        }
        match tree {
            TokenTree::Group(group) => collect(group.stream(), "", mentions),
            TokenTree::Ident(ident) => {
                let line = ident.span().start().line;
                let mut path = format!("{prefix}{ident}");
                while take_colons(&mut trees) {
                    match trees.next() {
                        Some(TokenTree::Ident(next)) => path = format!("{path}::{next}"),
                        Some(TokenTree::Group(group)) => {
                            collect(group.stream(), &format!("{path}::"), mentions);
                            break;
                        }
                        Some(TokenTree::Punct(punct)) => {
                            path = format!("{path}::{punct}");
                            break;
                        }
                        Some(TokenTree::Literal(_)) | None => break,
                    }
                }
                mentions.push(Mention { path, line });
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Steps over `::` if it comes next.
fn take_colons(trees: &mut Trees) -> bool {
    let mut ahead = trees.clone();
    let two = [ahead.next(), ahead.next()];
    let found = two.iter().flatten().filter(|tree| tree.to_string() == ":").count() == 2;
    if found {
        *trees = ahead;
    }
    found
}

#[test]
fn comments_strings_and_test_code_are_no_tokens() {
    let file = File::sample(
        "server/core/src/a.rs",
        "// one\n/* two */ fn f() -> &'static str { \"three()\" }\n#[cfg(test)]\nmod tests { fn four() {} }\nfn five() {}\n",
    );
    let tokens = shipped(&file).unwrap();
    let texts: Vec<_> = tokens.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "fn",
            "f",
            "(",
            ")",
            "-",
            ">",
            "&",
            "'",
            "static",
            "str",
            "{",
            "\"three()\"",
            "}",
            "fn",
            "five",
            "(",
            ")",
            "{",
            "}"
        ]
    );
    assert_eq!(tokens.last().unwrap().line, 5);
}

#[test]
fn groups_of_a_use_are_multiplied_out() {
    let file = File::sample("a.rs", "use std::{io::{self, Read}, fs};\nlet x = std::env::var(a::b);");
    let paths: Vec<_> = mentions(&file).unwrap().into_iter().map(|mention| mention.path).collect();
    assert!(
        ["std::io::self", "std::io::Read", "std::fs", "std::env::var", "a::b"]
            .iter()
            .all(|path| paths.contains(&(*path).to_owned())),
        "{paths:?}"
    );
}
