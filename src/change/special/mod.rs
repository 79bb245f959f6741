//! What takes more than a path to tell.
//!
//! ```text
//! network    firewalls, routes, names of domains
//! machines   what is started, stopped and changed
//! access     keys, passwords, roles, identity providers, sharing
//! watch      what trails record
//! setting    values that the answer still has as they were before
//! ```

mod access;
mod machines;
mod network;
mod setting;
mod watch;

pub(super) use self::access::{
    account_assignment, acl, chained_from, deletion, identity_provider, login_profile, new_credential, password_policy,
    public_block, sharing, sign_in, trust,
};
pub(super) use self::machines::{commands, instance_attributes, machines, states, user_data};
pub(super) use self::network::{
    acl_entry, inbound, no_longer_inbound, no_longer_outbound, outbound, record_sets, route,
};
pub(super) use self::setting::settings;
pub(super) use self::watch::event_selectors;
