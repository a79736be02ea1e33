//! Turns that nobody works on any more: what becomes of them when their process is gone.

use kkcode_core::effect::DurableEvent;
use kkcode_core::id::TurnId;
use kkcode_core::prompt::Resolution;
use kkcode_core::turn::{TurnEnd, TurnStatus, Usage};
use rusqlite::{Connection, TransactionBehavior};

use crate::audit::Log;
use crate::error::Failure;
use crate::owner::Owner;
use crate::read;
use crate::write;

/// Returns the turns that run for the store while their process is gone.
pub(crate) fn orphans(connection: &Connection) -> Result<Vec<TurnId>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT id, owner_pid, owner_start FROM turn WHERE ended_at IS NULL")?;
    let rows = statement.query_map([], |row| {
        Ok((TurnId::new(row.get::<_, String>(0)?), Owner { pid: row.get(1)?, start: row.get(2)? }))
    })?;
    let running = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(running.into_iter().filter(|(_, owner)| !owner.is_alive()).map(|(turn, _)| turn).collect())
}

/// Writes down that these turns were interrupted, with an event for each that nobody else has ended meanwhile.
pub(crate) fn interrupt(connection: &mut Connection, turns: &[TurnId]) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = write::now();
    let mut log = Log { transaction: &transaction, hide: None, now, head: None };
    for turn in turns {
        let end = TurnEnd { status: interrupted(), reply: None, usage: Usage::default() };
        let event = DurableEvent::TurnFinished {
            turn: turn.clone(),
            status: end.status.name().to_owned(),
            reply: None,
            error: None,
            proposals: read::proposals_of(&transaction, turn)?,
        };
        if write::end_turn(&transaction, turn, &end, now)? {
            for prompt in write::withdraw(&transaction, turn, now)? {
                log.answered(&prompt, &Resolution::withdrawn())?;
                write::append_event(&transaction, &prompt.resolved(Resolution::withdrawn()), now)?;
            }
            write::append_event(&transaction, &event, now)?;
        }
    }
    Ok(transaction.commit()?)
}

/// Returns the status of a turn whose process is gone.
pub(crate) fn interrupted() -> TurnStatus {
    TurnStatus::Interrupted { reason: "the server ended while the turn ran".to_owned() }
}
