//! TypeScript: interfaces, unions of string literals, the names of the messages and maps from them to their types.

use super::COMMAND;
use super::comment::{WIDTH, wrap};
use super::model::{Body, Declaration, Kind, Member, Message, Model, Shape};
use crate::initialize::PROTOCOL_VERSION;

pub(super) fn render(model: &Model) -> String {
    let mut text = format!("// Generated from protocol/ by `{COMMAND}`; do not edit.\n\n");
    comment(&mut text, "", "The version of the protocol.");
    line(&mut text, "", &format!("export const PROTOCOL_VERSION = {PROTOCOL_VERSION};"));
    for (noun, title, messages) in [
        ("command", "commands of `workspace/executeCommand`", &model.commands),
        ("request", "requests", &model.requests),
        ("notification", "notifications", &model.notifications),
    ] {
        names(&mut text, noun, title, messages);
        types(&mut text, noun, title, messages);
    }
    for declaration in &model.declarations {
        text.push('\n');
        self::declaration(&mut text, declaration);
    }
    text
}

fn names(text: &mut String, noun: &str, title: &str, messages: &[Message]) {
    text.push('\n');
    comment(text, "", &format!("The names of the {title}."));
    line(text, "", &format!("export const {noun}s = {{"));
    for message in messages {
        comment(text, "  ", &message.doc());
        line(text, "  ", &format!("{}: {:?},", camel_case(message), message.spec.name));
    }
    line(text, "", "} as const;");
}

fn types(text: &mut String, noun: &str, title: &str, messages: &[Message]) {
    let name = upper_first(noun);
    text.push('\n');
    comment(text, "", &format!("The types of the {title}, by name."));
    line(text, "", &format!("export interface {name}Types {{"));
    for Message { spec, params, result } in messages {
        let result = result.as_ref().map_or_else(String::new, |result| format!("; result: {result}"));
        line(text, "  ", &format!("{:?}: {{ params: {params}{result} }};", spec.name));
    }
    line(text, "", "}");
    text.push('\n');
    comment(text, "", &format!("The name of one of the {title}."));
    line(text, "", &format!("export type {name}Name = keyof {name}Types;"));
}

fn declaration(text: &mut String, declaration: &Declaration) {
    let Declaration { name, doc, body } = declaration;
    comment(text, "", doc);
    match body {
        Body::Object(members) if members.is_empty() => {
            line(text, "", &format!("export type {name} = Record<string, never>;"));
        }
        Body::Object(members) => {
            line(text, "", &format!("export interface {name} {{"));
            members_of(text, "  ", members);
            line(text, "", "}");
        }
        Body::Strings(strings) => {
            line(text, "", &format!("export type {name} ="));
            for (string, doc) in strings {
                comment(text, "  ", doc);
                line(text, "  ", &format!("| {string:?}"));
            }
            end_statement(text);
        }
        Body::Kinds(shared, kinds) if shared.is_empty() => {
            line(text, "", &format!("export type {name} ="));
            all_kinds(text, kinds);
            end_statement(text);
        }
        Body::Kinds(shared, kinds) => {
            line(text, "", &format!("export type {name} = {{"));
            members_of(text, "  ", shared);
            line(text, "", "} & (");
            all_kinds(text, kinds);
            line(text, "", ");");
        }
        Body::Other(shape) => line(text, "", &format!("export type {name} = {};", shape_of(shape))),
    }
}

fn all_kinds(text: &mut String, kinds: &[Kind]) {
    for Kind { name, doc, members, base } in kinds {
        comment(text, "  ", doc);
        line(text, "  ", if base.is_some() { "| ({" } else { "| {" });
        line(text, "      ", &format!("kind: {name:?};"));
        members_of(text, "      ", members);
        line(text, "    ", &base.as_ref().map_or_else(|| "}".to_owned(), |base| format!("}} & {base})")));
    }
}

/// Puts a semicolon behind what has been written.
fn end_statement(text: &mut String) {
    text.truncate(text.trim_end().len());
    text.push_str(";\n");
}

fn members_of(text: &mut String, indent: &str, members: &[Member]) {
    for Member { name, doc, optional, shape } in members {
        comment(text, indent, doc);
        let mark = if *optional { "?" } else { "" };
        line(text, indent, &format!("{name}{mark}: {};", shape_of(shape)));
    }
}

fn shape_of(shape: &Shape) -> String {
    match shape {
        Shape::Anything => "unknown".to_owned(),
        Shape::Boolean => "boolean".to_owned(),
        Shape::Integer | Shape::Number => "number".to_owned(),
        Shape::Text => "string".to_owned(),
        Shape::List(item) if matches!(**item, Shape::OneOf(_)) => format!("({})[]", shape_of(item)),
        Shape::List(item) => format!("{}[]", shape_of(item)),
        Shape::Pair(item) => format!("[{0}, {0}]", shape_of(item)),
        Shape::Table(value) => format!("Record<string, {}>", shape_of(value)),
        Shape::OneOf(shapes) => shapes.iter().map(shape_of).collect::<Vec<_>>().join(" | "),
        Shape::Named(name) => name.clone(),
    }
}

fn comment(text: &mut String, indent: &str, doc: &str) {
    let single = format!("/** {doc} */");
    if indent.len() + single.chars().count() <= WIDTH {
        return line(text, indent, &single);
    }
    line(text, indent, "/**");
    for part in wrap(doc, WIDTH - indent.len() - 3) {
        line(text, indent, &format!(" * {part}"));
    }
    line(text, indent, " */");
}

fn line(text: &mut String, indent: &str, line: &str) {
    text.push_str(indent);
    text.push_str(line);
    text.push('\n');
}

/// Returns `turnDidUpdate` for `kkcode/turn/didUpdate`.
fn camel_case(message: &Message) -> String {
    let mut name = String::new();
    for word in message.words() {
        if name.is_empty() {
            name.push_str(word);
        } else {
            name.push_str(&upper_first(word));
        }
    }
    name
}

fn upper_first(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
