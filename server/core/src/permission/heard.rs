//! What came from the network into a conversation: whoever wrote it may speak through the agent from then on.
//!
//! An agent that reads what strangers wrote, sees what is private and can send something out can be talked into handing it
//! over. The third of these powers then takes the user's word: a level alone is none, nor is a rule for all tools.

use std::collections::BTreeSet;

/// What is known of a conversation in which something came from the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The addresses that the user has named, or that came themselves, as they are fetched: to go there carries out nothing but
    /// the choice.
    pub addresses: BTreeSet<String>,
}
