//! Every request of ours, with its types.

use crate::message::{Direction, MessageSpec, Request};
use crate::{editor, events, proposal};

macro_rules! requests {
    ($($(#[doc = $doc:literal])+ $request:ident = $name:literal $direction:ident ($params:ty) -> $result:ty;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug)]
            pub enum $request {}

            impl Request for $request {
                const SPEC: MessageSpec = MessageSpec {
                    name: $name,
                    direction: Direction::$direction,
                    doc: concat!($($doc),+).trim_ascii(),
                };
                type Params = $params;
                type Result = $result;
            }
        )+

        /// All requests of ours, in the specification's order.
        pub const REQUESTS: &[MessageSpec] = &[$($request::SPEC),+];

        #[cfg(any(test, feature = "schema"))]
        pub(crate) fn visit(visitor: &mut impl crate::message::Visitor) {
            $(visitor.request::<$request>();)+
        }
    };
}

requests! {
    /// Asks for the text of a virtual document of a proposal.
    ProposalContent = "kkcode/proposal/content" ClientToServer
        (proposal::ProposalContentParams) -> proposal::ProposalContentResult;
    /// Asks what happened since an event, to catch up after a restart.
    EventsSince = "kkcode/events/since" ClientToServer (events::EventsSinceParams) -> events::EventsSinceResult;
    /// Hands over a provider's key from the editor's own secret storage.
    SecretSet = "kkcode/secret/set" ClientToServer (editor::SecretSetParams) -> editor::SecretSetResult;
    /// Asks the editor to save a document before a command reads it from the disk.
    DocumentSave = "kkcode/document/save" ServerToClient
        (editor::DocumentSaveParams) -> editor::DocumentSaveResult;
}
