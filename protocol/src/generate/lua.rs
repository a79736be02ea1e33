//! Lua: a module with the names of the messages, and LuaCATS annotations of their types.

use super::COMMAND;
use super::comment::{WIDTH, wrap};
use super::model::{Body, Declaration, Kind, Member, Message, Model, Shape};
use crate::initialize::PROTOCOL_VERSION;

pub(super) fn render(model: &Model) -> String {
    let mut text = format!("-- Generated from protocol/ by `{COMMAND}`; do not edit.\n\nlocal M = {{}}\n\n");
    comment(&mut text, "", "The version of the protocol.");
    line(&mut text, "", &format!("M.PROTOCOL_VERSION = {PROTOCOL_VERSION}"));
    names(&mut text, "commands", "commands of `workspace/executeCommand`", &model.commands);
    names(&mut text, "requests", "requests", &model.requests);
    names(&mut text, "notifications", "notifications", &model.notifications);
    for declaration in &model.declarations {
        text.push('\n');
        self::declaration(&mut text, declaration);
    }
    text.push_str("\nreturn M\n");
    text
}

fn names(text: &mut String, key: &str, title: &str, messages: &[Message]) {
    text.push('\n');
    comment(text, "", &format!("The names of the {title}."));
    line(text, "", &format!("M.{key} = {{"));
    for message in messages {
        let types = match &message.result {
            Some(result) => format!("`kkcode.{}` → `kkcode.{result}`", message.params),
            None => format!("`kkcode.{}`", message.params),
        };
        comment(text, "  ", &message.doc());
        comment(text, "  ", &types);
        line(text, "  ", &format!("{} = {:?},", snake_case(message), message.spec.name));
    }
    line(text, "", "}");
}

fn declaration(text: &mut String, declaration: &Declaration) {
    let Declaration { name, doc, body } = declaration;
    match body {
        Body::Object(members) => {
            comment(text, "", doc);
            line(text, "", &format!("---@class kkcode.{name}"));
            members_of(text, members);
        }
        Body::Strings(strings) => {
            comment(text, "", doc);
            line(text, "", &format!("---@alias kkcode.{name}"));
            for (string, doc) in strings {
                line(text, "", &format!("---| {string:?} # {doc}"));
            }
        }
        Body::Kinds(shared, kinds) => {
            if !shared.is_empty() {
                comment(text, "", &format!("What every kind of `kkcode.{name}` has."));
                line(text, "", &format!("---@class kkcode.{name}.common"));
                members_of(text, shared);
                text.push('\n');
            }
            for kind in kinds {
                self::kind(text, name, shared, kind);
                text.push('\n');
            }
            comment(text, "", doc);
            line(text, "", &format!("---@alias kkcode.{name}"));
            for kind in kinds {
                line(text, "", &format!("---| {}", kind_name(name, kind)));
            }
        }
        Body::Other(shape) => {
            comment(text, "", doc);
            line(text, "", &format!("---@alias kkcode.{name} {}", shape_of(shape)));
        }
    }
}

fn kind(text: &mut String, union: &str, shared: &[Member], kind: &Kind) {
    comment(text, "", &kind.doc);
    let common = (!shared.is_empty()).then(|| format!("kkcode.{union}.common"));
    let own = kind.base.as_ref().map(|base| format!("kkcode.{base}"));
    let parents = common.into_iter().chain(own).collect::<Vec<_>>().join(", ");
    let parents = if parents.is_empty() { parents } else { format!(" : {parents}") };
    line(text, "", &format!("---@class {}{parents}", kind_name(union, kind)));
    line(text, "", &format!("---@field kind {:?}", kind.name));
    members_of(text, &kind.members);
}

/// Returns the name of the class of one kind: `kkcode.TurnUpdate.toolCall`.
fn kind_name(union: &str, kind: &Kind) -> String {
    format!("kkcode.{union}.{}", kind.name)
}

fn members_of(text: &mut String, members: &[Member]) {
    for Member { name, doc, optional, shape } in members {
        comment(text, "", doc);
        let mark = if *optional { "?" } else { "" };
        line(text, "", &format!("---@field {name}{mark} {}", shape_of(shape)));
    }
}

fn shape_of(shape: &Shape) -> String {
    match shape {
        Shape::Anything => "any".to_owned(),
        Shape::Boolean => "boolean".to_owned(),
        Shape::Integer => "integer".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Text => "string".to_owned(),
        Shape::List(item) if matches!(**item, Shape::OneOf(_)) => format!("({})[]", shape_of(item)),
        Shape::List(item) => format!("{}[]", shape_of(item)),
        Shape::Pair(item) => format!("[{0}, {0}]", shape_of(item)),
        Shape::Table(value) => format!("table<string, {}>", shape_of(value)),
        Shape::OneOf(shapes) => shapes.iter().map(shape_of).collect::<Vec<_>>().join("|"),
        Shape::Named(name) => format!("kkcode.{name}"),
    }
}

fn comment(text: &mut String, indent: &str, doc: &str) {
    for part in wrap(doc, WIDTH - indent.len() - 3) {
        line(text, indent, &format!("---{part}"));
    }
}

fn line(text: &mut String, indent: &str, line: &str) {
    text.push_str(indent);
    text.push_str(line);
    text.push('\n');
}

/// Returns `turn_did_update` for `kkcode/turn/didUpdate`.
fn snake_case(message: &Message) -> String {
    let mut name = String::new();
    for word in message.words() {
        if !name.is_empty() {
            name.push('_');
        }
        for char in word.chars() {
            if char.is_uppercase() {
                name.push('_');
            }
            name.extend(char.to_lowercase());
        }
    }
    name
}
