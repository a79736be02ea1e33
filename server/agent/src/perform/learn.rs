//! Rules that an answer "always" made come into their file.

use kkcode_core::effect::{EditorEffect, Reply};
use kkcode_core::id::RequestId;
use kkcode_core::prompt::LearnedRule;

use super::Performer;
use crate::fresh;
use crate::gate::learned::{self, Learned};
use crate::runtime::Input;

impl Performer {
    /// Writes rules into the file of learned rules, and answers behind that.
    pub(super) fn learn(&self, rules: Vec<LearnedRule>, answers: Vec<(RequestId, Reply)>) {
        let (handle, home) = (self.handle.clone(), self.config.home.clone());
        tokio::task::spawn_blocking(move || {
            let named = rules.into_iter().map(|rule| {
                Ok(Learned {
                    id: fresh::name("rule").map_err(|error| error.to_string())?,
                    tool: rule.tool,
                    command_prefix: rule.command_prefix,
                    file_patterns: rule.file_patterns,
                    workspace: rule.workspace,
                    created_at: jiff::Timestamp::from_millisecond(fresh::now().0)
                        .unwrap_or_default()
                        .to_string(),
                })
            });
            let named = named.collect::<Result<Vec<Learned>, String>>();
            let result =
                named.and_then(|rules| learned::add(&home, rules).map_err(|problem| problem.to_string()));
            handle.put(Input::Learned(answers, result));
        });
    }

    /// Answers those who waited for rules to be written. An answer counts even if its rule could not be.
    pub(crate) fn learned(&mut self, answers: Vec<(RequestId, Reply)>, result: Result<(), String>) {
        if let Err(reason) = result {
            self.tell(EditorEffect::Message(format!(
                "the rule could not be kept, this once is allowed: {reason}"
            )));
        }
        // Where others ask the same, they need not any more.
        self.ring();
        for (request, reply) in answers {
            self.reply(request, Ok(reply));
        }
    }
}
