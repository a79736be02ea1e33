//! The cases of tests/neovim/cases, each in both Neovims.

use std::collections::BTreeSet;
use std::fs;

use kkcode_tests::skip;

use super::{nvim, repository, run, world};

macro_rules! cases {
    ($($file:ident: $($case:ident),+;)+) => {
        $(mod $file {
            $(mod $case {
                #[test]
                fn in_the_oldest_neovim() {
                    super::super::check("oldest", stringify!($file), stringify!($case));
                }

                #[test]
                fn in_the_newest_neovim() {
                    super::super::check("newest", stringify!($file), stringify!($case));
                }
            })+
        })+

        const ALL: &[(&str, &str)] = &[$($((stringify!($file), stringify!($case))),+),+];
    };
}

cases! {
    review:
        hunks_are_shown_in_the_buffer,
        keys_go_through_hunks_and_decide_them,
        one_undo_takes_one_accept_back,
        accepting_all_is_one_undo_step,
        hunks_follow_what_the_user_types,
        a_hunk_whose_lines_changed_says_what_to_do,
        the_quickfix_list_has_one_entry_for_each_hunk,
        hunks_can_be_hidden,
        a_file_that_is_read_again_has_its_hunks,
        a_rejected_hunk_comes_back_by_undo,
        some_lines_of_a_hunk_are_accepted,
        a_stale_hunk_is_merged,
        an_applied_hunk_shows_what_was_there,
        a_new_file_is_reviewed_before_it_exists,
        a_comment_goes_to_the_agent_with_the_next_turn,
        lines_put_in_at_the_start_are_seen,
        only_what_is_near_the_window_is_drawn;
    diff:
        both_sides_are_compared,
        lines_are_accepted_in_visual_mode,
        what_the_user_writes_becomes_the_proposal,
        the_hunk_under_the_cursor_is_rejected,
        a_code_action_opens_it_too;
    help:
        tags_are_unique_and_links_lead_somewhere,
        everything_has_its_help,
        the_options_in_it_are_the_defaults;
    turns:
        an_answer_is_shown_without_taking_the_focus,
        the_session_goes_on_in_its_view,
        tool_calls_are_folded,
        a_failed_turn_says_why,
        an_operator_asks_about_its_lines_and_a_dot_repeats_it,
        a_prompt_is_asked_for,
        the_user_completes_sub_commands,
        the_server_s_sessions_and_models_are_chosen_from,
        the_statusline_knows_how_things_stand;
    cards:
        a_card_never_takes_the_focus,
        one_key_answers_and_the_next_one_comes,
        it_is_answered_from_anywhere_with_a_reason,
        what_was_answered_elsewhere_is_withdrawn,
        a_learned_rule_is_forgotten,
        questions_are_answered_one_after_the_other;
    asked:
        a_command_waits_for_one_key_and_runs,
        a_denial_and_its_reason_reach_the_model,
        a_session_s_answer_holds_for_the_same_command,
        an_answer_in_another_neovim_withdraws_the_card,
        an_answer_reaches_the_model,
        a_task_goes_on_without_neovim_and_is_reviewed_in_the_next,
        a_task_s_question_is_asked_in_the_next_neovim,
        a_task_is_cancelled_and_started_again,
        a_task_works_in_a_worktree;
    settings:
        the_workspace_is_trusted_and_no_longer,
        trust_is_kept_when_the_server_starts_again,
        the_server_has_the_last_word_about_trust,
        an_option_says_what_is_trusted,
        a_key_is_typed_unseen_and_used,
        no_key_is_typed,
        progress_is_shown_natively,
        a_document_is_saved_when_the_server_asks,
        what_cannot_be_saved_is_not_asked_about,
        what_is_not_open_is_not_saved;
    edges:
        a_stale_hunk_is_accepted_as_a_merge,
        a_merge_that_is_not_clean_is_refused,
        kkcode_s_home_makes_no_workspace,
        a_side_that_is_closed_takes_the_other_along,
        two_windows_show_the_same_hunks,
        a_view_keeps_its_window,
        a_dot_repeats_a_prompt_that_was_typed,
        a_buffer_that_is_no_file_yet_is_reviewed,
        diagnostics_have_the_encoding_of_the_client;
    tasks:
        the_list_follows_tasks,
        a_log_is_opened_from_the_list,
        a_session_is_chosen_and_opened;
    typed:
        each_verb_tells_the_agent_what_it_is_about,
        hunks_are_walked_both_ways_and_decided_by_the_file,
        the_log_is_opened_and_the_server_stopped,
        a_task_is_followed_by_sub_commands_alone,
        a_task_that_was_cancelled_in_a_terminal_withdraws_its_card,
        a_session_is_copied_named_opened_and_deleted,
        always_is_learned_listed_and_forgotten,
        several_wait_in_their_order,
        pending_edits_are_let_in_before_a_command,
        the_health_check_goes_through_everything_and_tells_no_key;
    server:
        a_killed_server_comes_back_with_its_hunks,
        a_server_that_keeps_ending_is_left_alone,
        the_user_starts_it_again,
        what_happened_meanwhile_is_caught_up,
        a_missing_server_is_told_once,
        a_server_that_was_built_is_started,
        what_is_no_file_is_left_alone,
        everything_can_be_asked_before_the_server_has_it,
        the_health_check_says_what_is_there,
        the_lsp_folder_has_a_configuration;
}

#[track_caller]
fn check(which: &str, file: &str, case: &str) {
    let Some(nvim) = nvim(which) else {
        skip(&format!("neovim::{file}::{case}::{which}"), "tests/install/neovim could not install it");
        return;
    };
    run(&nvim, "run.lua", world().path(), &[file, case]);
}

/// Returns the cases of a file, which stand at its table's first level.
fn written_in(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(" = {"))
        .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .collect()
}

#[test]
fn every_case_is_run() {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(repository().join("tests/neovim/cases")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let listed: BTreeSet<_> = ALL.iter().filter(|(of, _)| *of == file).map(|(_, case)| *case).collect();
        assert_eq!(listed, written_in(&text), "{}", path.display());
        files.insert(file);
    }
    assert_eq!(files, ALL.iter().map(|(file, _)| (*file).to_owned()).collect());
}

/// Every sub-command is typed by some case, and so is every word behind one.
#[test]
fn every_sub_command_is_typed() {
    let commands = fs::read_to_string(repository().join("neovim/lua/kkcode/command.lua")).unwrap();
    let cases: String = fs::read_dir(repository().join("tests/neovim/cases"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    let table = commands.split_once("M.commands = {").expect("the table").1.split_once("\n}\n").unwrap().0;
    let (mut name, mut count, mut missing) = ("", 0, Vec::new());
    for line in table.lines() {
        let mut typed = |words: String| {
            count += 1;
            if !cases.contains(&format!("Kkcode {words}")) {
                missing.push(words);
            }
        };
        if let Some((word, _)) = line.strip_prefix("  ").and_then(|line| line.split_once(" = ")) {
            if word.chars().all(|c| c.is_ascii_lowercase()) {
                name = word;
                typed(name.to_owned());
            } else if word == "  complete" {
                line.split('"').skip(1).step_by(2).for_each(|word| typed(format!("{name} {word}")));
            }
        }
    }
    assert!(count > 50 && missing.is_empty(), "of {count} nobody types {missing:?}");
}
