//! `offlimits org`: the template of the spokes, and the commands that bring a hub and its spokes into an organization.
//!
//! [`plan`](self::plan) works out the steps from what it is told, and `command` writes the file and prints them. AWS is not asked.

mod command;
mod plan;

pub(super) use self::command::OrgCommand;
