//! What requests to models have used: one row for each, summed up by turn, session and time.

use kkcode_core::id::{SessionId, TurnId};
use kkcode_core::proposal::Timestamp;
use kkcode_core::turn::Usage;
use rusqlite::{Connection, params};

use crate::error::{Failure, StoreError};
use crate::store::Store;

/// What one request has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// The turn that made it.
    pub turn: TurnId,
    /// That turn's session.
    pub session: SessionId,
    /// The model, as `provider/model`.
    pub model: String,
    /// When it was counted.
    pub at: Timestamp,
    /// What it used.
    pub usage: Usage,
}

/// What was used so far, by all processes with this home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// By the turn.
    pub turn: Usage,
    /// By its session.
    pub session: Usage,
    /// By everybody since a point in time.
    pub since: Usage,
}

impl Store {
    /// Writes down what a request has used. What a session used stays in the sums when the session is deleted.
    pub fn spend(&self, spending: Spending, done: impl FnOnce(Result<(), StoreError>) + Send + 'static) {
        self.run(move |database| database.write(|connection| insert(connection, &spending)), done);
    }

    /// Sums up what a turn, its session, and everybody since a point in time has used.
    pub fn spent(
        &self,
        turn: TurnId,
        session: SessionId,
        since: Timestamp,
        done: impl FnOnce(Result<Spent, StoreError>) + Send + 'static,
    ) {
        let sums = move |connection: &mut Connection| {
            Ok(Spent {
                turn: sum(connection, "turn = ?1", [turn.as_str()])?,
                session: sum(connection, "session = ?1", [session.as_str()])?,
                since: sum(connection, "at >= ?1", [since.0])?,
            })
        };
        self.run(move |database| database.read(sums), done);
    }

    /// Returns what a session has used since a point in time.
    pub fn spent_in_session(
        &self,
        session: SessionId,
        since: Timestamp,
        done: impl FnOnce(Result<Usage, StoreError>) + Send + 'static,
    ) {
        let used = move |connection: &mut Connection| {
            sum(connection, "session = ?1 AND at >= ?2", (session.as_str(), since.0))
        };
        self.run(move |database| database.read(used), done);
    }
}

fn insert(connection: &mut Connection, spending: &Spending) -> Result<(), Failure> {
    let Spending { turn, session, model, at, usage } = spending;
    connection
        .prepare_cached(
            "INSERT INTO spending (turn, session, model, at, input_tokens, output_tokens, cache_read_tokens,
                                   cache_write_tokens, cost_micro_usd, unpriced)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            turn.as_str(),
            session.as_str(),
            model,
            at.0,
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.cost_micro_usd,
            usage.unpriced,
        ])?;
    Ok(())
}

fn sum(connection: &Connection, which: &str, values: impl rusqlite::Params) -> Result<Usage, Failure> {
    let query = format!(
        "SELECT coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cache_read_tokens), 0),
                coalesce(sum(cache_write_tokens), 0), coalesce(sum(cost_micro_usd), 0), coalesce(max(unpriced), 0)
         FROM spending WHERE {which}"
    );
    let usage = connection.prepare_cached(&query)?.query_row(values, |row| {
        Ok(Usage {
            input_tokens: row.get(0)?,
            output_tokens: row.get(1)?,
            cache_read_tokens: row.get(2)?,
            cache_write_tokens: row.get(3)?,
            cost_micro_usd: row.get(4)?,
            unpriced: row.get(5)?,
        })
    })?;
    Ok(usage)
}
