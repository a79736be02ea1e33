//! Every notification of ours, with its type.

use crate::message::{Direction, MessageSpec, Notification};
use crate::{editor, permission, proposal, question, task, turn};

macro_rules! notifications {
    ($($(#[doc = $doc:literal])+ $notification:ident = $name:literal $direction:ident ($params:ty);)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug)]
            pub enum $notification {}

            impl Notification for $notification {
                const SPEC: MessageSpec = MessageSpec {
                    name: $name,
                    direction: Direction::$direction,
                    doc: concat!($($doc),+).trim_ascii(),
                };
                type Params = $params;
            }
        )+

        /// All notifications of ours, in the specification's order.
        pub const NOTIFICATIONS: &[MessageSpec] = &[$($notification::SPEC),+];

        #[cfg(any(test, feature = "schema"))]
        pub(crate) fn visit(visitor: &mut impl crate::message::Visitor) {
            $(visitor.notification::<$notification>();)+
        }
    };
}

notifications! {
    /// Tells that the user trusts a workspace folder, or no longer does.
    TrustDidChange = "kkcode/trust/didChange" ClientToServer (editor::TrustDidChangeParams);
    /// Tells what a running turn does, at most 30 times a second.
    TurnDidUpdate = "kkcode/turn/didUpdate" ServerToClient (turn::TurnDidUpdateParams);
    /// Tells that a turn ended, and how.
    TurnDidFinish = "kkcode/turn/didFinish" ServerToClient (turn::TurnDidFinishParams);
    /// Tells that the hunks of a proposal, or their states, are others than before.
    ProposalDidChange = "kkcode/proposal/didChange" ServerToClient (proposal::ProposalDidChangeParams);
    /// Tells that a task's record is another than before.
    TaskDidChange = "kkcode/task/didChange" ServerToClient (task::TaskDidChangeParams);
    /// Tells that the agent waits for a permission.
    PermissionDidAsk = "kkcode/permission/didAsk" ServerToClient (permission::PermissionDidAskParams);
    /// Tells that a permission prompt was answered, so that others withdraw it.
    PermissionDidResolve = "kkcode/permission/didResolve" ServerToClient (permission::PermissionDidResolveParams);
    /// Tells that the agent asks the user something.
    QuestionDidAsk = "kkcode/question/didAsk" ServerToClient (question::QuestionDidAskParams);
    /// Tells that a question was answered, so that others withdraw it.
    QuestionDidResolve = "kkcode/question/didResolve" ServerToClient (question::QuestionDidResolveParams);
}
