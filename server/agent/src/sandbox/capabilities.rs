//! Gives up what the process inside could do to the namespaces, for itself and for everything that it starts.

use rustix::io::Errno;
use rustix::process::geteuid;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities,
};

/// What root keeps, so that it can work on the files of others as it always does. Landlock bounds where.
const FILES_OF_OTHERS: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID);

fn has_none() -> bool {
    capabilities(None).is_ok_and(|sets| sets.permitted.is_empty() && sets.inheritable.is_empty())
}

/// Gives up all capabilities for good, but for what root needs to work on files.
pub(super) fn drop_all() -> Result<(), String> {
    let failed = |error: Errno| format!("the capabilities cannot be given up: {error}");
    let has = capabilities(None).map_err(failed)?.permitted;
    let kept = if geteuid().is_root() { FILES_OF_OTHERS.intersection(has) } else { CapabilitySet::empty() };
    clear_ambient_capability_set().map_err(failed)?;
    for capability in CapabilitySet::all().difference(kept).iter() {
        match remove_capability_from_bounding_set(capability) {
            // An older kernel does not know this one.
            Ok(()) | Err(Errno::INVAL) => {}
            // Whoever has none cannot get any either, once new privileges are ruled out.
            Err(Errno::PERM) if has_none() => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(failed)
}
