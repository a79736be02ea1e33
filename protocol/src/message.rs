//! What a message is: a name with the types of its parameters and its result, and the row that lists it.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that crosses the wire.
#[cfg(not(feature = "schema"))]
pub trait Wire: Serialize + DeserializeOwned + Send + Sync + 'static {}
#[cfg(not(feature = "schema"))]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Wire for T {}

/// A value that crosses the wire and can say what it looks like there.
#[cfg(feature = "schema")]
pub trait Wire: Serialize + DeserializeOwned + schemars::JsonSchema + Send + Sync + 'static {}
#[cfg(feature = "schema")]
impl<T: Serialize + DeserializeOwned + schemars::JsonSchema + Send + Sync + 'static> Wire for T {}

/// A command of `workspace/executeCommand`; its only argument is one `Params` object, a missing one is `{}`.
pub trait Command {
    /// Its row in the list.
    const SPEC: MessageSpec;
    /// The command's name on the wire.
    const NAME: &'static str = Self::SPEC.name;
    /// Its argument.
    type Params: Wire;
    /// Its answer.
    type Result: Wire;
}

/// A request of ours beside the Language Server Protocol's.
pub trait Request {
    /// Its row in the list.
    const SPEC: MessageSpec;
    /// The method's name on the wire.
    const NAME: &'static str = Self::SPEC.name;
    /// Its `params`.
    type Params: Wire;
    /// Its `result`.
    type Result: Wire;
}

/// A notification of ours beside the Language Server Protocol's.
pub trait Notification {
    /// Its row in the list.
    const SPEC: MessageSpec;
    /// The method's name on the wire.
    const NAME: &'static str = Self::SPEC.name;
    /// Its `params`.
    type Params: Wire;
}

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The editor.
    ClientToServer,
    /// kkcode-lsp.
    ServerToClient,
}

impl Direction {
    /// Returns `c→s` or `s→c`, as the specification and the examples write it.
    pub fn arrow(self) -> &'static str {
        match self {
            Self::ClientToServer => "c→s",
            Self::ServerToClient => "s→c",
        }
    }
}

/// One row of the lists of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSpec {
    /// The name on the wire.
    pub name: &'static str,
    /// Who sends it.
    pub direction: Direction,
    /// What it does, in one sentence.
    pub doc: &'static str,
}

/// Sees every message with its types, in the order of the lists.
#[cfg(any(test, feature = "schema"))]
pub(crate) trait Visitor {
    /// Sees one command.
    fn command<C: Command>(&mut self);
    /// Sees one request.
    fn request<R: Request>(&mut self);
    /// Sees one notification.
    fn notification<N: Notification>(&mut self);
}

/// Shows every message to `visitor`: commands, then requests, then notifications.
#[cfg(any(test, feature = "schema"))]
pub(crate) fn visit_all(visitor: &mut impl Visitor) {
    crate::commands::visit(visitor);
    crate::requests::visit(visitor);
    crate::notifications::visit(visitor);
}

#[cfg(test)]
mod tests;
