//! What the JSON Schemas of the wire types say, in the terms of a language with named types.

use std::fmt;

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};

use crate::initialize::{ExperimentalCapabilities, InitializationOptions};
use crate::message::{Command, Direction, MessageSpec, Notification, Request, Visitor, visit_all};

/// All messages and all types they are made of.
pub(crate) struct Model {
    pub(crate) commands: Vec<Message>,
    pub(crate) requests: Vec<Message>,
    pub(crate) notifications: Vec<Message>,
    pub(crate) declarations: Vec<Declaration>,
}

/// A message with the names of its types.
pub(crate) struct Message {
    pub(crate) spec: MessageSpec,
    pub(crate) params: String,
    /// None for a notification.
    pub(crate) result: Option<String>,
}

/// A named type.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Object(Vec<Member>),
    /// One of these strings, each with its meaning.
    Strings(Vec<(String, String)>),
    /// An object of one of several kinds, and the members that all kinds have.
    Kinds(Vec<Member>, Vec<Kind>),
    Other(Shape),
}

/// One kind of an object that names its kind.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The member `kind`.
    pub(crate) name: String,
    pub(crate) doc: String,
    /// Its own members, without `kind`.
    pub(crate) members: Vec<Member>,
    /// The type whose members it has besides.
    pub(crate) base: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) optional: bool,
    pub(crate) shape: Shape,
}

/// The type of a value.
#[derive(Debug)]
pub(crate) enum Shape {
    Anything,
    Boolean,
    Integer,
    Number,
    Text,
    List(Box<Shape>),
    Pair(Box<Shape>),
    /// An object with any keys.
    Table(Box<Shape>),
    OneOf(Vec<Shape>),
    Named(String),
}

/// A schema that no generator could turn into a declaration.
#[derive(Debug)]
pub struct Unsupported(String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the generator does not know this kind of schema: {}", self.0)
    }
}

impl std::error::Error for Unsupported {}

impl Model {
    /// Reads the schemas of every message, and of what client and server tell each other at the start.
    pub(crate) fn of_all_messages() -> Result<Self, Unsupported> {
        let mut collector = Collector {
            generator: SchemaSettings::draft2020_12().into_generator(),
            commands: Vec::new(),
            requests: Vec::new(),
            notifications: Vec::new(),
        };
        collector.add::<InitializationOptions>();
        collector.add::<ExperimentalCapabilities>();
        visit_all(&mut collector);
        let Collector { mut generator, commands, requests, notifications } = collector;
        let schemas = generator.take_definitions(true);
        let declarations =
            schemas.iter().map(|(name, schema)| declaration(name, schema)).collect::<Result<_, _>>()?;
        Ok(Self { commands, requests, notifications, declarations })
    }

    /// Returns all messages: commands, then requests, then notifications.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.commands.iter().chain(&self.requests).chain(&self.notifications)
    }
}

impl Message {
    /// Returns the words of its name after `kkcode`: `turn`, `didUpdate`.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.spec.name.split(['.', '/']).skip(1)
    }

    /// Returns its sentence, and who sends it if that is not clear.
    pub(crate) fn doc(&self) -> String {
        match self.spec.direction {
            Direction::ClientToServer => self.spec.doc.to_owned(),
            Direction::ServerToClient => format!("From the server: {}", lower_first(self.spec.doc)),
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

struct Collector {
    generator: SchemaGenerator,
    commands: Vec<Message>,
    requests: Vec<Message>,
    notifications: Vec<Message>,
}

impl Collector {
    /// Takes in a type with all that it refers to, and returns its name.
    fn add<T: JsonSchema>(&mut self) -> String {
        self.generator.subschema_for::<T>();
        T::schema_name().into_owned()
    }
}

impl Visitor for Collector {
    fn command<C: Command>(&mut self) {
        let (params, result) = (self.add::<C::Params>(), Some(self.add::<C::Result>()));
        self.commands.push(Message { spec: C::SPEC, params, result });
    }

    fn request<R: Request>(&mut self) {
        let (params, result) = (self.add::<R::Params>(), Some(self.add::<R::Result>()));
        self.requests.push(Message { spec: R::SPEC, params, result });
    }

    fn notification<N: Notification>(&mut self) {
        let params = self.add::<N::Params>();
        self.notifications.push(Message { spec: N::SPEC, params, result: None });
    }
}

fn declaration(name: &str, schema: &Value) -> Result<Declaration, Unsupported> {
    let body = match schema.get("oneOf").and_then(Value::as_array) {
        Some(variants) => match strings(variants) {
            Some(strings) => Body::Strings(strings),
            None => Body::Kinds(members(schema)?, variants.iter().map(kind).collect::<Result<_, _>>()?),
        },
        None if schema.get("type").is_some_and(|kind| kind == "object") => Body::Object(members(schema)?),
        None => Body::Other(shape(schema)?),
    };
    Ok(Declaration { name: name.to_owned(), doc: doc(schema), body })
}

/// Returns the strings that the variants stand for, if they all do.
fn strings(variants: &[Value]) -> Option<Vec<(String, String)>> {
    variants.iter().map(|variant| Some((variant.get("const")?.as_str()?.to_owned(), doc(variant)))).collect()
}

fn kind(variant: &Value) -> Result<Kind, Unsupported> {
    let name = variant.pointer("/properties/kind/const").and_then(Value::as_str);
    let mut members = members(variant)?;
    members.retain(|member| member.name != "kind");
    Ok(Kind {
        name: name.ok_or_else(|| unsupported(variant))?.to_owned(),
        doc: doc(variant),
        members,
        base: reference(variant),
    })
}

fn members(schema: &Value) -> Result<Vec<Member>, Unsupported> {
    let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let properties = schema.get("properties").and_then(Value::as_object);
    let members = properties.into_iter().flatten().map(|(name, property)| {
        Ok(Member {
            name: name.clone(),
            doc: doc(property),
            optional: !required.iter().any(|required| required == name),
            shape: shape(property)?,
        })
    });
    members.collect()
}

fn shape(schema: &Value) -> Result<Shape, Unsupported> {
    if let Some(name) = reference(schema) {
        return Ok(Shape::Named(name));
    }
    if let Some(variants) = schema.get("anyOf").and_then(Value::as_array) {
        let present = variants.iter().filter(|variant| variant.get("type").is_none_or(|kind| kind != "null"));
        let mut shapes = present.map(shape).collect::<Result<Vec<_>, _>>()?;
        return Ok(if shapes.len() == 1 { shapes.remove(0) } else { Shape::OneOf(shapes) });
    }
    match type_name(schema) {
        Some("boolean") => Ok(Shape::Boolean),
        Some("integer") => Ok(Shape::Integer),
        Some("number") => Ok(Shape::Number),
        Some("string") => Ok(Shape::Text),
        Some("array") => {
            let item = Box::new(shape(schema.get("items").unwrap_or(&Value::Bool(true)))?);
            let is_pair = ["minItems", "maxItems"].iter().all(|key| schema.get(key) == Some(&Value::from(2)));
            Ok(if is_pair { Shape::Pair(item) } else { Shape::List(item) })
        }
        Some("object") if schema.get("properties").is_none() => Ok(Shape::Table(Box::new(shape(
            schema.get("additionalProperties").unwrap_or(&Value::Bool(true)),
        )?))),
        None if says_nothing(schema) => Ok(Shape::Anything),
        _ => Err(unsupported(schema)),
    }
}

/// Returns the schema's type; of an optional one the type it has when it is there.
fn type_name(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// Tells whether a schema takes any value.
fn says_nothing(schema: &Value) -> bool {
    let is_doc = |members: &Map<String, Value>| members.keys().all(|key| key == "description");
    *schema == Value::Bool(true) || schema.as_object().is_some_and(is_doc)
}

fn reference(schema: &Value) -> Option<String> {
    Some(schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?.to_owned())
}

/// Returns the doc comment of a type, variant or member, in one line.
fn doc(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unsupported(schema: &Value) -> Unsupported {
    Unsupported(schema.to_string())
}
