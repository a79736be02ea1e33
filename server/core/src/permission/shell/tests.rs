use super::*;
use crate::permission::ground_for_tests::frame;

fn judged(line: &str) -> Judgement {
    let (ground, disk) = frame();
    judge(line, Shell::Bash, &ground, &disk)
}

#[cfg(target_os = "linux")]
mod bash;
#[cfg(target_os = "linux")]
mod canary;
mod corpus;
mod generated;
mod properties;
#[cfg(target_os = "linux")]
mod sandbox;

mod tables {
    use super::*;
    use crate::permission::shell::catastrophe::{BASH, WINDOWS};
    use crate::permission::shell::options::{GIT, READERS};

    #[test]
    fn p07_every_example_of_the_readers_holds() {
        let (readers, git) = (READERS.as_ref().unwrap(), GIT.as_ref().unwrap());
        let mut wrong = Vec::new();
        for (prefix, model) in
            readers.iter().map(|model| ("", model)).chain(git.iter().map(|model| ("git ", model)))
        {
            assert!(!model.fitting.is_empty(), "{:?} has no example", model.programs);
            for (lines, expected) in [(&model.fitting, true), (&model.unfitting, false)] {
                for line in lines {
                    let judgement = judged(&format!("{prefix}{line}"));
                    if (judgement.class == Class::Harmless) != expected {
                        wrong.push(format!("{prefix}{line}: {:?}, {}", judgement.class, judgement.reason));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn p07_every_example_of_a_catastrophe_holds() {
        let mut wrong = Vec::new();
        for (shell, rows) in
            [(Shell::Bash, BASH.as_ref().unwrap().rows()), (Shell::Cmd, WINDOWS.as_ref().unwrap().rows())]
        {
            let (ground, disk) = frame();
            for row in rows {
                assert!(!row.fitting.is_empty() && !row.unfitting.is_empty(), "{} has no example", row.why);
                for (lines, expected) in [(&row.fitting, true), (&row.unfitting, false)] {
                    for line in lines {
                        let judgement = judge(line, shell, &ground, &disk);
                        if (judgement.class == Class::Never) != expected {
                            wrong.push(format!("{line}: {:?}, {}", judgement.class, judgement.reason));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
