//! seccomp: the system calls that no command of an agent needs, and that lead out of its bounds.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

use crate::process::{Confine, Namespaces};

/// Refused whatever the arguments: other processes' memory, mounts and namespaces, the kernel itself, keys, and what goes round
/// filters like this one.
const REFUSED: &[i64] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
];

/// Said not to exist, so that programs take the older way, which can be looked into: `clone3` has its flags in memory, and what
/// goes through a ring of `io_uring` is seen by no filter.
const UNKNOWN: &[i64] =
    &[libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// The second set of numbers of the same calls on x86-64, the x32 ABI.
#[cfg(target_arch = "x86_64")]
const TWIN: Option<i64> = Some(0x4000_0000);
#[cfg(not(target_arch = "x86_64"))]
const TWIN: Option<i64> = None;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Restricts this process and all that it starts.
pub(super) fn restrict(confine: &Confine) -> Result<(), String> {
    let unknown = UNKNOWN.iter().map(|call| (*call, Vec::new())).collect();
    let apply = || {
        apply(unknown, libc::ENOSYS)?;
        apply(refused(confine)?, libc::EPERM)
    };
    apply().map_err(|error: seccompiler::Error| format!("seccomp: {error}"))
}

fn refused(confine: &Confine) -> Result<Rules, seccompiler::Error> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let new_users = u64::from(libc::CLONE_NEWUSER.unsigned_abs());
    let namespace = || rule(&[(0, SeccompCmpOp::MaskedEq(new_users), new_users)]);
    rules.insert(libc::SYS_clone, vec![namespace()?]);
    rules.insert(libc::SYS_unshare, vec![namespace()?]);
    // Typing into a terminal for somebody else, and the console's way to do that.
    let terminal = [libc::TIOCSTI, libc::TIOCLINUX].map(|request| rule(&[(1, SeccompCmpOp::Eq, request)]));
    rules.insert(libc::SYS_ioctl, terminal.into_iter().collect::<Result<_, _>>()?);
    let sockets = sockets(confine);
    let others: Vec<_> =
        sockets.iter().map(|family| (0, SeccompCmpOp::Ne, u64::from(family.unsigned_abs()))).collect();
    let others = if others.is_empty() { Vec::new() } else { vec![rule(&others)?] };
    rules.insert(libc::SYS_socket, others);
    Ok(rules)
}

/// Returns the families of sockets that may be made. A network namespace bounds all of these; other families, such as the one to a
/// virtual machine's host, it does not. Without namespaces a socket in the file system leads to whoever listens there.
fn sockets(confine: &Confine) -> &'static [i32] {
    match (confine.namespaces, confine.network) {
        (Namespaces::None, false) => &[],
        (Namespaces::None, true) => &[libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK],
        _ => &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK],
    }
}

/// Makes a rule that fits when all its conditions do: number of the argument, comparison, value. The kernel looks at the lower half
/// of these arguments alone, so we do too.
fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, seccompiler::Error> {
    let conditions = conditions
        .iter()
        .map(|(argument, comparison, value)| {
            SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, comparison.clone(), *value)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(SeccompRule::new(conditions)?)
}

fn apply(rules: Rules, error: i32) -> Result<(), seccompiler::Error> {
    let twins: Rules = match TWIN {
        Some(bit) => rules.iter().map(|(call, rules)| (call | bit, rules.clone())).collect(),
        None => Rules::new(),
    };
    let rules = rules.into_iter().chain(twins).collect();
    let refuse = SeccompAction::Errno(error.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let program: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()?;
    apply_filter(&program)
}
